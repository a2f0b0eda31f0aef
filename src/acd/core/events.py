"""What an agent did, one event a thing that happened: the closed union that adapters yield.

Adapters turn one line into zero or more events and keep no state between lines: whatever needs more than one line
(the greatest snapshot of a request, this session's part of a cumulative report) is folded by the ledger, which
reads from remembered offsets and may start in the middle of a file. Times are what the line says, else None.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from acd.core.models import ErrorType, ModelReport, Usage


class _Event(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", kw_only=True, gc=False
):
    at: datetime | None = None


class AgentStarted(_Event, frozen=True, tag="agent_started"):
    """The agent told who it is. `model` is the full name; `api_key` tells subscription (False) from key (True)."""

    agent_session_id: str
    model: str | None = None
    agent_version: str | None = None
    cwd: str | None = None
    branch: str | None = None
    api_key: bool | None = None


class RequestSeen(_Event, frozen=True, tag="request"):
    """A snapshot of one call of a model. Several snapshots of a request share `request_key`; the greatest counts.

    `request_key` already carries the agent's name. `subagent` is the type of the subagent that asked (its id
    where the type is unknown), None for the main chain. `terms`: what its price depends on beside model and tokens, words
    of "batch", "fast" and "us" in this order; empty for what is usual. A first word `from:PROVIDER` says who sold it (an id
    of genai-prices), where the agent asks more than one and that is told.
    """

    request_key: str
    model: str
    usage: Usage
    request_id: str | None = None
    tools: list[str] = []
    subagent: str | None = None
    terms: str = ""


class TextSaid(_Event, frozen=True, tag="text"):
    """Text of the agent (or of its prompt), cut to what a timeline shows."""

    role: Literal["agent", "user"]
    text: str
    subagent: str | None = None


class ToolUsed(_Event, frozen=True, tag="tool_used"):
    """The agent called a tool; `text` is the short form of its input (a command, a path)."""

    tool_use_id: str
    name: str
    text: str = ""
    subagent: str | None = None


class ToolEnded(_Event, frozen=True, tag="tool_ended"):
    """The result of a tool came back."""

    tool_use_id: str
    outcome: Literal["ok", "error", "denied"]
    text: str = ""
    subagent: str | None = None


class SubagentChanged(_Event, frozen=True, tag="subagent"):
    """A subagent started or ended."""

    task_id: str
    status: str
    text: str = ""


class Retried(_Event, frozen=True, tag="retry"):
    """The agent's request failed and it tries again: the only trace of trouble in a session that ends well."""

    error_type: ErrorType
    error_code: str | None = None
    attempt: int | None = None
    delay_ms: int | None = None
    message: str = ""


class ModelFellBack(_Event, frozen=True, tag="model_fallback"):
    """The agent went on with another model than it was asked to use."""

    original_model: str
    fallback_model: str
    trigger: str = ""


class PermissionDenied(_Event, frozen=True, tag="permission_denied"):
    """A tool call was refused."""

    tool_use_id: str
    name: str
    reason: str = ""


class LimitSeen(_Event, frozen=True, tag="limit"):
    """News of an account's limit. `window` is the agent's name for it (five_hour, seven_day, …)."""

    status: Literal["allowed", "warning", "rejected"]
    window: str
    resets_at: datetime | None = None
    utilization: float | None = None


class AgentFailed(_Event, frozen=True, tag="agent_failed"):
    """The agent gave up on something for good. `output` is what it printed about it."""

    error_type: ErrorType
    message: str
    error_code: str | None = None
    output: str = ""
    resets_at: datetime | None = None


class Reported(_Event, frozen=True, tag="report"):
    """The agent's own account of what it spent.

    `models` is the running total since the agent's session began; `own` the part since its last report, where the
    agent says it. `final` marks the line with which an agent ends its work (Claude Code: `result`); reports that
    are mere state (`cost-state` in a transcript) are not final. `ok` is meaningless unless `final`.
    """

    models: dict[str, ModelReport]
    own: dict[str, ModelReport] | None = None
    cost_usd: Decimal | None = None
    own_cost_usd: Decimal | None = None
    duration_ms: int | None = None
    api_duration_ms: int | None = None
    turns: int | None = None
    final: bool = False
    ok: bool = True
    error_type: ErrorType | None = None
    error_message: str | None = None
    text: str = ""


class Unrecognised(_Event, frozen=True, tag="unrecognised"):
    """A line that is well formed but of a type that this version does not know; counted, kept, never an error."""

    line_type: str


Event = (
    AgentStarted
    | RequestSeen
    | TextSaid
    | ToolUsed
    | ToolEnded
    | SubagentChanged
    | Retried
    | ModelFellBack
    | PermissionDenied
    | LimitSeen
    | AgentFailed
    | Reported
    | Unrecognised
)
