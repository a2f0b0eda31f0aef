"""Claims are checked by the harness on what was committed, and the feature list is nobody's to bend."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acd.core.facts import CommitSeen, FeatureChanged, FeaturesSeen, HarnessFailed
from acd.harness.plan import Rejection
from acd.harness.stopping import StopSignal
from tests.integration.sessions.stage import FEATURES, Stage, plan_of, until

OWN = "test -s features/{key}.md"
"""A feature's own check: the scripted agent writes that file when it really works on the feature."""


def entries(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    """A list in which every feature has a check of its own, with some entries changed."""
    plain = {"passes": False}
    return [
        {
            "id": key,
            "name": f"Feature {key}",
            "verify": OWN.format(key=key),
            **plain,
            **changes.get(key, {}),
        }
        for key in FEATURES
    ]


@pytest.fixture(params=["in-place", pytest.param("worktree", marks=pytest.mark.extra)])
def stage(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """Sessions in the target's own folder, and in worktrees."""
    stage.set(isolation=request.param)
    return stage


@pytest.fixture
def checked(stage: Stage) -> Stage:
    """A repository whose features have checks of their own."""
    write_list(stage, entries())
    return stage


def write_list(stage: Stage, document: object) -> None:
    (stage.repository / "feature_list.json").write_text(json.dumps(document, indent=2) + "\n")
    stage.git("add", "-A")
    stage.git("-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-q", "-m", "List")


def with_command(stage: Stage, command: str) -> None:
    stage.target = msgspec.structs.replace(stage.target, verify_command=command)


def listed(stage: Stage) -> list[dict[str, Any]]:
    """The list as the target's branch has it."""
    return json.loads(stage.git("show", "HEAD:feature_list.json"))  # type: ignore[no-any-return]


def passing(stage: Stage) -> list[str]:
    return [entry["id"] for entry in listed(stage) if entry["passes"]]


def changes(stage: Stage) -> list[tuple[str, str, str]]:
    return [(fact.key, fact.change, fact.status) for fact in stage.only(FeatureChanged)]


async def test_a_false_claim_is_rejected_and_then_really_done(checked: Stage) -> None:
    checked.script(plan_of({"do": "claim_falsely"}), plan_of({"do": "feature"}))
    before = checked.git("show", "HEAD:feature_list.json")
    outcome = await checked.work()
    assert (outcome.status, outcome.features_completed, outcome.passing_features) == (
        "completed",
        0,
        0,
    )
    assert changes(checked) == [("F1", "claimed", "claimed"), ("F1", "rejected", "rejected")]
    rejected = checked.only(FeatureChanged)[-1]
    assert rejected.evidence is not None
    assert rejected.evidence.command == "test -s features/F1.md"
    assert rejected.evidence.exit_status == 1
    assert rejected.evidence.commit == checked.truth().commits[-1]
    left, after = checked.only(FeaturesSeen)[1:]
    assert (left.when, left.features[0].passes) == ("left", True)
    assert (after.when, after.features[0].passes) == ("after", False)
    # The list is as it was, by a commit of ours that is not counted as the agent's.
    assert checked.git("show", "HEAD:feature_list.json") == before
    assert checked.git("log", "-1", "--format=%an <%ae>") == "acd <acd@localhost>"
    assert checked.git("show", "--format=", "--name-only", "HEAD") == "feature_list.json"
    assert outcome.commits_made == len(checked.only(CommitSeen)) == 1

    told = Rejection("F1", "rejected", 1, rejected.detail, rejected.evidence)
    outcome = await checked.work(rejections=[told], session_number=2)
    (transcript,) = checked.folder.transcripts.iterdir()
    assert "`test -s features/F1.md` exited with status 1" in transcript.read_text()
    assert (outcome.features_completed, outcome.passing_features) == (1, 1)
    assert changes(checked) == [("F1", "claimed", "claimed"), ("F1", "passing", "passing")]
    assert passing(checked) == ["F1"]
    assert not (checked.settings.checks_dir / str(outcome.session_id)).exists()


async def test_what_is_not_committed_proves_nothing(checked: Stage) -> None:
    checked.script(plan_of({"do": "feature", "commit": False}))
    outcome = await checked.work()
    assert (outcome.features_completed, outcome.commits_made) == (0, 0)
    if checked.settings.isolation == "in-place":
        assert changes(checked)[-1] == ("F1", "rejected", "rejected")
    else:  # the claim was not committed either, so it went with the work
        assert changes(checked) == []
    assert passing(checked) == []


@pytest.mark.extra
async def test_the_targets_command_judges_what_has_none(ready: Stage) -> None:
    with_command(ready, "echo checking; test $(ls features | wc -l) -ge 2")
    ready.script(plan_of({"do": "feature"}), plan_of({"do": "feature", "count": 2}))
    assert (await ready.work()).features_completed == 0
    (rejected,) = [fact for fact in ready.only(FeatureChanged) if fact.change == "rejected"]
    assert rejected.evidence is not None
    assert rejected.evidence.output_tail == "checking"
    outcome = await ready.work(session_number=2)
    assert outcome.features_completed == 2
    assert passing(ready) == ["F1", "F2"]


@pytest.mark.extra
async def test_without_a_command_claims_stand_unverified(ready: Stage) -> None:
    ready.script(plan_of({"do": "claim_falsely"}))
    outcome = await ready.work()
    assert (outcome.features_completed, outcome.verified_features) == (1, 0)
    assert changes(ready) == [("F1", "claimed", "passing")]
    assert [fact.when for fact in ready.only(FeaturesSeen)] == ["before", "after"]


@pytest.mark.extra
async def test_what_passed_unverified_is_verified_when_the_targets_command_succeeds(
    ready: Stage,
) -> None:
    await ready.work()  # F1, on its agent's word alone
    with_command(ready, "test $(ls features | wc -l) -ge 3")
    await ready.work(session_number=2)
    assert ("F1", "passing", "passing") not in changes(ready)  # the command failed
    ready.script(plan_of({"do": "feature", "count": 2}))
    outcome = await ready.work(session_number=3)
    assert [each for each in changes(ready) if each[1] == "passing"] == [
        ("F2", "passing", "passing"),
        ("F3", "passing", "passing"),
        ("F1", "passing", "passing"),
    ]
    assert (outcome.passing_features, outcome.verified_features) == (3, 3)


async def test_deleted_and_reworded_features_come_back(ready: Stage) -> None:
    before = ready.git("show", "HEAD:feature_list.json")
    ready.script(
        plan_of(
            {"do": "reword_feature", "key": "F2"},
            {"do": "delete_feature", "key": "F3"},
            {"do": "delete_feature", "key": "F1", "commit": False},
        )
    )
    outcome = await ready.work()
    assert (outcome.status, outcome.total_features) == ("completed", 3)
    assert ready.git("show", "HEAD:feature_list.json") == before
    assert set(changes(ready)) == {
        (key, change, "pending") for key in FEATURES for change in ("tampering", "restored")
    }
    (told,) = ready.only(HarnessFailed)
    assert told.error_type == "tampering"
    assert "F3: removed from the list" in told.message
    assert ready.git("status", "--porcelain", "feature_list.json") == ""


@pytest.mark.extra
@pytest.mark.parametrize(
    "command",
    [
        "rm feature_list.json",
        "git rm -q feature_list.json; git commit -qm Gone",
        "mkfifo x; mv x feature_list.json",
    ],
)
async def test_a_list_that_is_gone_comes_back(ready: Stage, command: str) -> None:
    before = ready.git("show", "HEAD:feature_list.json")
    ready.script(plan_of({"do": "bash", "command": command}))
    outcome = await ready.work()
    assert (outcome.status, outcome.total_features) == ("completed", 3)
    assert ready.git("show", "HEAD:feature_list.json") == before
    told = ready.only(HarnessFailed)[-1]
    assert (told.error_type, "put back" in told.message) == ("tampering", True)


@pytest.mark.extra
async def test_a_check_that_nobody_can_run_stops_the_target(ready: Stage) -> None:
    with_command(ready, "no-such-tester --all")
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type, outcome.retryable) == ("failed", "config", False)
    assert outcome.error_message is not None
    assert "`no-such-tester --all` exited with status 127" in outcome.error_message
    assert changes(ready) == [("F1", "claimed", "claimed"), ("F1", "unjudged", "claimed")]
    assert passing(ready) == []


@pytest.mark.extra
async def test_a_check_that_takes_too_long(ready: Stage) -> None:
    with_command(ready, "sleep 600 & sleep 600")
    ready.set(verify_timeout=0.3)
    outcome = await ready.work()
    assert (outcome.status, outcome.features_completed) == ("completed", 0)
    rejected = ready.only(FeatureChanged)[-1]
    assert "longer than 0.3 s" in rejected.detail
    assert ready.living() == []


@pytest.mark.extra
async def test_claims_of_a_session_that_met_its_budget_are_checked(checked: Stage) -> None:
    checked.script(plan_of({"do": "feature"}, {"do": "sleep", "seconds": 600}))
    stop = StopSignal()
    session = asyncio.create_task(checked.work(stop=stop))
    await until(lambda: checked.shown and checked.shown[-1].passing_features, 60)
    await until(lambda: "Implement F1" in checked.git("log", "--all", "--format=%s"), 60)
    stop.end_because("budget", "used up")
    outcome = await session
    assert (outcome.status, outcome.error_type) == ("failed", "budget")
    assert changes(checked)[-1] == ("F1", "passing", "passing")
    assert passing(checked) == ["F1"]


@pytest.mark.extra
async def test_a_stop_during_a_check_ends_the_session_in_order(ready: Stage) -> None:
    with_command(ready, "touch running; sleep 600")
    stop = asyncio.Event()
    session = asyncio.create_task(ready.work(stop=stop))
    await until(lambda: list(ready.settings.checks_dir.glob("*/running")), 60)
    stop.set()
    outcome = await session
    assert (outcome.status, outcome.features_completed) == ("completed", 0)
    assert changes(ready)[-1] == ("F1", "unjudged", "claimed")
    assert ready.living() == []


@pytest.mark.extra
async def test_a_regression_is_found_by_sample(checked: Stage) -> None:
    checked.script(
        plan_of({"do": "feature", "count": 2}),
        plan_of({"do": "bash", "command": "git rm -q features/F1.md"}, {"do": "feature"}),
    )
    await checked.work()
    outcome = await checked.work(verified=["F1", "F2"], to_recheck=["F1", "F2"], session_number=2)
    assert set(changes(checked)) == {
        ("F3", "claimed", "claimed"),
        ("F3", "passing", "passing"),
        ("F1", "regressed", "regressed"),
        ("F2", "confirmed", "passing"),
    }
    assert (outcome.features_before, outcome.features_after, outcome.features_completed) == (
        2,
        2,
        0,
    )
    assert outcome.verified_features == 2
    assert passing(checked) == ["F2", "F3"]
    regressed, weakened = checked.only(HarnessFailed)
    assert (regressed.error_type, "F1" in regressed.message) == ("verification", True)
    assert "features/F1.md, which a verify command names, was deleted" in weakened.message


@pytest.mark.extra
async def test_what_the_shared_command_cannot_tell_is_said(ready: Stage) -> None:
    ready.script(plan_of({"do": "feature"}), plan_of({"do": "feature"}))
    with_command(ready, "test ! -e features/F2.md")
    await ready.work()
    await ready.work(session_number=2)
    assert changes(ready)[-1] == ("F2", "rejected", "rejected")
    (told,) = ready.only(HarnessFailed)
    assert told.error_type == "verification"
    assert "is not known" in told.message
    assert passing(ready) == ["F1"]


async def test_weakened_checks_are_flagged(stage: Stage) -> None:
    tests = stage.repository / "tests"
    tests.mkdir()
    (stage.repository / "check.sh").write_text("exit 1\n")
    (tests / "test_a.py").write_text("def test_a():\n    assert True\n")
    (tests / "test_b.py").write_text("def test_b():\n    assert False\n")
    write_list(stage, [{"id": "F1", "name": "One", "passes": False, "verify": "sh ./check.sh"}])
    easier = (
        "echo exit 0 > check.sh; git rm -q tests/test_b.py;"
        " printf 'import pytest\\n\\n\\n@pytest.mark.skip\\n' | cat - tests/test_a.py > t; mv t tests/test_a.py"
    )
    stage.script(plan_of({"do": "bash", "command": easier}, {"do": "feature"}))
    outcome = await stage.work()
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    (told,) = stage.only(HarnessFailed)
    assert (told.error_type, told.error_code) == ("tampering", "weakened_checks")
    assert "check.sh, which a verify command names, was edited" in told.message
    assert "the test file tests/test_b.py was deleted" in told.message
    assert "tests/test_a.py leaves tests out: @pytest.mark.skip" in told.message


async def test_checks_weakened_without_a_claim_are_flagged_too(stage: Stage) -> None:
    """What one session makes easier the next one may use."""
    (stage.repository / "check.sh").write_text("exit 1\n")
    write_list(stage, [{"id": "F1", "name": "One", "passes": False, "verify": "sh ./check.sh"}])
    easier = "echo exit 0 > check.sh; git commit -qam easier"
    stage.script(plan_of({"do": "bash", "command": easier}))
    outcome = await stage.work()
    assert (outcome.status, outcome.features_completed) == ("completed", 0)
    (told,) = stage.only(HarnessFailed)
    assert (told.error_type, told.error_code) == ("tampering", "weakened_checks")


@pytest.mark.extra
async def test_a_list_beside_the_queue_file_is_corrected_too(stage: Stage, tmp_path: Path) -> None:
    stage.write_features()
    queue_dir = tmp_path / "queue"
    queue_dir.mkdir()
    text = json.dumps({"features": entries(), "owner": "Ada"}, indent=4)
    (queue_dir / "shop.json").write_text(text)
    stage.target = msgspec.structs.replace(stage.target, feature_list=str(queue_dir / "shop.json"))
    stage.script(plan_of({"do": "claim_falsely"}, {"do": "delete_feature", "key": "F2"}))
    outcome = await stage.work(queue_dir=queue_dir)
    assert (outcome.features_completed, outcome.total_features) == (0, 3)
    assert json.loads((queue_dir / "shop.json").read_text()) == json.loads(text)


@pytest.mark.extra
async def test_an_initializers_claims_are_checked_by_the_target_alone(stage: Stage) -> None:
    with_command(stage, "false")
    made = [{"id": "F1", "name": "One", "passes": True, "verify": "true"}]
    assert stage.settings.scenario is not None
    stage.settings.scenario.write_text(
        json.dumps({"seed": 7, "targets": {"*": {"features": made}}})
    )
    outcome = await stage.work("initializer")
    assert (outcome.status, outcome.passing_features, outcome.total_features) == ("completed", 0, 1)
    assert changes(stage)[-1] == ("F1", "rejected", "rejected")
