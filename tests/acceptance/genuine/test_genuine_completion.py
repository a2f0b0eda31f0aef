"""Claude Code, started by `acd run`, works a target from nothing to completion; every figure is the endpoint's own."""

from __future__ import annotations

import json

import msgspec
import pytest

from acd.cli.figures import tokens
from acd.database.connection import Database
from acd.files.locks import is_held
from acd.testing.brain import FEATURES
from acd.testing.endpoint import Endpoint, Refusal, Reply, Request
from tests.acceptance.genuine.books import (
    assert_books_agree,
    assert_one_after_another,
    by_session,
    total_tokens,
)
from tests.acceptance.genuine.scripts import HAIKU, SONNET, Move, cheap_scouts
from tests.acceptance.genuine.stage import Stage

pytestmark = pytest.mark.extra

EIGHT_TABLES = (
    "targets",
    "harness_sessions",
    "token_usage_details",
    "model_usage",
    "progress_snapshots",
    "target_features",
    "harness_errors",
    "harness_commits",
)


class OverloadedOnce:
    """Two models, and one request of the second session that has to be tried again."""

    def __init__(self) -> None:
        self.sessions: list[str] = []

    def __call__(self, request: Request) -> Move:
        """The next move."""
        if request.session_id not in self.sessions:
            self.sessions.append(request.session_id)
        move = cheap_scouts(request)
        if isinstance(move, Reply) and len(self.sessions) == 2 and request.turn == 3:
            return msgspec.structs.replace(move, refusals=[Refusal(status=529, times=1)])
        return move


async def test_a_target_is_worked_from_nothing_to_completion(
    stage: Stage, database: Database
) -> None:
    repo = stage.repository("shop", None)
    stage.write_queue({"id": "shop", "name": "Shop"})
    async with Endpoint({"*": OverloadedOnce()}) as endpoint:
        ran = await stage.run(endpoint)
    assert ran.status == 0, ran.said
    assert "Nothing is left to do: 4 sessions, features +3" in ran.said
    for served in by_session(endpoint.served).values():
        assert f", {tokens(total_tokens(served))} tokens, " in ran.said
    await assert_books_agree(stage, endpoint, database)
    assert_one_after_another(endpoint)
    assert set(by_session(endpoint.served)) == {str(row["id"]) for row in stage.sessions()}
    assert_sessions(stage)
    assert_two_models_and_a_retry(stage, endpoint)
    assert_work_is_recorded(stage, repo_log=stage.git(repo, "log", "--reverse", "--format=%H %s"))
    listed = json.loads((repo / "feature_list.json").read_text())
    assert_features_equal(stage, listed)
    assert stage.git(repo, "status", "--porcelain") == ""
    assert not is_held(repo / ".git")
    for table in EIGHT_TABLES:
        assert stage.rows(f"SELECT 1 FROM {table}"), f"{table} is empty"


def assert_sessions(stage: Stage) -> None:
    rows = stage.sessions()
    types = ["initializer", "coding", "coding", "coding"]
    assert [(r["session_number"], r["session_type"]) for r in rows] == list(enumerate(types, 1))
    assert {(r["status"], r["exit_code"], r["error_type"]) for r in rows} == {
        ("completed", 0, None)
    }
    assert {(r["agent"], r["model"], r["model_used"]) for r in rows} == {
        ("claude-code", "sonnet", SONNET)
    }
    assert [r["agent_session_id"] for r in rows] == [str(r["id"]) for r in rows]
    assert [r["features_completed"] for r in rows] == [0, 1, 1, 1]
    assert [r["commits_made"] for r in rows] == [1, 1, 1, 1]
    assert [r["turn_count"] for r in rows] == [4, 7, 7, 7]
    assert [r["retry_count"] for r in rows] == [0, 1, 0, 0]
    target = stage.target()
    assert (target["status"], target["total_features"], target["passing_features"]) == (
        "complete",
        3,
        3,
    )


def assert_two_models_and_a_retry(stage: Stage, endpoint: Endpoint) -> None:
    query = "SELECT DISTINCT model, subagent FROM token_usage_details ORDER BY model"
    assert stage.rows(query) == [
        {"model": HAIKU, "subagent": "general-purpose"},
        {"model": SONNET, "subagent": None},
    ]
    assert endpoint.totals().refused == 1
    (error,) = stage.errors()
    assert (error["error_type"], error["error_code"]) == ("overloaded", "529")
    assert error["resolved"]
    assert error["session_id"] == stage.sessions()[1]["id"]


def assert_work_is_recorded(stage: Stage, repo_log: str) -> None:
    commits = stage.rows(
        "SELECT c.sha, c.message, c.author, c.files_changed, s.session_number FROM harness_commits c "
        "JOIN harness_sessions s ON (s.target_id, s.id) = (c.target_id, c.session_id) "
        "ORDER BY s.session_number"
    )
    assert [f"{c['sha']} {c['message'].strip()}" for c in commits] == repo_log.splitlines()
    assert [c["session_number"] for c in commits] == [1, 2, 3, 4]
    assert [c["files_changed"] for c in commits] == [1, 2, 2, 2]
    assert {c["author"] for c in commits} == {"acd <acd@localhost>"}  # the home has no identity


def assert_features_equal(stage: Stage, listed: list[dict[str, object]]) -> None:
    assert [entry["passes"] for entry in listed] == [True] * len(FEATURES)
    rows = stage.rows("SELECT * FROM target_features ORDER BY position")
    shown = [
        {"id": r["feature_key"], "name": r["name"], "description": r["description"]} for r in rows
    ]
    assert [each | {"passes": True} for each in shown] == listed
    sessions = [row["id"] for row in stage.sessions()]
    assert [r["session_id"] for r in rows] == sessions[1:]
    assert {(r["status"], r["passes"], r["verified_at"]) for r in rows} == {("passing", True, None)}
