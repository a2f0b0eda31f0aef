"""Lines → events → rows, without I/O: the same lines give the same rows however they are cut into batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from acd.agents.protocol import Adapter
from acd.core import events, facts
from acd.core.errors import UnreadableLine
from acd.core.models import ModelReport, error_id_of
from acd.files.journal import decode_fact
from acd.files.lines import LONGEST_LINE, Line
from acd.ledger.price import PriceList
from acd.ledger.rows import (
    Batch,
    CommitRow,
    ErrorPlace,
    ErrorRow,
    EventRow,
    FeatureChangeRow,
    LeftOutRow,
    LimitRow,
    ReportRow,
    UsageRow,
    usage_columns,
)

FileKind = Literal["journal", "stream", "transcript"]

JOURNAL = "journal.jsonl"
STREAM = "stream.jsonl"

# A row's place in the timeline: offset in the stream, then facts (written when the stream had that size) by their
# line number, then the events of the line that begins there.
_EVENT_BITS = 16
_STREAM_HALF = 1 << (_EVENT_BITS - 1)

# A line of any known agent holds a handful; its request, which figures depend on, comes first.
_MOST_EVENTS = 1000

# Whole milliseconds begun and ended, in whole numbers: `ledger.finish_tools` computes the same in PostgreSQL.
_MILLISECOND = timedelta(milliseconds=1)


class SourceLine(msgspec.Struct, frozen=True, gc=False):
    """A line and the file it stands in: `name` is relative to the session's folder, `number` counts its lines from 0."""

    name: str
    kind: FileKind
    line: Line
    number: int


class _Request(msgspec.Struct, gc=False):
    """The snapshots of a request so far: the greatest counts, whatever the order (rule 1 of the records).

    What each adds beside the figures (ids, tools, the earliest time) is kept. A row is made, and priced, only of the last state.
    """

    greatest: events.RequestSeen
    greatest_at: datetime
    first_at: datetime
    ids: list[str]
    tools: list[str]
    subagent: str | None = None

    def add(self, seen: events.RequestSeen, at: datetime) -> None:
        """Take another snapshot in."""
        self.subagent = self.subagent or self.greatest.subagent or seen.subagent
        usage, best = seen.usage, self.greatest.usage
        if (usage.total, usage.output_tokens) > (best.total, best.output_tokens):
            self.greatest, self.greatest_at = seen, at
        if seen.request_id and seen.request_id not in self.ids:
            self.ids.append(seen.request_id)
        for tool in seen.tools:
            if tool not in self.tools:
                self.tools.append(tool)
        self.first_at = min(self.first_at, at)


@dataclass
class Fold:
    """Folds lines of one session (or of one target's journal) into a batch.

    `has_stream` says that we ran the session ourselves: then its stream and journal tell the timeline and the
    errors, and transcripts, which mirror them, add usage and reports only (rule 11 of the records).
    `clock` is the time of the last line that told one; lines that tell none are as old as that.
    """

    owner_id: UUID
    agent: Adapter | None
    prices: PriceList
    clock: datetime
    has_stream: bool = True
    batch: Batch = field(default_factory=Batch)
    _requests: dict[str, _Request] = field(default_factory=dict)
    _tools: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)

    def add(self, source: SourceLine) -> None:
        """Fold one line; what cannot be read is counted with its reason and place."""
        line = source.line
        try:
            if line.data is None:
                raise UnreadableLine(f"longer than {LONGEST_LINE} bytes")
            if not line.data.strip():
                return
            if source.kind == "journal":
                self._add_fact(source, decode_fact(line.data))
            else:
                self._add_events(source, self._read(source.kind, line.data))
        except UnreadableLine as error:
            self.leave_out(source, str(error))
        except msgspec.MsgspecError as error:
            self.leave_out(source, f"not a fact: {error}")

    @property
    def rows(self) -> int:
        """How many rows the lines so far amount to, about."""
        batch = self.batch
        events_and_errors = len(batch.events) + len(batch.errors) + len(batch.left_out)
        return len(self._requests) + events_and_errors

    def finish(self) -> Batch:
        """What all lines together amount to."""
        self.batch.usage = {key: self._usage_row(seen) for key, seen in self._requests.items()}
        return self.batch

    def leave_out(self, source: SourceLine, reason: str) -> None:
        """Count a line that cannot become rows."""
        line = source.line
        self.batch.left_out.append(LeftOutRow(source.name, line.offset, line.length, reason[:500]))

    def _read(self, kind: FileKind, data: bytes) -> list[events.Event]:
        if self.agent is None:
            raise UnreadableLine("no adapter for this session's agent")
        if kind == "stream":
            return self.agent.read_stream(data)
        return self.agent.read_transcript(data, mirror=self.has_stream)

    # ---- facts of the journal ------------------------------------------------------------------------------

    def _add_fact(self, source: SourceLine, fact: facts.Fact) -> None:
        self._tick(fact.at)
        if isinstance(fact, facts.TargetSeen):
            self.batch.target = fact.target
        elif isinstance(fact, facts.Started):
            self.batch.target, self.batch.started = fact.target, fact
        elif isinstance(fact, facts.Ended):
            self.batch.ended = fact
        elif isinstance(fact, facts.FeaturesSeen):
            self.batch.features.append(fact)
        elif isinstance(fact, facts.DailyStats):
            self.batch.daily.append(fact)
        elif isinstance(fact, facts.CommitSeen):
            self.batch.commits.append(CommitRow(**msgspec.structs.asdict(fact.commit)))
        elif isinstance(fact, facts.FeatureChanged):
            self._add_feature_change(source, fact)
        elif isinstance(fact, facts.HarnessFailed):
            self._add_harness_error(source, fact)
        elif isinstance(fact, facts.UsageReported):
            self._add_usage_report(source, fact)
        place = min(source.number, _STREAM_HALF - 1)
        self._add_timeline_fact(fact.stream_offset << _EVENT_BITS | place, fact)

    def _add_timeline_fact(self, seq: int, fact: facts.Fact) -> None:
        kind = type(fact).__struct_config__.tag
        text, outcome = _told_by_fact(fact)
        self.batch.events.append(
            EventRow(seq=seq, kind=str(kind), occurred_at=fact.at, text=text, outcome=outcome)
        )

    def _add_feature_change(self, source: SourceLine, fact: facts.FeatureChanged) -> None:
        self.batch.feature_changes.append(
            FeatureChangeRow(
                source=self._source(source),
                source_offset=source.line.offset,
                feature_key=fact.key,
                change=fact.change,
                status=fact.status,
                commit=fact.commit,
                detail=fact.detail,
                changed_at=fact.at,
            )
        )

    def _add_harness_error(self, source: SourceLine, fact: facts.HarnessFailed) -> None:
        self.batch.errors.append(
            ErrorRow(
                **self._place(source, fact.at),
                error_type=fact.error_type,
                message=fact.message,
                error_code=fact.error_code,
                stack_trace=fact.stack_trace,
                context={"origin": "harness", **fact.context},
                retryable=fact.retryable,
            )
        )

    def _add_usage_report(self, source: SourceLine, fact: facts.UsageReported) -> None:
        report = ModelReport(fact.usage, fact.cost_usd)
        self._add_report(
            source, events.Reported(models={fact.model: report}, at=fact.at, final=True)
        )

    # ---- events of the agent -------------------------------------------------------------------------------

    def _add_events(self, source: SourceLine, found: list[events.Event]) -> None:
        if len(found) > _MOST_EVENTS:
            self.leave_out(source, f"more than {_MOST_EVENTS} events: the rest of them")
            found = found[:_MOST_EVENTS]
        base = source.line.offset << _EVENT_BITS | _STREAM_HALF
        for index, event in enumerate(found):
            if event.at is not None:
                self._tick(event.at)
            if isinstance(event, events.RequestSeen):
                self._add_request(event)
            elif isinstance(event, events.Reported):
                self._add_report(source, event)
            elif isinstance(event, events.AgentStarted):
                if self.batch.agent is None:
                    self.batch.agent = event
            elif isinstance(event, events.LimitSeen):
                self._add_limit(event)
            if source.kind == "stream" or not self.has_stream:
                self._add_error_event(source, event)
                if source.kind == "stream":
                    self._add_timeline_event(base + index, event)

    def _add_request(self, event: events.RequestSeen) -> None:
        at = event.at or self.clock
        known = self._requests.get(event.request_key)
        if known is None:
            ids = [event.request_id] if event.request_id else []
            self._requests[event.request_key] = _Request(event, at, at, ids, list(event.tools))
        else:
            known.add(event, at)

    def _usage_row(self, request: _Request) -> UsageRow:
        seen = request.greatest
        provider = self.agent.provider if self.agent else ""
        price = self.prices.price(provider, seen.model, seen.usage, request.greatest_at)
        return UsageRow(
            request_key=seen.request_key,
            model=seen.model,
            request_ids=request.ids,
            **usage_columns(seen.usage),
            cost_usd=f"{price.cost_usd.normalize():f}" if price else None,
            price_source=price.source if price else None,
            price_date=price.day.isoformat() if price else None,
            tools=request.tools,
            subagent=request.subagent or seen.subagent,
            requested_at=request.first_at,
        )

    def _add_report(self, source: SourceLine, event: events.Reported) -> None:
        self.batch.reports.append(
            ReportRow(
                source=self._source(source),
                source_offset=source.line.offset,
                final=event.final,
                models=msgspec.to_builtins(event.models),
                own=None if event.own is None else msgspec.to_builtins(event.own),
                duration_ms=event.duration_ms,
                api_duration_ms=event.api_duration_ms,
                turns=event.turns,
                error_type=event.error_type,
                error_message=event.error_message,
                reported_at=event.at or self.clock,
            )
        )

    def _add_limit(self, event: events.LimitSeen) -> None:
        if self.agent is not None:
            self.batch.limits.append(
                LimitRow(
                    agent=self.agent.name,
                    limit_window=event.window,
                    status=event.status,
                    utilization=event.utilization,
                    resets_at=event.resets_at,
                    seen_at=event.at or self.clock,
                )
            )

    def _add_error_event(self, source: SourceLine, event: events.Event) -> None:
        at = event.at or self.clock
        if isinstance(event, events.Retried):
            # The agent tries again by itself: a retry is history, not something that waits for a person.
            self.batch.errors.append(
                ErrorRow(
                    **self._place(source, at),
                    error_type=event.error_type,
                    message=event.message or f"{event.error_type}: the agent tries again",
                    error_code=event.error_code,
                    context={"origin": "retry", "delay_ms": event.delay_ms},
                    attempt=event.attempt,
                    retryable=True,
                    resolved=True,
                )
            )
        elif isinstance(event, events.AgentFailed):
            resets_at = event.resets_at.isoformat() if event.resets_at else None
            self.batch.errors.append(
                ErrorRow(
                    **self._place(source, at),
                    error_type=event.error_type,
                    message=event.message,
                    error_code=event.error_code,
                    stack_trace=event.output or event.message,
                    context={"origin": "agent", **({"resets_at": resets_at} if resets_at else {})},
                )
            )
        elif isinstance(event, events.PermissionDenied):
            self.batch.errors.append(
                ErrorRow(
                    **self._place(source, at),
                    error_type="permission",
                    message=f"{event.name}: {event.reason}",
                    context={"origin": "agent", "tool_use_id": event.tool_use_id},
                )
            )

    def _place(self, source: SourceLine, at: datetime) -> ErrorPlace:
        name, offset = self._source(source), source.line.offset
        return ErrorPlace(
            id=error_id_of(self.owner_id, name, offset),
            source=name,
            source_offset=offset,
            occurred_at=at,
        )

    def _add_timeline_event(self, seq: int, event: events.Event) -> None:
        if isinstance(event, events.RequestSeen):
            return  # the ledger rows tell it, once a request and not once a line
        row = EventRow(
            seq=seq,
            kind=str(type(event).__struct_config__.tag),
            occurred_at=event.at or self.clock,
            subagent=getattr(event, "subagent", None),
        )
        if isinstance(event, events.ToolUsed):
            row.tool_name, row.tool_use_id, row.text = event.name, event.tool_use_id, event.text
            self._tools[event.tool_use_id] = (event.name, row.occurred_at)
        elif isinstance(event, events.ToolEnded):
            row.tool_use_id, row.outcome, row.text = event.tool_use_id, event.outcome, event.text
            row.tool_name, begun = self._tools.pop(event.tool_use_id, (None, None))
            if begun is not None and row.occurred_at is not None:
                row.duration_ms = max(0, (row.occurred_at - begun) // _MILLISECOND)
        else:
            row.text, row.outcome = _told_by_event(event)
        self.batch.events.append(row)

    def _source(self, source: SourceLine) -> str:
        """Name of the file for a row's key: unique within a target, the same on every machine."""
        return f"{self.owner_id}/{source.name}"

    def _tick(self, at: datetime) -> None:
        self.clock = at
        if self.batch.last_at is None or at > self.batch.last_at:
            self.batch.last_at = at


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
    if isinstance(fact, facts.LimitHit):
        return f"{fact.window} until {fact.resets_at}", "rejected"
    return "", None


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
