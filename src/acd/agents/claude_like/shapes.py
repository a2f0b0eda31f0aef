"""The fields that we read of each type of line; whatever else a line holds is skipped undecoded.

Only what figures depend on has a strict type. Fields for show are `Any`, so that one of an unexpected type
costs its own text and not the whole line. Absent and null are the same everywhere.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

# The agent counts in doubles, which are exact up to 2^53; four such sums still fit PostgreSQL's bigint.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None
Money = Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None

# What an absent field is that stays undecoded.
NULL = msgspec.Raw(b"null")


class _Shape(msgspec.Struct, kw_only=True, tag_field="type", gc=False):
    pass


class CacheCreation(msgspec.Struct, gc=False):
    """Cache writes by their time to live."""

    ephemeral_5m_input_tokens: Count = None
    ephemeral_1h_input_tokens: Count = None


class OutputDetails(msgspec.Struct, gc=False):
    """What is inside `output_tokens`."""

    thinking_tokens: Count = None


class ServerTools(msgspec.Struct, gc=False):
    """Tools that the model's server ran and bills."""

    web_search_requests: Count = None


class MessageUsage(msgspec.Struct, gc=False):
    """`message.usage`, as the Messages API returns it."""

    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: ServerTools | None = None
    service_tier: Any = None
    speed: Any = None
    inference_geo: Any = None


class ModelUsage(msgspec.Struct, rename="camel", gc=False):
    """One entry of `modelUsage`; camelCase in the stream, too."""

    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_creation_5m_tokens: Count = msgspec.field(
        name="cacheCreationEphemeral5mInputTokens", default=None
    )
    cache_creation_1h_tokens: Count = msgspec.field(
        name="cacheCreationEphemeral1hInputTokens", default=None
    )
    thinking_tokens: Count = None
    web_search_requests: Count = None
    cost_usd: Money = msgspec.field(name="costUSD", default=None)


class Message(msgspec.Struct, gc=False):
    """`message` of an assistant or user line. `content` stays undecoded until its blocks are read."""

    id: Any = None
    model: Any = None
    content: msgspec.Raw = NULL
    usage: MessageUsage | None = None


class LimitWindow(msgspec.Struct, gc=False):
    """One entry of `unifiedWindows`."""

    utilization: Any = None


class LimitInfo(msgspec.Struct, rename="camel", gc=False):
    """`rate_limit_info`; camelCase in the stream, too. `resets_at`: epoch seconds."""

    status: Any = None
    resets_at: Any = None
    rate_limit_type: Any = None
    utilization: Any = None
    unified_windows: dict[str, LimitWindow] | None = None


class ErrorParams(msgspec.Struct, gc=False):
    """`api_error_params`; snake_case in the transcript, too."""

    rate_limit_info: LimitInfo | None = None


class StreamAssistant(_Shape, tag="assistant"):
    """One content block of a model's reply, or (model `<synthetic>`) what the agent says in its place."""

    message: Message | None = None
    uuid: Any = None
    timestamp: Any = None
    request_id: Any = None
    parent_tool_use_id: Any = None
    agent_id: Any = None
    subagent_type: Any = None
    error: Any = None
    is_api_error_message: Any = None
    api_error_status: Any = None
    api_error: Any = None
    api_error_params: ErrorParams | None = None

    @property
    def subagent(self) -> str | None:
        """Type of the subagent that said it, else its id."""
        return first_text(self.parent_tool_use_id, self.subagent_type, self.agent_id)


class TranscriptAssistant(_Shape, tag="assistant", rename="camel"):
    """The same in a transcript, with final usage."""

    message: Message | None = None
    uuid: Any = None
    timestamp: Any = None
    request_id: Any = None
    is_sidechain: Any = None
    agent_id: Any = None
    attribution_agent: Any = None
    error: Any = None
    is_api_error_message: Any = None
    api_error_status: Any = None
    api_error: Any = None
    api_error_params: ErrorParams | None = None

    @property
    def subagent(self) -> str | None:
        """Type of the subagent that said it, else its id."""
        return first_text(self.is_sidechain, self.attribution_agent, self.agent_id)


class PermissionDecision(msgspec.Struct, gc=False):
    """What became of the question whether a tool may be used: `accept` or `reject`."""

    decision: Any = None


class ToolResultMeta(msgspec.Struct, gc=False):
    """One entry of the stream's `tool_result_meta`."""

    id: Any = None
    permission_decision: PermissionDecision | None = None


class StreamUser(_Shape, tag="user"):
    """A tool's result, or a subagent's prompt."""

    message: Message | None = None
    timestamp: Any = None
    parent_tool_use_id: Any = None
    agent_id: Any = None
    subagent_type: Any = None
    tool_result_meta: list[ToolResultMeta] | None = None

    @property
    def subagent(self) -> str | None:
        """Type of the subagent that it was said to, else its id."""
        return first_text(self.parent_tool_use_id, self.subagent_type, self.agent_id)

    def refused(self, tool_use_id: str) -> bool:
        """Whether the tool was not run because it was not allowed."""
        return any(
            meta.id == tool_use_id and _rejects(meta.permission_decision)
            for meta in self.tool_result_meta or ()
        )


class TranscriptUser(_Shape, tag="user", rename="camel"):
    """A prompt or a tool's result; also tells who the agent is, where, and on which branch."""

    message: Message | None = None
    timestamp: Any = None
    parent_uuid: Any = None
    is_sidechain: Any = None
    is_meta: Any = None
    agent_id: Any = None
    session_id: Any = None
    version: Any = None
    cwd: Any = None
    git_branch: Any = None
    tool_denial_kind: Any = None
    permission_decision: PermissionDecision | None = None

    @property
    def subagent(self) -> str | None:
        """Id of the subagent that it was said to; these lines do not tell its type."""
        return first_text(self.is_sidechain, self.agent_id)

    def refused(self, tool_use_id: str) -> bool:
        """Whether the tool was not run because it was not allowed; such a line holds one result only."""
        return self.tool_denial_kind is not None or _rejects(self.permission_decision)


class StreamSystem(_Shape, tag="system"):
    """Everything of type `system`; `subtype` tells which of the fields can be there."""

    subtype: Any = None
    session_id: Any = None
    model: Any = None
    cwd: Any = None
    api_key_source: Any = msgspec.field(name="apiKeySource", default=None)
    claude_code_version: Any = None
    attempt: Any = None
    retry_delay_ms: Any = None
    error_status: Any = None
    error: Any = None
    trigger: Any = None
    original_model: Any = None
    fallback_model: Any = None
    tool_name: Any = None
    tool_use_id: Any = None
    decision_reason_type: Any = None
    message: Any = None
    task_id: Any = None
    status: Any = None
    description: Any = None
    summary: Any = None


class ApiError(msgspec.Struct, gc=False):
    """`error` of the transcript's `system/api_error`."""

    status: Any = None
    formatted: Any = None
    message: Any = None


class TranscriptSystem(_Shape, tag="system", rename="camel"):
    """`system` lines of a transcript."""

    subtype: Any = None
    timestamp: Any = None
    error: Any = None
    retry_attempt: Any = None
    retry_in_ms: Any = None
    trigger: Any = None
    original_model: Any = None
    fallback_model: Any = None


class Result(_Shape, tag="result"):
    """The end of a prompt."""

    subtype: Any = None
    is_error: Any = None
    result: Any = None
    errors: Any = None
    api_error_status: Any = None
    api_error: Any = None
    terminal_reason: Any = None
    num_turns: Count = None
    duration_ms: Count = None
    duration_api_ms: Count = None
    total_cost_usd: Money = None
    model_usage: dict[str, ModelUsage] | None = msgspec.field(name="modelUsage", default=None)
    model_usage_since_last_result: dict[str, ModelUsage] | None = None


class CostState(_Shape, tag="cost-state", rename="camel"):
    """What the agent has spent since its session began, kept for a resume."""

    model_usage: dict[str, ModelUsage] | None = None
    total_cost_usd: Money = msgspec.field(name="totalCostUSD", default=None)
    total_api_duration: Count = msgspec.field(name="totalAPIDuration", default=None)


class RateLimitEvent(_Shape, tag="rate_limit_event"):
    """News of a subscription's limit."""

    rate_limit_info: LimitInfo | None = None


class StreamEvent(_Shape, tag="stream_event"):
    """A raw event of the model's reply: its assistant lines say the same."""


class Attachment(_Shape, tag="attachment"):
    """What the agent put into the model's context: nothing to count."""


class QueueOperation(_Shape, tag="queue-operation"):
    """A prompt was queued: its user line says the same."""


class LastPrompt(_Shape, tag="last-prompt"):
    """The agent's own bookmark."""


class ToolsUsed(_Shape, tag="tools-used"):
    """The agent's own bookmark."""


class AtisLatch(_Shape, tag="atis-latch"):
    """The agent's own bookmark."""


class ApiRequestShape(_Shape, tag="api-request-shape"):
    """The system prompt and the tools' schemas: large, and nothing to count."""


class Head(msgspec.Struct, gc=False):
    """What is asked of a line whose type is none of the above."""

    type: Any = None


def first_text(marks_subagent: object, *names: object) -> str | None:
    """The first name that is one, of a line that a subagent said; None for any other line."""
    if not marks_subagent:
        return None
    found = (name for name in (*names, marks_subagent) if isinstance(name, str) and name)
    return next(found, "subagent")


def _rejects(decision: PermissionDecision | None) -> bool:
    return decision is not None and decision.decision == "reject"


StreamLine = StreamAssistant | StreamUser | StreamSystem | Result | RateLimitEvent | StreamEvent
TranscriptLine = (
    TranscriptAssistant
    | TranscriptUser
    | TranscriptSystem
    | CostState
    | Attachment
    | QueueOperation
    | LastPrompt
    | ToolsUsed
    | AtisLatch
    | ApiRequestShape
)
