"""The mission's examples, word for word, after the demo: its curl lines on port 3434, its SQL, its list of fields."""

from __future__ import annotations

import csv
import io
import re
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from acd.database.locks import FileLock
from acd.server import port_holder
from tests.acceptance import mission
from tests.acceptance.figures import KINDS
from tests.acceptance.performance import Performance, Stage, exact
from tests.acceptance.program import Program, wait_for
from tests.acceptance.serving import served_by

pytestmark = pytest.mark.timeout(400)
PORT = 3434
SUMMARY, SESSIONS, MODEL_USAGE, SNAPSHOTS = mission.curl_lines()

Answers = Mapping[str, Any]
"""What each of the mission's curl lines answers: `data` of JSON with exact numbers."""


@contextmanager
def served(performance: Performance, port: int) -> Iterator[str]:
    """`acd serve` in the demo's home, with the last demo's queue file; the address it tells."""
    folder = Path(performance.folder)
    queue = folder / "acd" / "demo" / "2" / "repo-queue.json"
    with served_by(Program(folder, BACKEND_PORT=str(port), ACD_QUEUE_FILE=str(queue))) as address:
        yield address


@pytest.fixture(scope="module")
def by_httpx(demo: Stage) -> Answers:
    """The lines' URLs on a port that is free, so that nothing but Python is needed."""
    with served(demo.performance, 0) as address:
        return {line: _get(address, line) for line in mission.curl_lines()}


def _get(address: str, line: str) -> Any:  # noqa: ANN401 - JSON
    found = re.search(r"http://localhost:3434(/[^\s\"]+)", line)
    assert found
    answer = httpx.get(address + found[1])
    assert answer.status_code == 200
    return exact(answer.text)["data"]


@pytest.fixture(scope="module")
def by_curl(demo: Stage, shared_folder: Path) -> Answers:
    """The lines themselves, by bash and curl, on the mission's own port."""
    missing = [name for name in ("bash", "curl") if shutil.which(name) is None]
    assert not missing, f"install {' and '.join(missing)}: the mission's examples run as they stand"
    with FileLock(shared_folder / "port-3434.lock").held(seconds=120) as got:
        assert got, f"other tests use port {PORT} for too long"
        wait_for(lambda: not _holder(), insist=False)
        assert not _holder(), (
            f"the mission's examples run on port {PORT}: it is taken by {_holder()}"
        )
        with served(demo.performance, PORT):
            return {line: _execute(line) for line in mission.curl_lines()}


def _execute(line: str) -> Any:  # noqa: ANN401 - JSON
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return exact(done.stdout)["data"]


def _holder() -> str | None:
    """Who listens on the mission's port."""
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", PORT)) == 0
    return port_holder(PORT) if taken else None


@pytest.fixture(params=["by_httpx", pytest.param("by_curl", marks=pytest.mark.extra)])
def answers(request: pytest.FixtureRequest) -> Answers:
    found: Answers = request.getfixturevalue(request.param)
    return found


def test_the_mission_has_what_is_tested_here() -> None:
    assert [len(mission.curl_lines()), len(mission.endpoints()), len(mission.session_fields())] == [
        4,
        8,
        20,
    ]


def test_summary(demo: Stage, answers: Answers) -> None:
    shown = answers[SUMMARY]
    targets = demo.row(
        "SELECT count(*) AS n, count(*) FILTER (WHERE enabled) AS enabled, "
        "count(*) FILTER (WHERE status = 'complete') AS complete, sum(total_features)::int AS features, "
        "sum(passing_features)::int AS passing FROM targets"
    )
    spent = demo.row(
        f"SELECT count(*) AS n, sum({' + '.join(KINDS)})::bigint AS tokens, sum(cost_usd) AS cost "
        "FROM harness_sessions"
    )
    wanted = {
        "totalTargets": targets["n"],
        "enabledTargets": targets["enabled"],
        "completeTargets": targets["complete"],
        "totalFeatures": targets["features"],
        "passingFeatures": targets["passing"],
        "pendingFeatures": 0,
        "overallPercent": 100,
        "totalSessions": spent["n"],
        "totalTokens": spent["tokens"],
        "totalCostUsd": spent["cost"],
    }
    assert {name: shown[name] for name in wanted} == wanted
    assert isinstance(shown["totalCostUsd"], Decimal)
    assert spent["cost"] == demo.performance.agents_own.sum.cost_usd


def test_sessions(demo: Stage, answers: Answers) -> None:
    shown = answers[SESSIONS]
    names = {name: _snake(name) for name in mission.session_fields()}
    rows = demo.rows(
        f"SELECT {', '.join(f's.{column}' for column in names.values())}, t.name AS target, t.repo_id "
        "FROM harness_sessions s JOIN targets t ON t.id = s.target_id "
        "ORDER BY s.started_at DESC, s.id DESC LIMIT 10"
    )
    assert len(rows) == 10
    for one, row in zip(shown, rows, strict=True):
        found = {column: _typed(one[name], row[column]) for name, column in names.items()}
        assert found == {column: row[column] for column in names.values()}
        assert one["target"] == {"name": row["target"], "repoId": row["repo_id"]}


def test_every_field_of_a_session_is_of_the_missions_type(answers: Answers) -> None:
    for session in answers[SESSIONS]:
        for name, kind in mission.session_fields().items():
            assert _fits(session[name], kind), f"{name} is {session[name]!r} and no {kind}"


def test_a_value_of_another_type_does_not_fit() -> None:
    assert not _fits("12", "number")
    assert not _fits("0.12", "Decimal")
    assert not _fits(None, "number")
    assert not _fits("2026-11-24T06:26:14", "DateTime")
    assert not _fits("gpt", "'haiku' | 'sonnet' | 'opus'")


def test_model_usage(demo: Stage, answers: Answers) -> None:
    shown = answers[MODEL_USAGE]
    own = demo.performance.agents_own
    assert shown["periodDays"] == 30
    assert set(shown["byModel"]) == set(own.models)
    for model, one in shown["byModel"].items():
        tokens, total = own.models[model].tokens, own.models[model]
        assert one["requests"] == total.requests
        assert one["cost"] == total.cost_usd
        assert (one["inputTokens"], one["outputTokens"]) == (
            tokens.input_tokens,
            tokens.output_tokens,
        )
        assert (one["cacheReadTokens"], one["cacheWriteTokens"]) == (
            tokens.cache_read_tokens,
            tokens.cache_write_tokens,
        )
        assert one["tokens"] == tokens.prompt_tokens + tokens.output_tokens
    assert shown["totalCost"] == own.sum.cost_usd
    assert shown["totalRequests"] == own.sum.requests
    assert sum(day["tokens"] for day in shown["byDay"]) == shown["totalTokens"]


def test_snapshots(demo: Stage, answers: Answers) -> None:
    rows = demo.rows(
        "SELECT p.*, t.repo_id FROM progress_snapshots p JOIN targets t ON t.id = p.target_id "
        "ORDER BY p.snapshot_date DESC, t.priority, t.repo_id"
    )
    shown = answers[SNAPSHOTS]
    assert [(one["snapshotDate"], one["target"]["repoId"]) for one in shown] == [
        (row["snapshot_date"].isoformat(), row["repo_id"]) for row in rows
    ]
    for one, row in zip(shown, rows, strict=True):
        assert (one["totalFeatures"], one["passingFeatures"]) == (
            row["total_features"],
            row["passing_features"],
        )
        assert (one["sessionsToday"], one["tokensToday"], one["costToday"]) == (
            row["sessions_today"],
            row["tokens_today"],
            row["cost_today"],
        )


def test_every_endpoint_of_the_mission_answers(demo: Stage) -> None:
    with served(demo.performance, 0) as address:
        for path, method in mission.endpoints():
            answer = httpx.request(method, address + path.replace(":repoId", "demo-notes"))
            assert answer.status_code == 200, f"{method} {path}: {answer.text}"
            assert set(answer.json()) - {"nextCursor"} == {"data"}
            if method == "POST":
                synced = answer.json()["data"]
                assert (synced["synced"], synced["warnings"]) == (True, [])
                assert (synced["summary"]["inFile"], synced["summary"]["changed"]) == (3, 0)


def test_sql_by_the_driver(demo: Stage) -> None:
    with psycopg.connect(demo.url) as connection:
        statements = mission.sql_examples().split(";")
        cost, days, features = (
            connection.execute(one.encode()).fetchall() for one in statements if one.strip()
        )
    own = demo.performance.agents_own
    by_name: Counter[str] = Counter()
    completed: Counter[str] = Counter()
    for session in own.sessions.values():
        assert session.begun
        by_name[session.begun.target.split("-")[0].title()] += session.sum.cost_usd  # type: ignore[assignment]
        claimed = [change for _, change in session.features if change == "claimed"]
        completed[session.begun.model.split("-")[1]] += len(claimed)
    assert cost == [tuple(one) for one in by_name.most_common()]
    assert sum(count for _, count in days) == len(own.sessions)
    assert [day for day, _ in days] == sorted((day for day, _ in days), reverse=True)
    assert dict(features) == dict(completed)


def test_sql_word_for_word_by_psql(demo: Stage) -> None:
    done = demo.performance.program.call("db", "psql", "--csv", stdin=mission.sql_examples())
    assert done.returncode == 0, done.stderr
    shown = list(csv.reader(io.StringIO(done.stdout)))
    with psycopg.connect(demo.url) as connection:
        wanted: list[list[str]] = []
        for statement in filter(str.strip, mission.sql_examples().split(";")):
            cursor = connection.execute(statement.encode())
            assert cursor.description
            wanted += [[column.name for column in cursor.description]]
            wanted += [[str(value) for value in row] for row in cursor]
    assert sorted(shown) == sorted(wanted)
    assert [row for row in shown if row[0] == "name"] == [["name", "total_cost"]]


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), name)


def _typed(value: Any, like: object) -> object:  # noqa: ANN401 - JSON
    """A value of the answer as the driver would give it."""
    match like:
        case UUID():
            return UUID(value)
        case datetime():
            return datetime.fromisoformat(value)
        case _:
            return value


def _fits(value: object, kind: str) -> bool:
    if " | " in kind:
        return any(_fits(value, one) for one in kind.split(" | "))
    match kind:
        case "null":
            return value is None
        case "number":
            return type(value) is int
        case "Decimal":
            return isinstance(value, Decimal | int) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "UUID":
            return isinstance(value, str) and str(UUID(value)) == value
        case "DateTime":
            return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
        case _:
            return kind == f"'{value}'"
