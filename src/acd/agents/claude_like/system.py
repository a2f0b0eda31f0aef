"""Lines of type `system` → events. A subtype that is known and says nothing to record gives none."""

from __future__ import annotations

from typing import Any

import msgspec

from acd.agents.claude_like.content import folder, name_of, optional_name, said
from acd.agents.claude_like.failures import type_of_retry
from acd.agents.claude_like.shapes import ApiError, StreamSystem, TranscriptSystem
from acd.agents.claude_like.usage import model_name, moment
from acd.core.events import (
    AgentStarted,
    Event,
    ModelFellBack,
    PermissionDenied,
    Retried,
    SubagentChanged,
    Unrecognised,
)

# Estimates and repetitions of what other lines say exactly (claude-code.md, section 2).
_SILENT = frozenset({"status", "thinking_tokens", "task_progress", "task_updated"})

_NO_API_KEY = "none"


def stream_system_events(line: StreamSystem) -> list[Event]:
    """Events of a `system` line of the stream. These lines carry no time."""
    match line.subtype:
        case "init" if name_of(line.session_id):
            return [_started(line)]
        case "api_retry":
            return [_retried(line)]
        case "model_fallback":
            return [_fell_back(line)]
        case "permission_denied":
            return [_denied(line)]
        case "task_started":
            return [_subagent(line, "started", line.description)]
        case "task_notification":
            return [_subagent(line, name_of(line.status) or "ended", line.summary)]
        case subtype if isinstance(subtype, str) and subtype in _SILENT:
            return []
        case subtype:
            return [Unrecognised(line_type=name_of(f"system/{subtype}"))]


def transcript_system_events(line: TranscriptSystem) -> list[Event]:
    """Events of a `system` line of a transcript."""
    match line.subtype:
        case "api_error":
            return [_retried_in_transcript(line)]
        case "model_fallback":
            return [_fell_back(line)]
        case subtype:
            return [Unrecognised(at=moment(line.timestamp), line_type=name_of(f"system/{subtype}"))]


def _started(line: StreamSystem) -> AgentStarted:
    source = line.api_key_source
    return AgentStarted(
        agent_session_id=name_of(line.session_id),
        model=model_name(name_of(line.model)) or None,
        agent_version=optional_name(line.claude_code_version),
        cwd=folder(line.cwd),
        api_key=source != _NO_API_KEY if isinstance(source, str) else None,
    )


def _retried(line: StreamSystem) -> Retried:
    return Retried(
        error_type=type_of_retry(line.error_status, line.error),
        error_code=_code(line.error_status),
        attempt=_whole(line.attempt),
        delay_ms=_whole(line.retry_delay_ms),
        message=said(line.error),
    )


def _retried_in_transcript(line: TranscriptSystem) -> Retried:
    """The mirror of a stream's `api_retry`: type, code, attempt and delay come out the same in both."""
    error = _api_error(line.error)
    return Retried(
        at=moment(line.timestamp),
        error_type=type_of_retry(error.status),
        error_code=_code(error.status),
        attempt=_whole(line.retry_attempt),
        delay_ms=_whole(line.retry_in_ms),
        message=said(error.formatted) or said(error.message),
    )


def _api_error(value: Any) -> ApiError:  # noqa: ANN401  # whatever a line may hold there
    return msgspec.convert(value, ApiError) if isinstance(value, dict) else ApiError()


def _fell_back(line: StreamSystem | TranscriptSystem) -> ModelFellBack:
    return ModelFellBack(
        at=moment(line.timestamp) if isinstance(line, TranscriptSystem) else None,
        original_model=model_name(name_of(line.original_model)),
        fallback_model=model_name(name_of(line.fallback_model)),
        trigger=name_of(line.trigger),
    )


def _denied(line: StreamSystem) -> PermissionDenied:
    kind, message = name_of(line.decision_reason_type), said(line.message)
    return PermissionDenied(
        tool_use_id=name_of(line.tool_use_id),
        name=name_of(line.tool_name),
        reason=": ".join(part for part in (kind, message) if part),
    )


def _subagent(line: StreamSystem, status: str, text: object) -> SubagentChanged:
    return SubagentChanged(task_id=name_of(line.task_id), status=status, text=said(text))


def _code(status: object) -> str | None:
    return str(status) if isinstance(status, int) else None


def _whole(value: object) -> int | None:
    """A small count; delays were fractions of a millisecond in earlier versions."""
    if not isinstance(value, int | float) or not 0 <= value < 2**31:
        return None
    return round(value)
