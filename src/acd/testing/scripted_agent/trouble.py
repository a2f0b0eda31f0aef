"""Lines about requests that failed: retries, limits, the made-up last message."""

from __future__ import annotations

from acd.testing.scripted_agent import lines, wire
from acd.testing.scripted_agent.session import Session
from acd.testing.scripted_agent.wire import Failure, Json


def print_retries(session: Session, failure: Failure, attempts: int, max_retries: int) -> None:
    """A request fails and is tried again, `attempts` times (without waiting)."""
    for attempt in range(1, attempts + 1):
        delay_ms = 500 * 2 ** (attempt - 1) + session.rng.randint(0, 100)
        with session.gate.held():
            kept = lines.api_error_line(failure, attempt, max_retries, delay_ms)
            session.recorder.message(session.recorder.main, kept, None)
            session.recorder.print(lines.retry_line(failure, attempt, max_retries, delay_ms))


def print_limit(session: Session, info: Json) -> None:
    """News of a subscription's limit."""
    with session.gate.held():
        session.recorder.print({"type": "rate_limit_event", "rate_limit_info": info})


def print_synthetic(session: Session, failure: Failure, params: Json | None = None) -> None:
    """The assistant message that the program makes up when a request failed for good."""
    number = session.recorder.next_uuid()
    message = wire.synthetic_message(number, failure.text)
    base: Json = {"type": "assistant", "message": message, "error": failure.error}
    printed, kept = base | {"is_api_error_message": True}, base | {"isApiErrorMessage": True}
    if failure.status is not None:
        printed["request_id"] = kept["requestId"] = f"req_err_{number}"
    for snake, camel, value in (
        ("api_error_status", "apiErrorStatus", failure.status),
        ("api_error_type", "apiErrorType", failure.api_error_type),
        ("api_error", "apiError", failure.api_error),
        ("api_error_params", "apiErrorParams", params),
    ):
        if value is not None:
            printed[snake] = kept[camel] = value
    with session.gate.held():
        session.recorder.message(session.recorder.main, kept, printed)
