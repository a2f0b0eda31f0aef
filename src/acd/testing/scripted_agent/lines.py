"""Whole lines, printed and kept: each function gives a line of the stream, of the transcript, or the pair of both."""

from __future__ import annotations

from acd.testing.scripted_agent.wire import (
    VERSION,
    Assistant,
    Failure,
    Json,
    ToolResult,
    stream_message,
    transcript_message,
)


def init_line(model: str, cwd: str, api_key_source: str) -> Json:
    """The stream's first line."""
    return {
        "type": "system",
        "subtype": "init",
        "cwd": cwd,
        "tools": ["Task", "Bash", "Edit", "Read", "Write"],
        "mcp_servers": [],
        "model": model,
        "permissionMode": "acceptEdits",
        "slash_commands": [],
        "apiKeySource": api_key_source,
        "claude_code_version": VERSION,
        "output_style": "default",
        "agents": ["Explore", "general-purpose", "Plan"],
        "skills": [],
        "plugins": [],
        "original_cwd": cwd,
    }


def assistant_lines(said: Assistant, block: Json) -> tuple[Json, Json]:
    """One content block of a reply: as printed, as kept."""
    printed: Json = {
        "type": "assistant",
        "message": stream_message(said, block),
        "request_id": said.request_id,
    }
    kept: Json = {
        "type": "assistant",
        "message": transcript_message(said, block),
        "requestId": said.request_id,
        "requestedModel": said.model,
    }
    return printed, kept


def tool_result_lines(use_id: str, result: ToolResult, accepted: bool) -> tuple[Json, Json]:
    """A tool's result, or (`accepted` false) the refusal to use it: as printed, as kept."""
    block: Json = {"tool_use_id": use_id, "type": "tool_result", "content": result.content}
    if result.detail is not None or result.is_error:
        block["is_error"] = result.is_error
    message: Json = {"type": "user", "message": {"role": "user", "content": [block]}}
    printed = message | {"tool_result_meta": [_printed_decision(use_id, accepted)]}
    return printed, message | _kept_decision(accepted)


def retry_line(failure: Failure, attempt: int, max_retries: int, delay_ms: int) -> Json:
    """`system/api_retry` of the stream."""
    return {
        "type": "system",
        "subtype": "api_retry",
        "attempt": attempt,
        "max_retries": max_retries,
        "retry_delay_ms": delay_ms,
        "error_status": failure.status,
        "error": failure.retry_error or "unknown",
    }


def api_error_line(failure: Failure, attempt: int, max_retries: int, delay_ms: int) -> Json:
    """`system/api_error` of the transcript: the same retry."""
    shown = f"{failure.status} {failure.api_error_type}" if failure.status else failure.text
    return {
        "type": "system",
        "subtype": "api_error",
        "level": "error",
        "error": {
            "message": shown,
            "status": failure.status,
            "formatted": shown,
            "connection": None,
            "isNetworkDown": False,
            "rateLimits": None,
            "noResponse": None,
        },
        "retryInMs": delay_ms,
        "retryAttempt": attempt,
        "maxRetries": max_retries,
        "source": "request_retry",
    }


def limit_info(status: str, window: str, resets_at: int, utilization: float | None = None) -> Json:
    """`rate_limit_info`; `resets_at` in epoch seconds."""
    info: Json = {"status": status, "resetsAt": resets_at, "rateLimitType": window}
    shown: Json = {"utilization": 1 if utilization is None else utilization, "resetsAt": resets_at}
    if utilization is not None:
        info["utilization"] = utilization
    if status == "rejected":
        shown["status"] = status
    return info | {"isUsingOverage": False, "unifiedWindows": {window: shown}}


def _printed_decision(use_id: str, accepted: bool) -> Json:
    decision = {"decision": "accept" if accepted else "reject", "source": "config"}
    if accepted:
        return {"id": use_id, "permission_decision": decision | {"reason_type": "rule"}}
    return {"id": use_id, "non_execution_kind": "user-rejected", "permission_decision": decision}


def _kept_decision(accepted: bool) -> Json:
    if accepted:
        decision = {"decision": "accept", "source": "config", "reasonType": "rule"}
        return {"permissionDecision": decision}
    refusal = {"decision": "reject", "source": "config", "reasonCode": "safetyCheck"}
    return {"permissionDecision": refusal, "toolDenialKind": "user-rejected"}
