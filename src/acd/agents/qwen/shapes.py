"""The fields that we read of a record; whatever else it holds is skipped undecoded.

Source: `ChatRecord` in `chatRecordingService.ts` and `converter.ts` of github.com/QwenLM/qwen-code, and files that
qwen-code 0.15.10 wrote. Only what figures depend on has a strict type.
"""

from __future__ import annotations

from typing import Any

import msgspec

from acd.agents.claude_like.shapes import Count


class UsageMetadata(msgspec.Struct, rename="camel", gc=False):
    """Tokens in the names of the Gemini API. The prompt includes what was cached.

    Whether `thoughts` are inside `candidates` depends on whose API answered: OpenAI's count them inside, Gemini's
    outside; the total tells which.
    """

    prompt_token_count: Count = None
    candidates_token_count: Count = None
    cached_content_token_count: Count = None
    thoughts_token_count: Count = None
    total_token_count: Count = None


class UiEvent(
    msgspec.Struct,
    rename={
        "name": "event.name",
        "prompt": "input_token_count",
        "output": "output_token_count",
        "cached": "cached_content_token_count",
        "thoughts": "thoughts_token_count",
        "total": "total_token_count",
    },
    gc=False,
):
    """`systemPayload.uiEvent`: of name `….api_response`, a request that was answered, whoever made it."""

    name: Any = None
    prompt: Count = None
    output: Count = None
    cached: Count = None
    thoughts: Count = None
    total: Count = None
    response_id: Any = None
    model: Any = None
    subagent_name: Any = None


class SystemPayload(msgspec.Struct, rename="camel", gc=False):
    """What a record of type `system` holds."""

    ui_event: UiEvent | None = None


class FunctionCall(msgspec.Struct, gc=False):
    """A tool's call."""

    id: Any = None
    name: Any = None
    args: Any = None


class FunctionResponse(msgspec.Struct, gc=False):
    """A tool's result."""

    id: Any = None
    response: Any = None


class Part(msgspec.Struct, rename="camel", gc=False):
    """One part of a message."""

    text: Any = None
    thought: Any = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None


class Content(msgspec.Struct, gc=False):
    """`message`: what went to the model or came from it."""

    parts: list[Part] | None = None


class ToolCallResult(msgspec.Struct, rename="camel", gc=False):
    """What the agent knows of a tool's result beside its text."""

    status: Any = None


class Record(msgspec.Struct, rename="camel", gc=False):
    """Every line: who said it, where, in which session, and what."""

    uuid: Any = None
    session_id: Any = None
    timestamp: Any = None
    type: Any = None
    subtype: Any = None
    cwd: Any = None
    version: Any = None
    git_branch: Any = None
    forked_from: Any = None
    model: Any = None
    message: Content | None = None
    usage_metadata: UsageMetadata | None = None
    tool_call_result: ToolCallResult | None = None
    system_payload: SystemPayload | None = None
