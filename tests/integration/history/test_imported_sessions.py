"""What an import makes of a session: its row, its timeline, what acd worked itself, and the audit of its total."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from acd.agents.histories import load_history
from acd.core.facts import CommitSeen
from acd.core.models import imported_session_id
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.git.repository import Repository
from acd.history.audit import audit
from acd.history.importing import Importer
from acd.history.timeline import build_timeline
from acd.ledger.catch_up import open_source
from acd.reports.totals import disagreements, four_ways
from tests.integration.history.stage import (
    OPUS,
    PRICES,
    Transcript,
    claude,
    import_from,
    session_name,
)
from tests.integration.ledger.stage import AT, end, rows_of, select, session_of

pytestmark = pytest.mark.extra
NAME = session_name(1)
DATA = Path(__file__).parents[2] / "data"


def transcript(folder: Path, name: str = NAME) -> Transcript:
    return Transcript(claude(folder) / "-srv-shop" / f"{name}.jsonl", name)


async def test_a_session_and_its_target(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    one = transcript(tmp_path).says(1).asks(2, "m1", tool="Bash")
    one.branch = "fix"
    one.asks(3, "m2").asks(4, "m3").says(9)
    done = await import_from(database, settings, [tmp_path])
    assert (done.sessions, done.targets, done.requests, done.left_out) == (1, 1, 3, 0)
    (session,) = await rows_of(database, "harness_sessions")
    assert session["id"] == imported_session_id("claude-code", NAME)
    told = ("session_type", "origin", "session_number", "status", "model", "model_used", "branch")
    assert [session[name] for name in told] == [
        *("interactive", "import", None, "completed", "opus", "claude-opus-5-5", "fix")
    ]
    assert (session["duration_ms"], session["request_count"], session["agent_version"]) == (
        *(8000, 3, "2.1.330"),
    )
    (target,) = await rows_of(database, "targets")
    assert (target["path"], target["name"], target["enabled"], target["imported"]) == (
        *("/srv/shop", "shop", False, True),
    )
    assert disagreements(await four_ways(database)) == []


async def test_an_error_that_was_the_last_word_is_the_sessions_end(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    said = {"model": "<synthetic>", "content": [{"type": "text", "text": "no such model"}]}
    one = transcript(tmp_path).says(1).asks(2, "m1")
    one.line("assistant", 3, message=said, isApiErrorMessage=True, error="model_not_found")
    await import_from(database, settings, [tmp_path])
    (session,) = await rows_of(database, "harness_sessions")
    assert (session["status"], session["error_type"]) == ("failed", "model")
    (error,) = await rows_of(database, "harness_errors")
    assert error["resolved"]
    one.asks(5, "m2")
    await import_from(database, settings, [tmp_path])
    (session,) = await rows_of(database, "harness_sessions")
    assert (session["status"], session["error_type"]) == ("completed", None)


@pytest.mark.parametrize("first", ["a", "b"])
@pytest.mark.parametrize("together", [True, False])
async def test_an_error_that_was_copied_ends_both_sessions_as_their_files_say(
    database: Database, settings: Settings, tmp_path: Path, first: str, together: bool
) -> None:
    """The error is one row; the session that goes on after it has not failed, the one that it was copied from has."""
    said = {"model": "<synthetic>", "content": [{"type": "text", "text": "no such model"}]}
    names = {"a": session_name(1), "b": session_name(2), "c": session_name(3)}
    for letter, name in names.items():
        one = transcript(tmp_path / letter, name).says(1).asks(2, "m1")
        one.line("assistant", 3, message=said, isApiErrorMessage=True, error="model_not_found")
        if letter == "b":
            one.asks(5, "m2")
    order = [tmp_path / letter for letter in sorted(names, reverse=first == "b")]
    for some in [order] if together else [[folder] for folder in order]:
        await import_from(database, settings, some)
    sessions = await rows_of(database, "harness_sessions")
    ended = {row["agent_session_id"]: (row["status"], row["error_type"]) for row in sessions}
    assert ended == {
        names["a"]: ("failed", "model"),
        names["b"]: ("completed", None),
        names["c"]: ("failed", "model"),
    }
    assert {row["error_message"] for row in sessions} == {"no such model", None}
    assert len(await rows_of(database, "harness_errors")) == 1


async def test_what_acd_worked_itself_is_completed_and_never_doubled(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    folder = session_of(settings, 1)
    own = folder.path.name
    one = transcript(tmp_path, own).says(1).asks(2, "m1").asks(3, "m2")
    left = await import_from(database, settings, [tmp_path])
    assert (left.left, left.requests) == (1, 0)  # its own journal is recorded first
    end(folder)
    source = open_source(folder.path, database, PRICES)
    assert source is not None
    await source.catch_up()
    await import_from(database, settings, [tmp_path])
    one.asks(4, "m3")
    await import_from(database, settings, [tmp_path])
    (session,) = await rows_of(database, "harness_sessions")
    assert (session["id"], session["origin"], session["request_count"]) == (UUID(own), "harness", 3)
    assert session["model"] == "opus"
    assert len(await rows_of(database, "targets")) == 1
    assert disagreements(await four_ways(database)) == []


async def test_the_timeline_is_built_when_it_is_looked_at(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    one = transcript(tmp_path).says(1, "begin").asks(2, "m1", tool="Bash")
    helper = Transcript(one.path.parent / NAME / "subagents" / "agent-a.jsonl", NAME)
    helper.subagent = "a"
    helper.says(3, "inner").asks(4, "m2")
    one.says(6, "end")
    await import_from(database, settings, [tmp_path])
    assert await rows_of(database, "session_events") == []
    session = imported_session_id("claude-code", NAME)
    assert await build_timeline(database, settings.host_name, session)
    assert not await build_timeline(database, settings.host_name, session)
    rows = await rows_of(database, "session_events")
    assert [row["text"] for row in rows if row["kind"] == "text"] == ["begin", "inner", "end"]
    assert [row["tool_name"] for row in rows if row["kind"] == "tool_used"] == ["Bash"]
    one.says(8, "more")
    await import_from(database, settings, [tmp_path])
    assert await build_timeline(database, settings.host_name, session)
    assert (await rows_of(database, "session_events"))[-1]["text"] == "more"


async def test_an_audit_names_the_byte(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    one = transcript(tmp_path).says(1)
    begin = one.path.stat().st_size
    one.asks(2, "m1", output=1)
    counted = one.path.stat().st_size
    one.asks(2, "m1", output=30)
    broken = one.path.stat().st_size
    one.raw(b"rubbish\n").asks(90000, "m2")
    await import_from(database, settings, [tmp_path])
    session = imported_session_id("claude-code", NAME)
    found = await audit(database, settings, session_id=session)
    first = found.requests[0]
    assert [(place.offset, place.counted) for place in first.places] == [
        (begin, False),
        (counted, True),
    ]
    assert found.total.output_tokens == 40
    assert [(line.offset, line.reason) for line in found.left_out] == [(broken, "malformed JSON")]
    assert [(file.lines_read, file.lines_left_out) for file in found.files] == [(5, 1)]
    day = first.requested_at.date()
    of_day = await audit(database, settings, day=day)
    assert [row.request_key for row in of_day.requests] == ["claude-code:m1"]
    assert msgspec.json.encode(of_day)


def git(folder: Path, *words: str, at: int = 0) -> None:
    time = f"2026-11-20T08:{at // 60:02}:{at % 60:02}+00:00"
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@x", "GIT_AUTHOR_DATE": time}
    who |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@x", "GIT_COMMITTER_DATE": time}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **who}
    subprocess.run(["git", "-C", str(folder), *words], env=environment, check=True)


async def test_commits_of_a_sessions_time_on_its_branch_are_its_own(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    git(shop, "init", "-q", "-b", "main")
    for at in (50, 130, 150, 250):
        git(shop, "commit", "-q", "--allow-empty", "-m", f"at {at}", at=at)
    git(shop, "checkout", "-q", "-b", "fix")
    git(shop, "commit", "-q", "--allow-empty", "-m", "elsewhere", at=160)
    for number, begin in ((1, 100), (2, 140)):
        one = transcript(tmp_path / "claude", session_name(number))
        one.cwd = str(shop)
        one.asks(begin, f"m{number}").says(begin + 60)
    await import_from(database, settings, [tmp_path / "claude"])
    await import_from(database, settings, [tmp_path / "claude"])
    ids = {imported_session_id("claude-code", session_name(n)): n for n in (1, 2)}
    commits = await rows_of(database, "harness_commits")
    assert {(row["message"], ids[row["session_id"]]) for row in commits} == {
        ("at 130", 1),
        ("at 150", 2),
    }
    sessions = await rows_of(database, "harness_sessions")
    assert {ids[row["id"]]: row["commits_made"] for row in sessions} == {1: 1, 2: 1}


async def test_a_commit_that_acds_own_session_turns_out_to_have_made_is_recounted(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    git(shop, "init", "-q", "-b", "main")
    for at in (110, 120):
        git(shop, "commit", "-q", "--allow-empty", "-m", f"at {at}", at=at)
    one = transcript(tmp_path / "claude")
    one.cwd = str(shop)
    one.asks(100, "m1").says(160)
    await import_from(database, settings, [tmp_path / "claude"])
    (imported,) = await rows_of(database, "harness_sessions")
    assert imported["commits_made"] == 2
    (target,) = await rows_of(database, "targets")
    folder = session_of(settings, 1, repo_id=target["repo_id"])
    (commit,) = await Repository(shop).commits("HEAD~1", "HEAD")
    folder.journal.append(CommitSeen(at=AT, commit=commit))
    end(folder)
    source = open_source(folder.path, database, PRICES)
    assert source is not None
    await source.catch_up()
    counts = {row["id"]: row["commits_made"] for row in await rows_of(database, "harness_sessions")}
    assert counts == {imported["id"]: 1, UUID(folder.path.name): 1}


async def test_the_branch_is_that_of_most_requests_not_of_most_lines(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    one = transcript(tmp_path)
    one.branch = "talkative"
    for at in range(6):
        one.asks(at, "m1", output=at)
        await import_from(database, settings, [tmp_path])
    one.branch = "busy"
    one.asks(10, "m2").asks(11, "m3")
    await import_from(database, settings, [tmp_path])
    (session,) = await rows_of(database, "harness_sessions")
    assert session["branch"] == "busy"


async def test_codex_tells_its_branch_before_its_first_request(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Whoever watches reads the head of the file alone."""
    rollout = shutil.copy(next((DATA / "codex").glob("*.jsonl")), tmp_path)
    first, *rest = Path(rollout).read_bytes().splitlines(keepends=True)
    head = json.loads(first)
    head["payload"]["git"] = {"branch": "fix"}
    Path(rollout).write_bytes(json.dumps(head).encode() + b"\n")
    roots = [(load_history("codex"), [tmp_path])]
    await Importer(database, settings, PRICES).run(roots)
    with Path(rollout).open("ab") as file:
        file.write(b"".join(rest))
    await Importer(database, settings, PRICES).run(roots)
    (session,) = await rows_of(database, "harness_sessions")
    assert (session["branch"], session["request_count"]) == ("fix", 3)


@pytest.mark.parametrize("smaller", [True, False])
@pytest.mark.parametrize("together", [True, False])
async def test_a_fork_reports_nothing_of_its_parent_twice(
    database: Database, settings: Settings, tmp_path: Path, smaller: bool, together: bool
) -> None:
    """It copies lines with their times, and its report is of the parent's subagents, too. Whose id is smaller is chance."""
    ids = {n: imported_session_id("claude-code", session_name(n)) for n in range(8, 40)}
    fork = next(n for n in range(9, 40) if (ids[n] < ids[8]) is smaller)
    parent = Transcript(
        claude(tmp_path / "a") / "shop" / f"{session_name(8)}.jsonl", session_name(8)
    )
    copy = Transcript(
        claude(tmp_path / "b") / "shop" / f"{session_name(fork)}.jsonl", session_name(fork)
    )
    for transcript in (parent, copy):
        transcript.says(0).asks(1, "m1")
    beside = parent.path.with_suffix("") / "subagents" / "agent-1.jsonl"
    subagent = Transcript(beside, session_name(8))
    subagent.subagent = "1"
    subagent.asks(2, "m2", output=70)
    spent = {
        "inputTokens": 200,
        "outputTokens": 80,
        "cacheReadInputTokens": 2000,
        "cacheCreationInputTokens": 100,
    }
    for transcript in (parent, copy):
        transcript.line("cost-state", 3, modelUsage={OPUS: spent})
    folders = [tmp_path / "b", tmp_path / "a"]
    for some in [folders] if together else [folders[:1], folders[1:]]:
        await import_from(database, settings, some)
    asked = "SELECT sum(input_tokens)::bigint AS input, sum(output_tokens)::bigint AS output FROM token_usage_details"
    (row,) = await select(database, asked)
    assert row == {"input": 200, "output": 80}


async def test_folders_that_nobody_may_look_into_stop_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """As root everything may be entered; a name that is too long raises the same."""
    for number, cwd in enumerate(
        ["/srv/" + "x" * 300, "/srv/" + "x" * 300 + "/.claude/worktrees/a"], 1
    ):
        one = Transcript(
            claude(tmp_path) / "p" / f"{session_name(number)}.jsonl", session_name(number), cwd=cwd
        )
        one.says(0).asks(1, f"m{number}")
    done = await import_from(database, settings, [tmp_path])
    assert done.requests == 2
    assert (await import_from(database, settings, [tmp_path])).changed == 0


async def test_a_timeline_outlives_its_file_and_a_copy_adds_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    one = transcript(tmp_path / "a").says(0).asks(1, "m1", tool="Bash")
    copy = claude(tmp_path / "b") / "-srv-shop" / one.path.name
    copy.parent.mkdir(parents=True)
    copy.write_bytes(one.path.read_bytes())
    for folder in ("a", "b"):
        await import_from(database, settings, [tmp_path / folder])
    session = imported_session_id("claude-code", NAME)
    count = "SELECT count(*) AS n FROM session_events"
    assert await build_timeline(database, settings.host_name, session)
    (told,) = await select(database, count)
    assert told["n"] == 3  # the session's beginning, the prompt, the tool
    one.asks(2, "m2")
    await import_from(database, settings, [tmp_path / "a"])
    one.path.unlink()
    copy.unlink()
    assert not await build_timeline(database, settings.host_name, session)
    assert await select(database, count) == [told]


async def test_how_an_account_is_billed_is_what_was_set(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    transcript(tmp_path).says(0).asks(1, "m1")
    await import_from(
        database, msgspec.structs.replace(settings, billing="subscription"), [tmp_path]
    )
    assert await select(database, "SELECT billing FROM harness_sessions") == [
        {"billing": "subscription"}
    ]
