"""What must be true of the figures after performances of the demo, on whichever PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from acd.testing.ledger import Sum
from tests.acceptance.performance import Ended, Stage

TABLES = (
    "targets",
    "harness_sessions",
    "progress_snapshots",
    "model_usage",
    "target_features",
    "harness_errors",
    "harness_commits",
    "token_usage_details",
)
KINDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_SUMS = ", ".join(f"coalesce(sum({kind}), 0)::bigint AS {kind}" for kind in KINDS)
_ALL = " + ".join(KINDS)


def assert_every_table_is_filled(stage: Stage) -> None:
    counts = {table: stage.row(f"SELECT count(*) AS n FROM {table}")["n"] for table in TABLES}
    assert [table for table, count in counts.items() if not count] == []


def assert_sums_agree_four_ways(stage: Stage) -> None:
    """To the token and to the last stored digit, and with what the agents wrote down themselves."""
    by_kind = f"{_SUMS}, sum(cost_usd) AS cost"
    ways = [
        stage.row(f"SELECT {by_kind} FROM {table}")
        for table in ("harness_sessions", "token_usage_details", "model_usage")
    ]
    own = of_sum(stage.performance.agents_own.sum)
    assert own["cost"] > 0
    assert ways == [own] * 3
    days = stage.row(
        "SELECT sum(tokens_today)::bigint AS tokens, sum(cost_today) AS cost FROM progress_snapshots"
    )
    assert days == {"tokens": sum(own[kind] for kind in KINDS), "cost": own["cost"]}


def assert_equal_to_the_agents_ledgers(stage: Stage) -> None:
    """Session by session, model by model, request by request, commit by commit."""
    own = stage.performance.agents_own
    rows = stage.rows(f"SELECT id, {', '.join(KINDS)}, cost_usd AS cost FROM harness_sessions")
    assert {str(row.pop("id")): row for row in rows} == {
        session_id: of_sum(session.sum) for session_id, session in own.sessions.items()
    }
    models = stage.rows(
        f"SELECT model, {_SUMS}, sum(cost_usd) AS cost FROM model_usage GROUP BY model"
    )
    assert {row.pop("model"): row for row in models} == {
        model: of_sum(one) for model, one in own.models.items()
    }
    requests = stage.rows("SELECT request_key, session_id, subagent FROM token_usage_details")
    assert Counter((str(row["session_id"]), row["request_key"]) for row in requests) == Counter(
        (session_id, f"scripted:{message_id}")
        for session_id, session in own.sessions.items()
        for message_id in session.message_ids
    )
    by_subagents = Counter(row["subagent"] for row in requests if row["subagent"])
    assert by_subagents.total() > 0
    assert by_subagents == sum(
        (
            Counter({kind: one.requests for kind, one in session.subagents.items()})
            for session in own.sessions.values()
        ),
        Counter[str](),
    )
    commits = stage.rows("SELECT sha FROM harness_commits")
    assert sorted(row["sha"] for row in commits) == sorted(own.commits)


def of_sum(one: Sum) -> dict[str, Any]:
    tokens = {kind: getattr(one.tokens, kind) for kind in KINDS}
    return {**tokens, "cost": one.cost_usd}


def assert_figures_equal_the_database(stage: Stage, demo: Ended, until: str = "infinity") -> None:
    """What `acd demo --json` printed: the sessions since its beginning, up to the next performance's."""
    shown = demo.figures
    chosen = f"s.started_at >= '{shown['since']}' AND s.started_at < '{until}'"
    totals = stage.row(
        f"SELECT count(*) AS sessions, count(*) FILTER (WHERE status = 'failed') AS failed, "
        f"sum(features_completed)::bigint AS features, sum({_ALL})::bigint AS tokens, sum(cost_usd) AS cost "
        f"FROM harness_sessions s WHERE {chosen}"
    )
    assert totals == {
        "sessions": shown["sessions"],
        "failed": shown["failedSessions"],
        "features": shown["featuresCompleted"],
        "tokens": shown["tokens"],
        "cost": shown["costUsd"],
    }
    assert sum((row["costUsd"] for row in shown["targets"]), Decimal(0)) == shown["costUsd"]
    assert sum((row["costUsd"] for row in shown["models"]), Decimal(0)) == shown["costUsd"]
    _assert_targets(stage, shown["targets"], chosen)
    _assert_models(stage, shown["models"], chosen)
    errors = stage.rows(
        "SELECT e.error_type, count(*) AS n FROM harness_errors e JOIN harness_sessions s "
        f"ON s.target_id = e.target_id AND s.id = e.session_id WHERE {chosen} GROUP BY 1"
    )
    assert {row["error_type"]: row["n"] for row in errors} == {
        row["errorType"]: row["errors"] for row in shown["errors"]
    }


def _assert_targets(stage: Stage, shown: list[dict[str, Any]], chosen: str) -> None:
    rows = stage.rows(
        "SELECT t.repo_id, t.status, count(*) AS sessions, sum(features_completed)::bigint AS features, "
        f"sum(commits_made)::bigint AS commits, sum({_ALL})::bigint AS tokens, sum(cost_usd) AS cost "
        f"FROM harness_sessions s JOIN targets t ON t.id = s.target_id WHERE {chosen} GROUP BY 1, 2"
    )
    assert {row["repo_id"]: row for row in rows} == {
        row["target"]["repoId"]: {
            "repo_id": row["target"]["repoId"],
            "status": row["status"],
            "sessions": row["sessions"],
            "features": row["featuresCompleted"],
            "commits": row["commits"],
            "tokens": row["tokens"],
            "cost": row["costUsd"],
        }
        for row in shown
    }
    for row in shown:  # the digits of a quotient end somewhere
        product = row["costPerFeature"] * row["featuresCompleted"]
        assert abs(product - row["costUsd"]) < Decimal("1e-15")


def _assert_models(stage: Stage, shown: list[dict[str, Any]], chosen: str) -> None:
    rows = stage.rows(
        "SELECT u.model, count(*) AS requests, sum(u.cost_usd) AS cost, "
        + ", ".join(f"sum(u.{kind})::bigint AS {kind}" for kind in KINDS)
        + " FROM token_usage_details u JOIN harness_sessions s ON s.target_id = u.target_id "
        f"AND s.id = u.session_id WHERE {chosen} GROUP BY 1"
    )
    names: Mapping[str, str] = {kind: _camel(kind) for kind in KINDS}
    assert {row["model"]: row for row in rows} == {
        row["model"]: {
            "model": row["model"],
            "requests": row["requests"],
            "cost": row["costUsd"],
            **{kind: row[name] for kind, name in names.items()},
        }
        for row in shown
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
