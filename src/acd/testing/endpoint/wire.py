"""The Messages API's shapes: a reply as one JSON object or as server-sent events, an error, the limit headers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from acd.testing.endpoint.replies import Block, Json, Limit, Refusal, Reply, Text, Thinking
from acd.testing.prices import Tokens

_ERRORS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        400: ("invalid_request_error", "bad request"),
        401: ("authentication_error", "invalid x-api-key"),
        403: ("permission_error", "not allowed to use this resource"),
        404: ("not_found_error", "model not found"),
        413: ("request_too_large", "request too large"),
        429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
        500: ("api_error", "Internal server error"),
        529: ("overloaded_error", "Overloaded"),
    }
)
CREDIT = Refusal(status=400, message="Your credit balance is too low to access the Anthropic API.")
TOO_LONG = Refusal(status=400, message="prompt is too long: 250000 tokens > 200000 maximum")
_WINDOWS = MappingProxyType({"five_hour": "5h", "seven_day": "7d"})


def usage_json(tokens: Tokens, output_tokens: int) -> Json:
    """`usage` with the output that is known at that moment."""
    return {
        "input_tokens": tokens.input_tokens,
        "cache_creation_input_tokens": tokens.cache_write_tokens,
        "cache_read_input_tokens": tokens.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h_tokens,
        },
        "output_tokens": output_tokens,
        "service_tier": "standard",
        "server_tool_use": {"web_search_requests": tokens.web_searches, "web_fetch_requests": 0},
        "inference_geo": "global",
    }


def content_json(message_id: str, blocks: list[Block]) -> list[Json]:
    """The content blocks; the ids of tool calls follow from the message's."""
    made = []
    for index, block in enumerate(blocks):
        shown: Json = msgspec.to_builtins(block)
        if isinstance(block, Thinking):
            shown["signature"] = "c2ln"
        elif not isinstance(block, Text):
            shown["id"] = f"toolu_{message_id.removeprefix('msg_')}_{index}"
        made.append(shown)
    return made


def message_json(message_id: str, model: str, reply: Reply) -> Json:
    """The whole message."""
    calls = any(block.__struct_config__.tag == "tool_use" for block in reply.blocks)
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content_json(message_id, reply.blocks),
        "stop_reason": reply.stop_reason or ("tool_use" if calls else "end_turn"),
        "stop_sequence": None,
        "usage": usage_json(reply.usage, reply.usage.output_tokens),
    }


def events(message: Json, tokens: Tokens) -> Iterator[Json]:
    """The same message as server-sent events."""
    begun = message | {"content": [], "stop_reason": None, "usage": usage_json(tokens, 1)}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(message["content"]):
        yield {"type": "content_block_start", "index": index, "content_block": _empty(block)}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": message["usage"]}
    yield {"type": "message_stop"}


def _empty(block: Json) -> Json:
    match block["type"]:
        case "text":
            return block | {"text": ""}
        case "thinking":
            return block | {"thinking": "", "signature": ""}
        case _:
            return block | {"input": {}}


def _deltas(block: Json) -> list[Json]:
    match block["type"]:
        case "text":
            return [{"type": "text_delta", "text": block["text"]}]
        case "thinking":
            return [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case _:
            text = msgspec.json.encode(block["input"]).decode()
            half = len(text) // 2
            return [
                {"type": "input_json_delta", "partial_json": part}
                for part in (text[:half], text[half:])
            ]


def error_json(refusal: Refusal, request_id: str) -> Json:
    """The body of an error."""
    kind, message = _ERRORS.get(refusal.status, ("api_error", "error"))
    error = {"type": refusal.error_type or kind, "message": refusal.message or message}
    return {"type": "error", "error": error, "request_id": request_id}


def limit_headers(limit: Limit | None) -> dict[str, str]:
    """The headers that tell a subscription's limit."""
    if limit is None:
        return {}
    reset, short = str(int(time.time() + limit.resets_in)), _WINDOWS[limit.window]
    prefix = "anthropic-ratelimit-unified"
    headers = {
        f"{prefix}-status": limit.status,
        f"{prefix}-reset": reset,
        f"{prefix}-representative-claim": limit.window,
        f"{prefix}-{short}-status": limit.status,
        f"{prefix}-{short}-utilization": f"{limit.utilization:g}",
        f"{prefix}-{short}-reset": reset,
    }
    if limit.status == "allowed_warning":
        headers[f"{prefix}-{short}-surpassed-threshold"] = "0.9"
    if limit.status == "rejected":
        headers["retry-after"] = str(int(limit.resets_in))
    return headers
