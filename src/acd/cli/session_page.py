"""How one session looks in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from acd.cli.figures import NOTHING, duration, gap, moment, number, outcome, signed, spent, tokens
from acd.cli.output import Cell, Column, say, show_table
from acd.core.billing import MARKS
from acd.core.contract import SessionRow
from acd.core.one_session import TimelineRow


class RequestsOfModel(msgspec.Struct, frozen=True, rename="camel"):
    """What a session spent on one model; no cost where no request has a known price."""

    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal | None
    unpriced_requests: int


class SessionError(msgspec.Struct, frozen=True, rename="camel"):
    """An error of the session."""

    error_type: str
    error_code: str | None
    message: str
    attempt: int | None
    resolved: bool
    occurred_at: datetime


class SessionCommit(msgspec.Struct, frozen=True, rename="camel"):
    """A commit made in the session."""

    sha: str
    message: str
    files_changed: int
    additions: int
    deletions: int
    committed_at: datetime


class FeatureChange(msgspec.Struct, frozen=True, rename="camel"):
    """A change of a feature in the session."""

    feature_key: str
    change: str
    status: str
    detail: str
    changed_at: datetime


class WholeSession(SessionRow, frozen=True):
    """The report `sessions.one`."""

    requests_by_model: list[RequestsOfModel]
    errors: list[SessionError]
    commits: list[SessionCommit]
    feature_changes: list[FeatureChange]


def show_session(row: WholeSession) -> None:
    """Everything but the timeline; parts that are empty are left out."""
    show_table((Column(""), Column("", wrapped=True)), _facts(row))
    if row.cost_gap_usd:
        say(
            f"The agent reports {gap(row.cost_gap_usd)} compared with what its requests cost by list price."
        )
    _part(
        "Requests by model",
        ("Model", "Requests>", "Input>", "Output>", "Cache read>", "Cache write>", "Cost>"),
        [_by_model(one) for one in row.requests_by_model],
    )
    _part(
        "Features",
        ("When", "Change", "Feature*", "Detail*"),
        [
            [moment(one.changed_at), outcome(_labelled(one)), one.feature_key, one.detail]
            for one in row.feature_changes
        ],
    )
    _part("Commits", ("When", "Commit", "+>", "->", "Message*"), map(_commit, row.commits))
    _part("Errors", ("When", "Type", "Code", "Message*"), map(_error, row.errors))


def show_timeline(rows: Sequence[TimelineRow], *, whole: bool) -> None:
    """The events, oldest first."""
    _part(
        "Timeline" if whole else "Timeline, its end (--events shows it whole)",
        ("When", "What", "Time>", "Outcome", "Text*"),
        [
            [
                moment(one.occurred_at),
                " ".join(filter(None, (one.subagent and "↳", one.tool_name or one.kind))),
                NOTHING if one.duration_ms is None else duration(one.duration_ms),
                one.outcome or "",
                one.text,
            ]
            for one in rows
        ],
    )


def _facts(row: WholeSession) -> list[list[Cell]]:
    version = f" {row.agent_version}" if row.agent_version else ""
    where = " ".join(filter(None, (row.host, row.branch and f"on {row.branch}")))
    before, after = (
        NOTHING if count is None else str(count)
        for count in (row.features_before, row.features_after)
    )
    facts: list[tuple[str, Cell | None]] = [
        ("Session", str(row.id)),
        ("Target", f"{row.target.repo_id} {number(row.session_number)} ({row.session_type})"),
        ("Agent", f"{row.agent}{version}, {row.model_used or row.model} (asked for: {row.model})"),
        ("Where", where or None),
        ("Status", outcome(row.status, row.error_type)),
        ("Message", row.error_message),
        ("Started", f"{moment(row.started_at)}, for {duration(row.duration_ms)}"),
        ("Tokens", _kinds(row)),
        ("Cost", _cost(row)),
        ("Requests", f"{row.request_count}, {row.retry_count} retried"),
        ("Features", f"{before} → {after} passing ({signed(row.features_completed)})"),
        ("Commits", str(row.commits_made)),
    ]
    return [[name, value] for name, value in facts if value is not None]


def _cost(row: WholeSession) -> str:
    mark = MARKS["all" if row.billing == "subscription" else "none"]
    billed = f" {mark} (subscription)" if mark else ""
    return spent(row.cost_usd, row.unpriced_requests) + billed


def _kinds(row: WholeSession) -> str:
    return (
        f"{tokens(row.total_tokens)}: {tokens(row.input_tokens)} in, {tokens(row.output_tokens)} out, "
        f"{tokens(row.cache_read_tokens)} cache read, {tokens(row.cache_write_tokens)} cache write"
    )


def _by_model(one: RequestsOfModel) -> list[Cell]:
    return [
        one.model,
        str(one.requests),
        tokens(one.input_tokens),
        tokens(one.output_tokens),
        tokens(one.cache_read_tokens),
        tokens(one.cache_write_tokens),
        NOTHING if one.cost_usd is None else spent(one.cost_usd, one.unpriced_requests),
    ]


def _labelled(one: FeatureChange) -> str:
    """A claim that nothing can check counts at once; one that something can is only a claim."""
    unverified = one.change == "claimed" and one.status == "passing"
    return "claimed (unverified)" if unverified else one.change


def _commit(one: SessionCommit) -> list[Cell]:
    subject = one.message.partition("\n")[0]
    when = moment(one.committed_at)
    return [when, one.sha[:10], str(one.additions), str(one.deletions), subject]


def _error(one: SessionError) -> list[Cell]:
    return [moment(one.occurred_at), outcome(one.error_type), one.error_code or "", one.message]


def _part(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """A titled table; `>` after a column's name sets it right, `*` lets it break into lines."""
    lines = list(rows)
    if not lines:
        return
    say(title, after_blank=True)
    show_table(
        [
            Column(name.rstrip(">*"), right=name.endswith(">"), wrapped=name.endswith("*"))
            for name in columns
        ],
        lines,
    )
