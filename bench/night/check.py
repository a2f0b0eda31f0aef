"""The morning after: what acd recorded, held against what the agents wrote down themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import psutil
import psycopg
from psycopg.rows import dict_row

from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.reports import period
from acd.testing.ledger import LedgerTotals, SessionTotals
from bench.night.plans import Planned
from bench.night.world import BUDGET_USD, ONE_REQUEST_USD, SESSION_USD, TARGET_USD

_TARGETS = """
SELECT t.repo_id, t.status, t.status_reason, t.total_features, t.passing_features,
       (SELECT count(*) FROM target_features f
        WHERE f.target_id = t.id AND f.status = 'passing' AND f.verified_at IS NOT NULL) AS verified_features,
       (SELECT p.verified_features FROM progress_snapshots p
        WHERE p.target_id = t.id ORDER BY p.snapshot_date DESC LIMIT 1) AS verified_told,
       count(s.id) AS sessions, count(s.id) FILTER (WHERE s.status = 'failed') AS failed,
       coalesce(sum(s.cost_usd), 0) AS cost_usd
FROM targets t LEFT JOIN harness_sessions s ON s.target_id = t.id
GROUP BY t.id ORDER BY t.repo_id
"""
_SESSIONS = """
SELECT s.id::text, t.repo_id, s.session_number, s.status, s.error_type, s.input_tokens, s.output_tokens,
       s.cache_read_tokens, s.cache_write_tokens, s.cost_usd, s.request_count
FROM harness_sessions s JOIN targets t ON t.id = s.target_id
"""
_MODELS = """
SELECT model, sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens)::bigint AS tokens,
       sum(cost_usd) AS cost_usd
FROM token_usage_details GROUP BY model
"""
_COMMITS = "SELECT sha FROM harness_commits"


class Morning(msgspec.Struct):
    """What was found. `wrong` says each thing that is not as it has to be; empty after a good night."""

    targets: list[dict[str, Any]]
    sessions: int
    recorded_usd: Decimal
    counted_usd: Decimal
    wrong: list[str]


async def look(folder: Path, url: str, night: Sequence[Planned], own: LedgerTotals) -> Morning:
    """Compare everything. `own` is what the agents wrote down."""
    with psycopg.connect(url, row_factory=dict_row) as database:
        targets = database.execute(_TARGETS).fetchall()
        sessions = database.execute(_SESSIONS).fetchall()
        models = {row["model"]: row for row in database.execute(_MODELS).fetchall()}
        commits = {row["sha"] for row in database.execute(_COMMITS).fetchall()}
    report = await _report(folder, url)
    by_name = {row["repo_id"]: row for row in targets}
    wrong = [
        *_wrong_ends(night, by_name),
        *_not_verified(targets),
        *_wrong_sessions(sessions, own.sessions),
        *_wrong_sums(report, own, models),
        *_left_behind(folder, own),
    ]
    if lost := set(own.commits) - commits:
        wrong.append(f"{len(lost)} commits of agents are not recorded: {sorted(lost)[:3]}")
    recorded = sum((row["cost_usd"] for row in sessions), Decimal(0))
    wrong += _over_budget(recorded, targets, sessions)
    return Morning(targets, len(sessions), recorded, own.sum.cost_usd, wrong)


async def _report(folder: Path, url: str) -> dict[str, Any]:
    settings = Settings(home=folder / "reader", database_url=url)
    async with open_database(settings, application="night") as database:
        found = await period.since(database, datetime(2000, 1, 1, tzinfo=UTC))
    answer: dict[str, Any] = json.loads(found, parse_float=Decimal)
    return answer


def _wrong_ends(
    night: Sequence[Planned], targets: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Every target complete, or blocked for the true reason."""
    for planned in night:
        row = targets.get(planned.name)
        if row is None:
            yield f"{planned.name} is not in the table"
            continue
        told = f"{planned.name} ({planned.habit}) is {row['status']}: {row['status_reason']}"
        if planned.reason is None:
            if (row["status"], row["passing_features"]) != ("complete", row["total_features"]):
                yield told
        elif row["status"] != "blocked" or planned.reason not in str(row["status_reason"]):
            yield f"{told}; expected: blocked, {planned.reason}…"


def _not_verified(targets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each feature of the night has a check of its own: whatever passes was seen to pass, and the day's figures say so."""
    for row in targets:
        found = (row["verified_features"], row["verified_told"] or 0)
        if found != (row["passing_features"], row["passing_features"]):
            yield (
                f"{row['repo_id']}: {row['passing_features']} features pass, {found[0]} of them are verified, "
                f"the day's figures say {found[1]}"
            )


def _wrong_sessions(
    rows: Sequence[Mapping[str, Any]], own: Mapping[str, SessionTotals]
) -> Iterator[str]:
    """Every session of every agent is one row that has ended, with what the agent itself counted."""
    known = {row["id"]: row for row in rows}
    for session_id in own.keys() - known.keys():
        yield f"session {session_id} of an agent is not recorded"
    numbers = {(row["repo_id"], row["session_number"]) for row in rows}
    if len(numbers) < len(rows):
        yield f"{len(rows) - len(numbers)} session numbers stand twice"
    for session_id, row in known.items():
        where = f"session {row['session_number']} of {row['repo_id']}"
        if row["status"] == "running":
            yield f"{where} has not ended"
        counted = own.get(session_id, SessionTotals())
        if _figures(row) != _counted(counted) and not _in_doubt(row, counted):
            yield f"{where}: recorded {_figures(row)}, the agent counted {_counted(counted)}"


def _over_budget(
    recorded: Decimal,
    targets: Sequence[Mapping[str, Any]],
    sessions: Sequence[Mapping[str, Any]],
) -> Iterator[str]:
    """A budget may be exceeded by the request that uses it up, and by no other."""
    if recorded > BUDGET_USD + ONE_REQUEST_USD:
        yield f"{recorded} USD were spent, the budget is {BUDGET_USD}"
    for row in targets:
        if row["cost_usd"] > TARGET_USD + ONE_REQUEST_USD:
            yield f"{row['repo_id']} cost {row['cost_usd']} USD, its budget is {TARGET_USD}"
    for row in sessions:
        if row["cost_usd"] > SESSION_USD + ONE_REQUEST_USD:
            where = f"session {row['session_number']} of {row['repo_id']}"
            yield f"{where} cost {row['cost_usd']} USD, its budget is {SESSION_USD}"


def _figures(row: Mapping[str, Any]) -> tuple[object, ...]:
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd")
    return tuple(row[name] for name in names)


def _counted(session: SessionTotals) -> tuple[object, ...]:
    tokens = session.sum.tokens
    return (
        tokens.input_tokens,
        tokens.output_tokens,
        tokens.cache_read_tokens,
        tokens.cache_write_tokens,
        session.sum.cost_usd,
    )


def _in_doubt(row: Mapping[str, Any], counted: SessionTotals) -> bool:
    """An agent that was killed while it printed a request may have told less than it counted, never more."""
    return bool(counted.unprinted) and bool(row["cost_usd"] <= counted.sum.cost_usd)


def _wrong_sums(
    report: Mapping[str, Any], own: LedgerTotals, models: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """The report's figures are those of the agents, in all and by model."""
    doubts = any(session.unprinted for session in own.sessions.values())
    spent = {model: (_tokens(each.tokens), each.cost_usd) for model, each in own.models.items()}
    told = {row["model"]: (int(row["tokens"]), Decimal(row["costUsd"])) for row in report["models"]}
    rows = {model: (int(row["tokens"]), row["cost_usd"]) for model, row in models.items()}
    if told != rows:
        yield f"the report says {told}, the ledger's rows add up to {rows}"
    if told != spent and not doubts:
        yield f"the report says {told}, the agents counted {spent}"
    total = sum((cost for _, cost in told.values()), Decimal(0))
    if Decimal(report["costUsd"]) != total:
        yield f"the report's total is {report['costUsd']}, its models add up to {total}"


def _tokens(tokens: Any) -> int:  # noqa: ANN401 - the agent's own kind of tokens
    return int(
        tokens.input_tokens
        + tokens.output_tokens
        + tokens.cache_read_tokens
        + tokens.cache_write_tokens
    )


def _left_behind(folder: Path, own: LedgerTotals) -> Iterator[str]:
    """No process of a session is left, those included that an agent tried to leave."""
    left = {pid for session in own.sessions.values() for pid in session.left_behind}
    pattern = re.compile(re.escape(str(folder)))
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            agent = "scripted_agent" in words and pattern.search(words)
            if agent or (process.pid in left and "sleep" in words):
                yield f"process {process.pid} is left: {words[:100]}"
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
