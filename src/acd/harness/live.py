"""What is known of a session while it runs, from its stream: small whatever the agent prints, good enough to look at.

The ledger has the exact figures. In Claude-like streams, for one, the output of a request is known only afterwards.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from acd.core.events import (
    AgentFailed,
    AgentStarted,
    Event,
    LimitSeen,
    ModelFellBack,
    PermissionDenied,
    Reported,
    RequestSeen,
    Retried,
    ToolEnded,
    ToolUsed,
)
from acd.core.models import SessionType, Target, Usage
from acd.core.text import shorten

_REMEMBERED_REQUESTS = 256
"""Snapshots of one request stand close together; older requests are only counted."""

_REMEMBERED_CALLS = 256
"""Tool calls that may wait for their result at a time; a denial stands right behind its call."""

_CALL_LENGTH = 120


@dataclass
class LiveState:
    """A running session. `started` and `last_activity` are on the monotonic clock, in seconds.

    `denials` counts tool calls that were not allowed; `denied_call` is the last of them, as `Bash(git push)`.
    """

    session_id: UUID
    target: Target
    session_type: SessionType
    model: str
    session_number: int | None = None
    started: float = field(default_factory=time.monotonic)
    last_activity: float = field(default_factory=time.monotonic)
    printed: int = 0
    requests: int = 0
    usage: Usage = field(default_factory=Usage)
    retries: int = 0
    last_tool: str = ""
    last_tool_text: str = ""
    total_features: int | None = None
    passing_features: int | None = None
    report: Reported | None = None
    reported_at: float | None = None
    failure: AgentFailed | None = None
    limit: LimitSeen | None = None
    denials: int = 0
    denied_call: str = ""
    _calls: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _denied: set[str] = field(default_factory=set)
    _recent: OrderedDict[str, Usage] = field(default_factory=OrderedDict)

    @property
    def elapsed(self) -> float:
        """Seconds since the session began."""
        return time.monotonic() - self.started

    @property
    def told_tokens(self) -> int:
        """Tokens as the agent's report has them: its stream may lack requests (Claude Code's lacks a subagent's last one)."""
        if self.report is None:
            return self.usage.total
        parts = self.report.models if self.report.own is None else self.report.own
        return sum(part.usage.total for part in parts.values())

    @property
    def told_cost_usd(self) -> Decimal | None:
        """USD by the agent's own account, where it told."""
        return (self.report.own_cost_usd or self.report.cost_usd) if self.report else None

    def take(self, event: Event) -> None:
        """Fold an event in."""
        match event:
            case RequestSeen():
                self._take_request(event)
            case ToolUsed():
                self.last_tool, self.last_tool_text = event.name, event.text
                self._take_call(event)
            case PermissionDenied() | ToolEnded(outcome="denied"):
                self._take_denial(event)
            case AgentStarted(model=str(model)) | ModelFellBack(fallback_model=model):
                self.model = model
            case Retried():
                self.retries += 1
            case LimitSeen():
                self.limit = event
            case AgentFailed():
                self.failure = event
            case Reported(final=True):
                self.report, self.reported_at = event, time.monotonic()

    def _take_call(self, call: ToolUsed) -> None:
        self._calls[call.tool_use_id] = shorten(f"{call.name}({call.text})", _CALL_LENGTH)
        if len(self._calls) > _REMEMBERED_CALLS:
            self._calls.popitem(last=False)

    def _take_denial(self, event: PermissionDenied | ToolEnded) -> None:
        """Most denials are told twice, by a line of their own and by the call's result; some by the result alone."""
        if event.tool_use_id in self._denied:
            return
        self._denied.add(event.tool_use_id)
        self.denials += 1
        self.denied_call = self._calls.get(event.tool_use_id, self.denied_call)

    def _take_request(self, request: RequestSeen) -> None:
        self.failure = None  # whatever had failed, the agent got over it
        known = self._recent.pop(request.request_key, None)
        if known is None:
            self.requests += 1
        greatest = max(known or Usage(), request.usage, key=lambda usage: usage.total)
        self.usage = _changed(self.usage, known or Usage(), greatest)
        self._recent[request.request_key] = greatest
        if len(self._recent) > _REMEMBERED_REQUESTS:
            self._recent.popitem(last=False)


def _changed(total: Usage, old: Usage, new: Usage) -> Usage:
    return Usage(
        **{
            name: getattr(total, name) - getattr(old, name) + getattr(new, name)
            for name in Usage.__struct_fields__
        }
    )
