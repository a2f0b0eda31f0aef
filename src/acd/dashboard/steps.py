"""A session's timeline as a person reads it.

A tool's call and its end are one step, requests stand between with what they cost, what a subagent did is nested.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby

from acd.core.one_session import TimelineRow
from acd.core.timeline_rows import TimelinePage, TimelineRequest, UsedBefore

KINDS: Mapping[str, tuple[str, ...]] = {
    "tools": ("tool_used", "tool_ended", "permission_denied"),
    "texts": ("text",),
    "work": ("commit_seen", "feature_changed", "features_seen", "delivered", "leftovers_kept"),
    "errors": (
        *("retry", "agent_failed", "permission_denied", "harness_failed", "model_fallback"),
        *("limit", "limit_hit", "unrecognised"),
    ),
}
"""Parts of a timeline that can be read alone."""

_LATEST = datetime.max.replace(tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_ENDED_WELL = "ok"

_LOOKS: Mapping[str, tuple[str, str]] = {
    "tool_used": ("tool", "Tool"),
    "tool_ended": ("tool", "Tool"),
    "text": ("text", "Text"),
    "retry": ("failed", "Tried again"),
    "agent_failed": ("failed", "Agent failed"),
    "harness_failed": ("failed", "Harness failed"),
    "permission_denied": ("failed", "Not allowed"),
    "model_fallback": ("waiting", "Other model"),
    "limit": ("waiting", "Limit"),
    "limit_hit": ("waiting", "Limit reached"),
    "budget": ("waiting", "Budget"),
    "commit_seen": ("passing", "Commit"),
    "feature_changed": ("passing", "Feature"),
    "features_seen": ("idle", "Features"),
    "delivered": ("passing", "Delivered"),
    "leftovers_kept": ("idle", "Leftovers kept"),
    "work_left": ("idle", "Work left"),
    "subagent": ("idle", "Subagent"),
    "started": ("running", "Session began"),
    "agent_started": ("running", "Agent began"),
    "process_started": ("running", "Process began"),
    "ended": ("idle", "Session ended"),
    "report": ("idle", "Agent's report"),
}
_BAD_CHANGES = frozenset({"rejected", "regressed", "removed", "tampering"})


_OF_AGENT = 1 << 15
"""Set in the place of what the agent's lines told; see `acd.ledger.timeline`."""


@dataclass(frozen=True)
class Step:
    """A row. `tone` is its colour's meaning, `result` what a tool gave back, `used` what the request took.

    `so_far` is the cost of the session's requests up to this one, itself included.
    """

    tone: str
    label: str
    at: datetime | None
    seq: int | None = None
    title: str = ""
    text: str = ""
    result: str = ""
    outcome: str | None = None
    duration_ms: int | None = None
    subagent: str | None = None
    used: TimelineRequest | None = None
    so_far: Decimal = Decimal(0)

    @property
    def line_offset(self) -> int | None:
        """Where the agent's line begins that told it: a place in the timeline is made of it (`acd.ledger.timeline`).

        None for what acd itself told: its place is how far the agent's lines went then.
        """
        if self.seq is None or not self.seq & _OF_AGENT:
            return None
        return self.seq >> 16


@dataclass(frozen=True)
class Branch:
    """Steps that came one after the other from one subagent; of the session's own agent where that is None."""

    subagent: str | None
    steps: Sequence[Step]


def branches(page: TimelinePage) -> list[Branch]:
    """A page in order: a request stands before the first event that is later than it."""
    steps = list(_woven(_events(page.events), _requests(page.requests, page.before)))
    return [
        Branch(subagent, list(found))
        for subagent, found in groupby(steps, key=lambda step: step.subagent)
    ]


def _woven(events: Iterable[Step], requests: Sequence[Step]) -> Iterator[Step]:
    waiting = iter(requests)
    request = next(waiting, None)
    for event in events:
        while request is not None and _time(request) <= (event.at or _EARLIEST):
            yield request
            request = next(waiting, None)
        yield event
    while request is not None:
        yield request
        request = next(waiting, None)


def _time(step: Step) -> datetime:
    return step.at or _LATEST


def _requests(rows: Sequence[TimelineRequest], before: UsedBefore) -> list[Step]:
    so_far, steps = before.cost_usd, []
    for row in rows:
        so_far += row.cost_usd or 0
        steps.append(
            Step(
                tone="request",
                label="Request" if row.is_request else "Beyond requests",
                at=row.requested_at,
                title=row.model,
                subagent=row.subagent,
                used=row,
                so_far=so_far,
            )
        )
    return steps


def _events(rows: Sequence[TimelineRow]) -> Iterator[Step]:
    """Steps of events. The end of a tool whose call is on the page stands with the call."""
    begun = {row.tool_use_id for row in rows if row.kind == "tool_used" and row.tool_use_id}
    ends = {row.tool_use_id: row for row in rows if row.kind == "tool_ended"}
    for row in rows:
        if row.kind == "tool_used":
            yield _tool(row, ends.get(row.tool_use_id) if row.tool_use_id else None)
        elif row.kind == "tool_ended" and row.tool_use_id in begun:
            continue
        else:
            yield _step(row)


def _tool(row: TimelineRow, end: TimelineRow | None) -> Step:
    failed = end is not None and end.outcome is not None and end.outcome != _ENDED_WELL
    return Step(
        tone="failed" if failed else "tool",
        label="Tool",
        at=row.occurred_at,
        seq=row.seq,
        title=row.tool_name or "tool",
        text=row.text,
        result=end.text if end else "",
        outcome=end.outcome if failed and end else None,
        duration_ms=end.duration_ms if end else None,
        subagent=row.subagent,
    )


def _step(row: TimelineRow) -> Step:
    tone, label = _LOOKS.get(row.kind, ("idle", row.kind.replace("_", " ")))
    outcome = row.outcome
    if row.kind == "text":
        label, outcome = ("Asked" if row.outcome == "user" else "Said"), None
    elif row.kind == "tool_ended":
        tone = "tool" if row.outcome == _ENDED_WELL else "failed"
    elif row.kind == "feature_changed" and row.outcome in _BAD_CHANGES:
        tone = "failed"
    elif row.kind == "ended":
        tone = "passing" if row.outcome == "completed" else "failed"
    return Step(
        tone=tone,
        label=label,
        at=row.occurred_at,
        seq=row.seq,
        title=row.tool_name or "",
        text=row.text,
        outcome=outcome,
        duration_ms=row.duration_ms,
        subagent=row.subagent,
    )
