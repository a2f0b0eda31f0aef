"""Facts and events → rows of a session's timeline, each with its place and a short text."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

from acd.core import events, facts
from acd.ledger.reading import SourceLine
from acd.ledger.rows import EventRow

# A row's place in the timeline: offset in the stream, then facts (written when the stream had that size) by their
# line number, then the events of the line that begins there.
_EVENT_BITS = 16
_STREAM_HALF = 1 << (_EVENT_BITS - 1)

_KINDS = {kind: str(kind.__struct_config__.tag) for kind in get_args(events.Event)}

# Whole milliseconds begun and ended, in whole numbers: `ledger.finish_tools` computes the same in PostgreSQL.
_MILLISECOND = timedelta(milliseconds=1)


class Timeline:
    """The rows of the timeline so far. Knows the tools called in the same lines, to tell how long each took."""

    def __init__(self) -> None:
        self.rows: list[EventRow] = []
        self._tools: dict[str, tuple[str, datetime]] = {}

    def add_fact(self, source: SourceLine, fact: facts.Fact) -> None:
        """A fact of the journal: before what the stream held from then on."""
        seq = fact.stream_offset << _EVENT_BITS | min(source.number, _STREAM_HALF - 1)
        kind = str(type(fact).__struct_config__.tag)
        text, outcome = _told_by_fact(fact)
        self.rows.append(
            EventRow(seq=seq, kind=kind, occurred_at=fact.at, text=text, outcome=outcome)
        )

    def add_event(
        self, source: SourceLine, index: int, event: events.Event, clock: datetime
    ) -> None:
        """The event at `index` among those of a line, not a request; one that tells no time is as old as `clock`."""
        seq = (source.line.offset << _EVENT_BITS | _STREAM_HALF) + index
        at = event.at or clock
        if isinstance(event, events.ToolUsed):
            name, use_id = event.name, event.tool_use_id
            self._tools[use_id] = (name, at)
            row = EventRow(seq, "tool_used", at, event.text, name, use_id, event.subagent)
        elif isinstance(event, events.ToolEnded):
            row = self._tool_ended(seq, event, at)
        else:
            row = EventRow(seq, _KINDS[type(event)], at)
            row.text, row.outcome = _told_by_event(event)
            if isinstance(event, events.TextSaid):
                row.subagent = event.subagent
        self.rows.append(row)

    def _tool_ended(self, seq: int, event: events.ToolEnded, at: datetime) -> EventRow:
        use_id, name, duration = event.tool_use_id, None, None
        begun = self._tools.pop(use_id, None)
        if begun is not None:
            name = begun[0]
            duration = max(0, (at - begun[1]) // _MILLISECOND)
        return EventRow(
            *(seq, "tool_ended", at, event.text, name, use_id, event.subagent),
            duration_ms=duration,
            outcome=event.outcome,
        )


def _told_by_fact(fact: facts.Fact) -> tuple[str, str | None]:
    """Short text and outcome of a fact, for the timeline."""
    if isinstance(fact, facts.Started):
        return f"{fact.session_type} session with {fact.agent}, {fact.model}", None
    if isinstance(fact, facts.FeaturesSeen):
        passing = sum(feature.passes for feature in fact.features)
        return f"{passing} of {len(fact.features)} features pass", fact.when
    if isinstance(fact, facts.FeatureChanged):
        return f"{fact.key}: {fact.detail}" if fact.detail else fact.key, fact.change
    if isinstance(fact, facts.CommitSeen):
        subject = fact.commit.message.split("\n", 1)[0]
        return f"{fact.commit.sha[:10]} {subject}", None
    if isinstance(fact, facts.HarnessFailed):
        return fact.message[:500], fact.error_type
    if isinstance(fact, facts.Ended):
        return (fact.error_message or "")[:500], fact.status
    if isinstance(fact, facts.LeftoversKept):
        return _told_by_leftovers(fact), None
    if isinstance(fact, facts.Delivered):
        where = (fact.ref or "").removeprefix("refs/heads/")
        return f"{where}: {fact.reason}"[:500] if fact.reason else where, fact.outcome
    if isinstance(fact, facts.BudgetNoticed):
        return fact.message[:500], fact.notice
    if isinstance(fact, facts.LimitHit):
        return f"{fact.window} until {fact.resets_at}", "rejected"
    return "", None


def _told_by_leftovers(fact: facts.LeftoversKept) -> str:
    kept = f"{fact.files} uncommitted files kept under {fact.ref}" if fact.ref else "nothing kept"
    left_out = ", ".join(f"{name} ({why})" for name, why in fact.left_out.items())
    return f"{kept}; left out: {left_out}"[:500] if left_out else kept


def _told_by_event(event: events.Event) -> tuple[str, str | None]:
    """Short text and outcome of an event that is no tool call, for the timeline."""
    if isinstance(event, events.TextSaid):
        return event.text, event.role
    if isinstance(event, events.Retried):
        return event.message, event.error_type
    if isinstance(event, events.AgentFailed):
        return event.message[:500], event.error_type
    if isinstance(event, events.ModelFellBack):
        return f"{event.original_model} → {event.fallback_model}", event.trigger
    if isinstance(event, events.PermissionDenied):
        return f"{event.name}: {event.reason}", "denied"
    if isinstance(event, events.LimitSeen):
        return event.window, event.status
    if isinstance(event, events.SubagentChanged):
        return event.text, event.status
    if isinstance(event, events.Reported):
        return event.text[:500], "ok" if event.ok else event.error_type
    if isinstance(event, events.Unrecognised):
        return event.line_type, None
    return "", None
