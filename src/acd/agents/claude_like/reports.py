"""What the agent says of its own spending, and of its account's limits."""

from __future__ import annotations

from typing import Literal

from acd.agents.claude_like.content import name_of, optional_name, said
from acd.agents.claude_like.failures import Failure
from acd.agents.claude_like.shapes import CostState, LimitInfo, RateLimitEvent, Result
from acd.agents.claude_like.usage import cost_of, epoch_moment, money, reports_of
from acd.core.events import AgentFailed, Event, LimitSeen, Reported, Unrecognised

_LIMIT_STATUS: dict[str, Literal["allowed", "warning", "rejected"]] = {
    "allowed": "allowed",
    "allowed_warning": "warning",
    "rejected": "rejected",
}


def result_events(line: Result) -> list[Event]:
    """The final report; with it the failure, where no other line tells it (limits that the agent holds, SIGINT)."""
    failed = bool(line.is_error) or line.subtype != "success"
    failure = Failure(
        subtype=line.subtype,
        status=line.api_error_status,
        api_error=line.api_error,
        terminal_reason=line.terminal_reason,
    )
    text = said(line.result) or said(_first(line.errors))
    own = None
    if line.model_usage_since_last_result is not None:
        own = reports_of(line.model_usage_since_last_result)
    report = Reported(
        models=reports_of(line.model_usage),
        own=own,
        cost_usd=money(line.total_cost_usd),
        own_cost_usd=None if own is None else cost_of(own),
        duration_ms=line.duration_ms,
        api_duration_ms=line.duration_api_ms,
        turns=line.num_turns,
        final=True,
        ok=not failed,
        error_type=failure.error_type if failed else None,
        error_message=text if failed else None,
        text=text,
    )
    if not str(line.subtype).startswith("error_"):
        return [report]
    told = AgentFailed(
        error_type=failure.error_type,
        message=text or name_of(line.subtype),
        error_code=optional_name(failure.error_code),
        output=text,
    )
    return [told, report]


def cost_state_events(line: CostState) -> list[Event]:
    """The running total as a transcript keeps it; written on most ends, never on SIGKILL."""
    return [
        Reported(
            models=reports_of(line.model_usage),
            cost_usd=money(line.total_cost_usd),
            api_duration_ms=line.total_api_duration,
        )
    ]


def limit_events(line: RateLimitEvent) -> list[Event]:
    """News of a limit; a status that we do not know is kept as unrecognised."""
    info = line.rate_limit_info or LimitInfo()
    status = _LIMIT_STATUS.get(info.status) if isinstance(info.status, str) else None
    if status is None:
        return [Unrecognised(line_type=name_of(f"rate_limit_event/{info.status}"))]
    window = name_of(info.rate_limit_type)
    share = info.utilization
    if share is None and window in (info.unified_windows or {}):
        share = (info.unified_windows or {})[window].utilization
    return [
        LimitSeen(
            status=status,
            window=window,
            resets_at=epoch_moment(info.resets_at),
            utilization=float(share) if isinstance(share, int | float) else None,
        )
    ]


def _first(errors: object) -> object:
    return errors[0] if isinstance(errors, list) and errors else None
