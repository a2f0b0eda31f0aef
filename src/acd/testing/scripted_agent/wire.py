"""The shapes of Claude Code 2.1.330's lines: pure functions from what happened to what is printed and kept.

Stream lines are snake_case, transcript lines camelCase. Field names come from recorded samples of the genuine program.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from acd.testing.prices import Tokens

VERSION = "2.1.330"

Json = dict[str, Any]


class Spent(msgspec.Struct):
    """What one model has cost so far."""

    tokens: Tokens = Tokens()
    cost_usd: Decimal = Decimal(0)


class Assistant(msgspec.Struct, frozen=True):
    """One request as both files name it."""

    message_id: str
    request_id: str
    model: str
    tokens: Tokens
    stop_reason: str


class ToolResult(msgspec.Struct, frozen=True):
    """What a tool gave back: `content` for the model, `detail` as the program keeps it."""

    content: str
    detail: Json | str | None = None
    is_error: bool = False


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """How an API error shows: HTTP status, the API's error type, the program's own names for it, and its text.

    `retry_error` is the word of retry lines, None where the program does not retry; `error_type` is acd's word.
    """

    error_type: str
    text: str
    error: str
    status: int | None = None
    api_error_type: str | None = None
    api_error: str | None = None
    retry_error: str | None = None
    terminal_reason: str = "api_error"


def number(cost: Decimal) -> float:
    """Money as the program prints it: a JSON number."""
    return float(cost)


def _writes(tokens: Tokens) -> Json:
    return {
        "ephemeral_1h_input_tokens": tokens.cache_write_1h_tokens,
        "ephemeral_5m_input_tokens": tokens.cache_write_5m_tokens,
    }


def _server_tools(tokens: Tokens) -> Json:
    return {"web_search_requests": tokens.web_searches, "web_fetch_requests": 0}


def started_usage(tokens: Tokens) -> Json:
    """Usage as of `message_start`: output is 1 whatever it will be. That is what the stream carries."""
    return {
        "input_tokens": tokens.input_tokens,
        "cache_creation_input_tokens": tokens.cache_write_tokens,
        "cache_read_input_tokens": tokens.cache_read_tokens,
        "cache_creation": _writes(tokens),
        "output_tokens": 1,
        "service_tier": "standard",
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "inference_geo": "global",
    }


def final_usage(tokens: Tokens) -> Json:
    """Usage once the reply is complete: what transcript and result carry."""
    return {
        "input_tokens": tokens.input_tokens,
        "cache_creation_input_tokens": tokens.cache_write_tokens,
        "cache_read_input_tokens": tokens.cache_read_tokens,
        "output_tokens": tokens.output_tokens,
        "output_tokens_details": {"thinking_tokens": 0},
        "server_tool_use": _server_tools(tokens),
        "service_tier": "standard",
        "cache_creation": _writes(tokens),
        "inference_geo": "global",
        "iterations": [],
        "speed": "standard",
        "fallback_credit": None,
    }


def stream_message(said: Assistant, block: Json) -> Json:
    """`message` of an `assistant` line in the stream, one content block a line."""
    return {
        "id": said.message_id,
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": [block],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": started_usage(said.tokens),
        "context_management": None,
    }


def transcript_message(said: Assistant, block: Json) -> Json:
    """`message` of an `assistant` line in a transcript."""
    return {
        "id": said.message_id,
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": [block],
        "stop_reason": said.stop_reason,
        "stop_sequence": None,
        "usage": final_usage(said.tokens),
        "stop_details": None,
    }


def synthetic_message(message_id: str, text: str) -> Json:
    """`message` of the line that the program makes up when a request failed for good."""
    usage = final_usage(Tokens()) | {
        "output_tokens_details": None,
        "service_tier": None,
        "inference_geo": None,
        "iterations": None,
        "speed": None,
    }
    return {
        "diagnostics": None,
        "id": message_id,
        "container": None,
        "model": "<synthetic>",
        "role": "assistant",
        "stop_details": None,
        "stop_reason": "stop_sequence",
        "stop_sequence": "",
        "type": "message",
        "usage": usage,
        "content": [{"type": "text", "text": text}],
        "context_management": None,
    }


def model_usage(models: Mapping[str, Spent], *, full: bool) -> Json:
    """`modelUsage` of the result (`full`) or of `cost-state`."""
    return {name: _one_model(name, spent, full) for name, spent in models.items()}


def _one_model(name: str, spent: Spent, full: bool) -> Json:
    tokens = spent.tokens
    usage: Json = {
        "inputTokens": tokens.input_tokens,
        "outputTokens": tokens.output_tokens,
        "thinkingTokens": 0,
        "cacheReadInputTokens": tokens.cache_read_tokens,
        "cacheCreationInputTokens": tokens.cache_write_tokens,
        "cacheCreationEphemeral5mInputTokens": tokens.cache_write_5m_tokens,
        "cacheCreationEphemeral1hInputTokens": tokens.cache_write_1h_tokens,
        "webSearchRequests": tokens.web_searches,
        "costUSD": number(spent.cost_usd),
    }
    if full:
        usage |= {
            "contextWindow": 1_000_000,
            "maxOutputTokens": 128_000,
            "canonicalModel": name,
            "provider": "firstParty",
            "costBasis": "list",
        }
    return usage


def with_text(failure: Failure, text: str) -> Failure:
    """The same failure, told in other words."""
    return msgspec.structs.replace(failure, text=text)
