"""Lines → events → rows, without I/O: the same lines give the same rows however they are cut into batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from acd.agents.protocol import Adapter
from acd.core import events, facts
from acd.core.errors import UnreadableLine
from acd.files.journal import decode_fact
from acd.files.lines import LONGEST_LINE
from acd.ledger.price import PriceList
from acd.ledger.reading import FileKind, SourceLine
from acd.ledger.rows import Batch, CommitRow, LeftOutRow
from acd.ledger.snapshots import Snapshots
from acd.ledger.timeline import Timeline
from acd.ledger.told import (
    agent_error_row,
    feature_change_row,
    harness_error_row,
    limit_row,
    report_row,
    reported_by,
)

# A line of any known agent holds a handful; its request, which figures depend on, comes first.
_MOST_EVENTS = 1000

# Nearly all events there are: they go into the timeline, and nowhere else unless a tool was denied.
_MERELY_TOLD = frozenset({events.TextSaid, events.ToolUsed, events.ToolEnded})


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
    _requests: dict[str, Snapshots] = field(default_factory=dict)
    _timeline: Timeline = field(default_factory=Timeline)

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
        others = len(self._timeline.rows) + len(self.batch.errors) + len(self.batch.left_out)
        return len(self._requests) + others

    @property
    def has_requests(self) -> bool:
        """Whether there is anything to be priced."""
        return bool(self._requests)

    def finish(self) -> Batch:
        """What all lines together amount to."""
        provider = self.agent.provider if self.agent else ""
        self.batch.usage = {
            key: seen.row(self.prices, provider) for key, seen in self._requests.items()
        }
        self.batch.events = self._timeline.rows
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

    def _add_fact(self, source: SourceLine, fact: facts.Fact) -> None:
        self._tick(fact.at)
        batch = self.batch
        if isinstance(fact, facts.TargetSeen):
            batch.target = fact.target
        elif isinstance(fact, facts.Started):
            batch.target, batch.started = fact.target, fact
        elif isinstance(fact, facts.Ended):
            batch.ended = fact
        elif isinstance(fact, facts.FeaturesSeen):
            if fact.when != "left":  # only claims: what became of them is seen after
                batch.features.append(fact)
        elif isinstance(fact, facts.DailyStats):
            batch.daily.append(fact)
        elif isinstance(fact, facts.CommitSeen):
            batch.commits.append(CommitRow(**msgspec.structs.asdict(fact.commit)))
        elif isinstance(fact, facts.FeatureChanged):
            batch.feature_changes.append(feature_change_row(self.owner_id, source, fact))
        elif isinstance(fact, facts.HarnessFailed):
            batch.errors.append(harness_error_row(self.owner_id, source, fact))
        elif isinstance(fact, facts.UsageReported):
            self._add_report(source, reported_by(fact))
        self._timeline.add_fact(source, fact)

    def _add_events(self, source: SourceLine, found: list[events.Event]) -> None:
        if len(found) > _MOST_EVENTS:
            self.leave_out(source, f"more than {_MOST_EVENTS} events: the rest of them")
            found = found[:_MOST_EVENTS]
        in_timeline = source.kind == "stream"
        for index, event in enumerate(found):
            at = event.at
            if at is not None and at is not self.clock:
                self._tick(at)
            if type(event) is events.RequestSeen:
                self._add_request(event)
                continue  # the ledger rows tell it, once a request and not once a line
            if type(event) not in _MERELY_TOLD or _denied(event):
                self._add_rare(source, event)
            if in_timeline:
                self._timeline.add_event(source, index, event, self.clock)

    def _add_rare(self, source: SourceLine, event: events.Event) -> None:
        batch = self.batch
        if isinstance(event, events.Reported):
            self._add_report(source, event)
        elif isinstance(event, events.AgentStarted):
            if batch.agent is None:
                batch.agent = event
        elif isinstance(event, events.LimitSeen):
            if self.agent is not None:
                batch.limits.append(limit_row(self.agent.name, event, self.clock))
        elif source.kind == "stream" or not self.has_stream:
            error = agent_error_row(self.owner_id, source, event, self.clock)
            if error is not None:
                batch.errors.append(error)

    def _add_request(self, event: events.RequestSeen) -> None:
        at = event.at or self.clock
        known = self._requests.get(event.request_key)
        if known is None:
            self._requests[event.request_key] = Snapshots.of(event, at)
        else:
            known.add(event, at)

    def _add_report(self, source: SourceLine, event: events.Reported) -> None:
        self.batch.reports.append(report_row(self.owner_id, source, event, self.clock))

    def _tick(self, at: datetime) -> None:
        self.clock = at
        if self.batch.last_at is None or at > self.batch.last_at:
            self.batch.last_at = at


def _denied(event: events.Event) -> bool:
    return type(event) is events.ToolEnded and event.outcome == "denied"
