"""`event_msg/error` → a failure with our error type, taken from `codex_error_info`; the text is never searched.

Source: `CodexErrorInfo` in codex-rs/protocol/src/protocol.rs of github.com/openai/codex: a word, or an object of one
word with the HTTP status where there was one.
"""

from __future__ import annotations

from datetime import datetime

from acd.agents.claude_like.content import name_of, said
from acd.agents.codex.shapes import EventMsg
from acd.core.events import AgentFailed
from acd.core.models import ErrorType

_BY_WORD: dict[str, ErrorType] = {
    "context_window_exceeded": "context",
    "usage_limit_exceeded": "usage_limit",
    "session_budget_exceeded": "budget",
    "server_overloaded": "overloaded",
    "internal_server_error": "server",
    "unauthorized": "auth",
    "http_connection_failed": "network",
    "response_stream_connection_failed": "network",
    "response_stream_disconnected": "network",
    "response_too_many_failed_attempts": "server",
    "sandbox_error": "permission",
}
_BY_STATUS: dict[int, ErrorType] = {
    401: "auth",
    402: "billing",
    403: "auth",
    404: "model",
    413: "context",
    429: "rate_limit",
}


def failure_of(at: datetime | None, event: EventMsg) -> AgentFailed:
    """The failure that ended a turn."""
    word, status = _told(event.codex_error_info)
    by_status = _BY_STATUS.get(status) if status is not None else None
    text = said(event.message)
    return AgentFailed(
        at=at,
        error_type=by_status or _BY_WORD.get(word, "unknown"),
        message=text or word or "error",
        error_code=str(status) if status is not None else word or None,
        output=text,
    )


def _told(info: object) -> tuple[str, int | None]:
    if isinstance(info, dict) and len(info) == 1:
        word, more = next(iter(info.items()))
        status = more.get("http_status_code") if isinstance(more, dict) else None
        return name_of(word), status if isinstance(status, int) else None
    return name_of(info), None
