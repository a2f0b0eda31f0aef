"""Harnesses that die while they judge a session: each claim is judged once, the list corrected by one commit, nothing left."""

from __future__ import annotations

import json

import pytest

from acd.core.facts import CommitSeen, Ended, FeatureChanged, FeaturesSeen, HarnessFailed
from acd.harness.recovery import recover, unfinished
from tests.integration.sessions.stage import FEATURES, Stage, plan_of
from tests.integration.sessions.test_harness_recovery import die

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

FIRST = 4
"""The number of the first fact that is written when the agent is gone."""


@pytest.fixture(params=["in-place", "worktree"])
def judged(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """A session that does one feature, claims another falsely, and rewords the third."""
    stage.set(isolation=request.param)
    entries = [
        {"id": key, "name": key, "passes": False, "verify": f"test -s features/{key}.md"}
        for key in FEATURES
    ]
    (stage.repository / "feature_list.json").write_text(json.dumps(entries, indent=2))
    stage.commit("List")
    stage.script(
        plan_of(
            {"do": "feature", "key": "F1"},
            {"do": "claim_falsely", "key": "F2"},
            {"do": "reword_feature", "key": "F3"},
        )
    )
    return stage


def check(stage: Stage) -> None:
    assert stage.living() == []
    assert list(unfinished(stage.settings)) == []
    assert stage.git("worktree", "list").count("\n") == 0
    assert not list(stage.settings.checks_dir.glob("*"))
    changes = [(fact.key, fact.change) for fact in stage.only(FeatureChanged)]
    assert sorted(changes) == [
        ("F1", "claimed"),
        ("F1", "passing"),
        ("F2", "claimed"),
        ("F2", "rejected"),
        ("F3", "restored"),
        ("F3", "tampering"),
    ]
    assert [fact.when for fact in stage.only(FeaturesSeen)] == ["before", "left", "after"]
    (told,) = stage.only(HarnessFailed)
    assert told.error_type == "tampering"
    truth = stage.truth()
    assert [fact.commit.sha for fact in stage.only(CommitSeen)] == truth.commits
    subjects = stage.git("log", "--format=%an %s").splitlines()
    assert subjects.count("acd Set the feature list right") == 1
    assert len(subjects) == len(truth.commits) + 2
    listed = json.loads(stage.git("show", "HEAD:feature_list.json"))
    assert [(e["passes"], e.get("description")) for e in listed] == [
        (True, None),
        (False, None),
        (False, None),
    ]
    (ended,) = stage.only(Ended)
    assert (ended.status, ended.features_completed) == ("completed", 1)
    assert ended.commits_made == len(truth.commits)


@pytest.mark.parametrize("count", range(FIRST, FIRST + 7))
async def test_a_harness_dies_after_a_fact(judged: Stage, count: int) -> None:
    died = die(judged, judged.new_plan(), "ring", count)
    # The ring is called for output, too: how often depends on how much of it is seen at a time.
    assert died or count > FIRST + 4
    await recover(judged.settings, lambda _: None)
    check(judged)


@pytest.mark.parametrize("moment", ["git", "gitted"])
async def test_a_harness_dies_at_its_commit(judged: Stage, moment: str) -> None:
    """Counted from the end: what a worktree needs before is not ours."""
    before = 1 if judged.settings.isolation == "worktree" else 0
    for count in range(before + 1, before + 5):
        assert die(judged, judged.new_plan(session_number=1), moment, count)
        await recover(judged.settings, lambda _: None)
        if judged.ledger().sessions.get(str(judged.folder.session_id)):
            check(judged)
            return
