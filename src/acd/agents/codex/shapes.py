"""The fields that we read of each type of line of a rollout file; whatever else a line holds is skipped undecoded.

Source: `RolloutItem` and `EventMsg` of github.com/openai/codex (codex-rs/protocol, codex-rs/rollout/src/policy.rs), and
files that codex 0.169.0 wrote. Only what figures depend on has a strict type.
"""

from __future__ import annotations

from typing import Any

import msgspec

from acd.agents.claude_like.shapes import NULL, Count


class Line(msgspec.Struct, gc=False):
    """Every line: when it was written (a copy of an older line: when it was copied), and what."""

    type: Any = None
    timestamp: Any = None
    payload: msgspec.Raw = NULL


class Git(msgspec.Struct, gc=False):
    """The repository as the session began."""

    branch: Any = None


class SessionMeta(msgspec.Struct, gc=False):
    """`session_meta`: the first line is the file's own; a fork's file repeats those of its ancestors after it.

    `session_id` is the session that a subagent's thread belongs to; older versions tell the parent in `source` only.
    """

    id: Any = None
    session_id: Any = None
    parent_thread_id: Any = None
    timestamp: Any = None
    cwd: Any = None
    cli_version: Any = None
    source: Any = None
    agent_role: Any = None
    git: Git | None = None


class TurnContext(msgspec.Struct, gc=False):
    """`turn_context`: what the requests that follow are made with."""

    turn_id: Any = None
    model: Any = None


class TokenUsage(msgspec.Struct, gc=False):
    """Tokens as the Responses API counts them: cached and written are inside input, reasoning is inside output."""

    input_tokens: Count = None
    cached_input_tokens: Count = None
    cache_write_input_tokens: Count = None
    output_tokens: Count = None
    reasoning_output_tokens: Count = None


class TokenUsageRecord(msgspec.Struct, gc=False):
    """`token_usage_record` (0.169.0; not yet in 0.144): one request. `thread_token_usage` is the sum so far."""

    turn_id: Any = None
    response_id: Any = None
    usage: TokenUsage | None = None
    thread_token_usage: TokenUsage | None = None


class TokenInfo(msgspec.Struct, gc=False):
    """`token_count.info`: the sum so far, and the last request's part of it."""

    total_token_usage: TokenUsage | None = None
    last_token_usage: TokenUsage | None = None


class Item(msgspec.Struct, gc=False):
    """What `item_completed` is about; read for commands only, others are told by `response_item` as well."""

    type: Any = None
    id: Any = None
    status: Any = None
    exit_code: Any = None
    aggregated_output: Any = None


class EventMsg(msgspec.Struct, gc=False):
    """`event_msg`: `type` tells which of the fields can be there."""

    type: Any = None
    turn_id: Any = None
    info: TokenInfo | None = None
    item: Item | None = None
    message: Any = None
    codex_error_info: Any = None


class Content(msgspec.Struct, gc=False):
    """One part of a message."""

    text: Any = None


class ResponseItem(msgspec.Struct, gc=False):
    """`response_item`: what went to the model or came from it."""

    type: Any = None
    role: Any = None
    content: list[Content] | None = None
    name: Any = None
    call_id: Any = None
    arguments: Any = None
    input: Any = None
    action: Any = None
    output: Any = None
