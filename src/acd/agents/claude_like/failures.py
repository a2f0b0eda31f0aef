"""Fields of a failure → our error type, by the table in claude-code.md, section 5. Text is never searched."""

from __future__ import annotations

from typing import Any

import msgspec

from acd.core.models import ErrorType

_BY_SUBTYPE: dict[str, ErrorType] = {
    "error_max_turns": "max_turns",
    "error_max_budget_usd": "budget",
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
_BY_ASSISTANT_ERROR: dict[str, ErrorType] = {
    "authentication_failed": "auth",
    "billing_error": "billing",
    "rate_limit": "rate_limit",
    "model_not_found": "model",
    "max_output_tokens": "output_limit",
    "overloaded": "overloaded",
}
_BY_API_ERROR: dict[str, ErrorType] = {
    "usage_limit_reached": "usage_limit",
    "connection_failed": "network",
    "max_output_tokens": "output_limit",
}
_BY_TERMINAL_REASON: dict[str, ErrorType] = {
    "prompt_too_long": "context",
    "max_turns": "max_turns",
    "budget_exhausted": "budget",
}


class Failure(msgspec.Struct, frozen=True):
    """What a line says about a failure. The fields are as the agent wrote them, of whatever type."""

    subtype: Any = None
    status: Any = None
    assistant_error: Any = None
    api_error: Any = None
    terminal_reason: Any = None
    limit_rejected: bool = False

    @property
    def error_type(self) -> ErrorType:
        """Our type; `unknown` where the fields of this one line do not tell."""
        if isinstance(self.subtype, str) and self.subtype.startswith("error_"):
            return self._of_subtype(self.subtype)
        if self.api_error == "usage_limit_reached" or (self.status == 429 and self.limit_rejected):
            return "usage_limit"
        return (
            type_of_status(self.status)
            or _lookup(_BY_ASSISTANT_ERROR, self.assistant_error)
            or _lookup(_BY_API_ERROR, self.api_error)
            or _lookup(_BY_TERMINAL_REASON, self.terminal_reason)
            or self._unanswered()
            or "unknown"
        )

    @property
    def error_code(self) -> str | None:
        """The most exact thing that the line has, HTTP status first."""
        if isinstance(self.status, int):
            return str(self.status)
        if isinstance(self.subtype, str) and self.subtype.startswith("error_"):
            return self.subtype
        for code in (self.api_error, self.assistant_error):
            if isinstance(code, str):
                return code
        return None

    def _of_subtype(self, subtype: str) -> ErrorType:
        if subtype == "error_during_execution":
            reason = self.terminal_reason
            aborted = reason is None or str(reason).startswith("aborted")
            return "interrupted" if aborted else "unknown"
        return _BY_SUBTYPE.get(subtype, "unknown")

    def _unanswered(self) -> ErrorType | None:
        # 2.1.197 has no api_error: there, a server error without any HTTP status is a server that never answered.
        return "network" if self.assistant_error == "server_error" and self.status is None else None


def type_of_status(status: Any) -> ErrorType | None:  # noqa: ANN401  # whatever a line may hold there
    """By HTTP status; None for none and for those that mean several things (400)."""
    if not isinstance(status, int):
        return None
    return _BY_STATUS.get(status) or ("server" if 500 <= status <= 599 else None)


def type_of_retry(status: Any, error: Any = None) -> ErrorType:  # noqa: ANN401  # whatever a line may hold there
    """Type of a failure that is tried again. Without a status nobody answered, whatever the agent calls it."""
    if status is None:
        return _lookup(_BY_ASSISTANT_ERROR, error) or "network"
    return type_of_status(status) or _lookup(_BY_ASSISTANT_ERROR, error) or "unknown"


def _lookup(table: dict[str, ErrorType], key: object) -> ErrorType | None:
    return table.get(key) if isinstance(key, str) else None
