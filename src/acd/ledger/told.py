"""Rows that one line tells by itself: errors, reports, limits, changes of features."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from acd.core import events, facts
from acd.core.models import ModelReport, error_id_of
from acd.ledger.reading import SourceLine
from acd.ledger.rows import ErrorPlace, ErrorRow, FeatureChangeRow, LimitRow, ReportRow

DENIED = "denied"
"""`error_code` of a tool call that was not allowed; an account's own refusals have another one."""


def place_of(owner_id: UUID, source: SourceLine) -> tuple[str, int]:
    """File and offset for a row's key: unique within a target, the same on every machine."""
    return f"{owner_id}/{source.name}", source.line.offset


def feature_change_row(
    owner_id: UUID, source: SourceLine, fact: facts.FeatureChanged
) -> FeatureChangeRow:
    """One change of one feature."""
    name, offset = place_of(owner_id, source)
    return FeatureChangeRow(
        source=name,
        source_offset=offset,
        feature_key=fact.key,
        change=fact.change,
        status=fact.status,
        commit=fact.commit,
        detail=fact.detail,
        changed_at=fact.at,
        evidence=fact.evidence,
    )


def harness_error_row(owner_id: UUID, source: SourceLine, fact: facts.HarnessFailed) -> ErrorRow:
    """An error of ours."""
    return ErrorRow(
        **_error_place(owner_id, source, fact.at),
        error_type=fact.error_type,
        message=fact.message,
        error_code=fact.error_code,
        stack_trace=fact.stack_trace,
        context={"origin": "harness", **fact.context},
        retryable=fact.retryable,
    )


def agent_error_row(
    owner_id: UUID, source: SourceLine, event: events.Event, clock: datetime
) -> ErrorRow | None:
    """An error of the agent's; None for an event that is none."""
    if isinstance(event, events.PermissionDenied | events.ToolEnded):
        return _denial_row(owner_id, source, event, clock)
    if not isinstance(event, events.Retried | events.AgentFailed):
        return None
    place = _error_place(owner_id, source, event.at or clock)
    if isinstance(event, events.Retried):
        # The agent tries again by itself: a retry is history, not something that waits for a person.
        return ErrorRow(
            **place,
            error_type=event.error_type,
            message=event.message or f"{event.error_type}: the agent tries again",
            error_code=event.error_code,
            context={"origin": "retry", "delay_ms": event.delay_ms},
            attempt=event.attempt,
            retryable=True,
            resolved=True,
        )
    resets_at = event.resets_at.isoformat() if event.resets_at else None
    return ErrorRow(
        **place,
        error_type=event.error_type,
        message=event.message,
        error_code=event.error_code,
        stack_trace=event.output or event.message,
        context={"origin": "agent", **({"resets_at": resets_at} if resets_at else {})},
    )


def _denial_row(
    owner_id: UUID,
    source: SourceLine,
    event: events.PermissionDenied | events.ToolEnded,
    clock: datetime,
) -> ErrorRow | None:
    """A denied call: one row, whichever of its two lines is read first. The writer puts the call before the message.

    Claude Code 2.1.330 tells some denials by the result alone (Read of a file in a denied folder).
    """
    if isinstance(event, events.PermissionDenied):
        reason = event.reason
    elif event.outcome == "denied" and source.kind == "stream":
        reason = event.text
    else:
        return None
    place = _error_place(owner_id, source, event.at or clock)
    if event.tool_use_id:
        place["id"] = error_id_of(owner_id, f"denied:{event.tool_use_id}", 0)
    return ErrorRow(
        **place,
        error_type="permission",
        error_code=DENIED,
        message=reason,
        context={"origin": "agent", "tool_use_id": event.tool_use_id},
    )


def report_row(
    owner_id: UUID, source: SourceLine, event: events.Reported, clock: datetime
) -> ReportRow:
    """The agent's own account of what it spent."""
    name, offset = place_of(owner_id, source)
    return ReportRow(
        source=name,
        source_offset=offset,
        final=event.final,
        models=msgspec.to_builtins(event.models),
        own=None if event.own is None else msgspec.to_builtins(event.own),
        duration_ms=event.duration_ms,
        api_duration_ms=event.api_duration_ms,
        turns=event.turns,
        error_type=event.error_type,
        error_message=event.error_message,
        reported_at=event.at or clock,
    )


def reported_by(fact: facts.UsageReported) -> events.Reported:
    """What another program says that its session spent, as an agent would say it."""
    report = ModelReport(fact.usage, fact.cost_usd)
    return events.Reported(models={fact.model: report}, at=fact.at, final=True)


def limit_row(agent: str, event: events.LimitSeen, clock: datetime) -> LimitRow:
    """News of a limit of the agent's account."""
    return LimitRow(
        agent=agent,
        limit_window=event.window,
        status=event.status,
        utilization=event.utilization,
        resets_at=event.resets_at,
        seen_at=event.at or clock,
    )


def _error_place(owner_id: UUID, source: SourceLine, at: datetime) -> ErrorPlace:
    name, offset = place_of(owner_id, source)
    return ErrorPlace(
        id=error_id_of(owner_id, name, offset), source=name, source_offset=offset, occurred_at=at
    )
