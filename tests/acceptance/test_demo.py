"""`acd demo --json` in an empty home on the embedded PostgreSQL, twice: what it promises, and the figures to the last digit."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from tests.acceptance import figures
from tests.acceptance.performance import Stage
from tests.acceptance.program import Program
from tests.house.pages import ROOT, blocks_of

pytestmark = pytest.mark.timeout(400)  # whoever comes first performs the demo, the others wait

TARGETS = {"demo-notes": 3, "demo-weather": 2, "demo-tetris": 2}
"""Targets of the demo and how many features each has."""


def test_both_performances_end_well(demo: Stage) -> None:
    for ended in (demo.performance.first, demo.performance.second):
        shown = ended.figures
        assert {row["target"]["repoId"] for row in shown["targets"]} == set(TARGETS)
        assert {row["status"] for row in shown["targets"]} == {"complete"}
        assert shown["featuresCompleted"] == sum(TARGETS.values())
        assert "Traceback" not in ended.err


def test_every_table_is_filled(demo: Stage) -> None:
    figures.assert_every_table_is_filled(demo)


def test_sums_agree_four_ways(demo: Stage) -> None:
    figures.assert_sums_agree_four_ways(demo)


def test_rows_equal_the_agents_own_ledgers(demo: Stage) -> None:
    figures.assert_equal_to_the_agents_ledgers(demo)


def test_the_printed_figures_equal_the_database(demo: Stage) -> None:
    first, second = demo.performance.first, demo.performance.second
    figures.assert_figures_equal_the_database(demo, first, until=second.figures["since"])
    figures.assert_figures_equal_the_database(demo, second)


def test_the_documented_queries_show_it(demo: Stage) -> None:
    ways, per_feature, failed, subagents = (
        demo.rows(block.text)
        for block in blocks_of(ROOT / "docs" / "database.md")
        if block.language == "sql"
    )
    own = demo.performance.agents_own.sum
    total = own.tokens.prompt_tokens + own.tokens.output_tokens
    assert {row["way"] for row in ways} == {"sessions", "ledger", "models", "days"}
    assert {(row["tokens"], row["cost"]) for row in ways} == {(total, own.cost_usd)}
    assert {row["repo_id"]: row["features"] for row in per_feature} == {
        name: 2 * features for name, features in TARGETS.items()
    }
    assert {row["error_type"] for row in failed} == {"server", "usage_limit"}
    assert [row["model"] for row in subagents] == ["claude-haiku-5-5"]


def test_a_failed_session_was_tried_again(demo: Stage) -> None:
    rows = [row for row in demo.sessions("demo-weather") if row["session_type"] == "coding"]
    assert [(row["status"], row["error_type"]) for row in rows] == [
        ("failed", "server"),
        ("completed", None),
    ] * 2
    assert [row["features_completed"] for row in rows] == [0, 2] * 2


def test_a_limit_was_waited_for(demo: Stage) -> None:
    limited, after = demo.sessions("demo-tetris")[:2]
    assert (limited["status"], limited["error_type"]) == ("failed", "usage_limit")
    assert after["status"] == "completed"
    errors = demo.rows("SELECT * FROM harness_errors WHERE error_type = 'usage_limit'")
    (error,) = [row for row in errors if row["session_id"] == limited["id"]]
    resets_at = datetime.fromisoformat(error["context"]["resets_at"])
    assert limited["finished_at"] < resets_at <= after["started_at"]
    between = demo.rows("SELECT started_at FROM harness_sessions")
    assert not [r for r in between if limited["finished_at"] < r["started_at"] < resets_at]


def test_an_initializer_wrote_a_list(demo: Stage) -> None:
    rows = demo.rows("SELECT * FROM harness_sessions WHERE session_type = 'initializer'")
    assert [row["status"] for row in rows] == ["completed"] * 2
    assert {row["id"] for row in rows} <= {row["id"] for row in demo.sessions("demo-weather")}
    assert {(row["features_before"], row["features_after"]) for row in rows} == {(0, 0)}
    features = demo.rows(
        "SELECT f.* FROM target_features f JOIN targets t ON t.id = f.target_id "
        "WHERE t.repo_id = 'demo-weather' AND f.removed_at IS NULL"
    )
    assert [(row["passes"], row["verified_at"]) for row in features] == [(True, None)] * 2


def test_three_sessions_for_three_features_and_numbers_that_go_on(demo: Stage) -> None:
    rows = demo.sessions("demo-notes")
    assert [row["session_number"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["features_completed"] for row in rows] == [1] * 6
    assert [row["commits_made"] for row in rows] == [1] * 6
    for repo_id in TARGETS:
        numbers = [row["session_number"] for row in demo.sessions(repo_id)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_models_by_complexity_and_a_subagent_on_a_cheaper_one(demo: Stage) -> None:
    rows = demo.rows(
        "SELECT DISTINCT t.repo_id, s.model FROM targets t JOIN harness_sessions s ON s.target_id = t.id"
    )
    assert {row["repo_id"]: row["model"] for row in rows} == {
        "demo-notes": "opus",
        "demo-weather": "sonnet",
        "demo-tetris": "haiku",
    }
    rows = demo.rows(
        "SELECT DISTINCT s.model AS session, u.model FROM token_usage_details u JOIN harness_sessions s "
        "ON s.target_id = u.target_id AND s.id = u.session_id WHERE u.subagent IS NOT NULL"
    )
    assert rows == [{"session": "opus", "model": "claude-haiku-5-5"}]


def test_recorded_commits_are_those_of_git(demo: Stage) -> None:
    repositories = [
        found.parent for found in Path(demo.performance.folder).glob("acd/demo/*/*/.git")
    ]
    assert len(repositories) == 2 * len(TARGETS)
    in_git = [line for repository in repositories for line in _log(repository)]
    rows = demo.rows("SELECT sha, message, files_changed FROM harness_commits")
    assert {(row["sha"], row["message"]) for row in rows} == set(in_git)
    assert len(rows) == len(in_git)
    assert all(row["files_changed"] > 0 for row in rows)


def _log(repository: Path) -> list[tuple[str, str]]:
    """Commits but the first, which the demo itself made."""
    words = ["git", "-C", str(repository), "log", "--format=%H %s"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert lines[-1][1] == "Begin"
    return [(sha, subject) for sha, subject in lines[:-1]]


def test_others_can_read_while_it_works(demo: Stage) -> None:
    seen = demo.performance.meanwhile
    assert seen is not None
    assert seen.still_working
    assert seen.servers[0] is not None
    assert seen.servers[0] == seen.servers[1]
    status = seen.status.figures
    assert {row["repoId"] for row in status["targets"]} == set(TARGETS)
    assert status["summary"]["totalSessions"] > 0
    sessions = seen.sessions.figures
    assert {row["target"]["repoId"] for row in sessions} <= set(TARGETS)
    known = {str(row["id"]) for row in demo.rows("SELECT id FROM harness_sessions")}
    assert {row["id"] for row in sessions} <= known
    assert sessions


def test_progress_goes_to_stderr_while_it_works(demo: Stage) -> None:
    told = demo.performance.first.err
    for words in ("demo-notes #3 starts", "demo-tetris waits until", "demo-weather is over"):
        assert words in told
    assert demo.performance.first.out.count("\n") == len(demo.performance.first.out.splitlines())


def test_the_log_has_the_missions_two_lines_for_each_session(demo: Stage) -> None:
    said = demo.performance.second.err
    since = datetime.fromisoformat(demo.performance.second.figures["since"])
    rows = demo.rows("SELECT * FROM harness_sessions ORDER BY id")
    mine = [row for row in rows if row["started_at"] >= since]
    started = re.findall(r"DB session started: (\S+)", said)
    assert sorted(started) == [str(row["id"]) for row in mine]
    completed = re.findall(r"DB session ended: (-?\d+) features? completed", said)
    assert sorted(map(int, completed)) == sorted(row["features_completed"] or 0 for row in mine)


def test_no_process_is_left(demo: Stage) -> None:
    assert demo.performance.left == [[], []]


def test_an_unreachable_database_is_an_error_and_never_a_change_of_databases(
    tmp_path: Path,
) -> None:
    program = Program(
        tmp_path, DATABASE_URL="postgresql://acd_user:hunter2hunter2@127.0.0.1:1/acd_database"
    )
    done = program.call("demo", "--json")
    assert done.returncode == 3
    assert done.stdout == ""
    assert "the database is away" in done.stderr
    assert "127.0.0.1" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not program.embedded.places.base.exists()
    assert program.left_behind() == []


@pytest.mark.parametrize("word", ["status", "sessions", "usage", "errors"])
def test_reading_commands_show_it_afterwards(demo: Stage, word: str) -> None:
    done = demo.performance.program.call(word, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
