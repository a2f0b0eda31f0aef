"""`error` of a message → a failure with our error type, by its name and status; the text is never searched.

Source: the errors of `message-v2.ts` in github.com/anomalyco/opencode.
"""

from __future__ import annotations

from datetime import datetime

from acd.agents.claude_like.content import name_of, said
from acd.agents.opencode.shapes import Failure
from acd.core.events import AgentFailed
from acd.core.models import ErrorType

_BY_NAME: dict[str, ErrorType] = {
    "ProviderAuthError": "auth",
    "MessageOutputLengthError": "output_limit",
    "MessageAbortedError": "interrupted",
    "ContextOverflowError": "context",
}
_BY_STATUS: dict[int, ErrorType] = {
    401: "auth",
    402: "billing",
    403: "auth",
    404: "model",
    413: "context",
    429: "rate_limit",
    529: "overloaded",
}
_SERVER = range(500, 600)


def failure_of(at: datetime | None, error: Failure) -> AgentFailed:
    """The failure that ended a message."""
    name = name_of(error.name)
    data = error.data if isinstance(error.data, dict) else {}
    status = data.get("statusCode")
    text = said(data.get("message"))
    return AgentFailed(
        at=at,
        error_type=_type_of(name, status),
        message=text or name or "error",
        error_code=str(status) if isinstance(status, int) else name or None,
        output=text,
    )


def _type_of(name: str, status: object) -> ErrorType:
    if isinstance(status, int):
        return _BY_STATUS.get(status, "server" if status in _SERVER else "unknown")
    return _BY_NAME.get(name, "unknown")
