"""How a session ends, and the two lines that say so: the stream's `result` and the transcript's `cost-state`."""

from __future__ import annotations

import signal
from typing import Literal

import msgspec

from acd.testing.prices import Tokens
from acd.testing.scripted_agent.wire import Failure, Json, Spent, final_usage, model_usage, number


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """An end. `subtype` None: no result line. `error_type` is what acd should call it, None where that depends."""

    exit_code: int
    subtype: str | None = "success"
    is_error: bool = True
    terminal_reason: str = "completed"
    failure: Failure | None = None
    errors: list[str] | None = None
    error_type: str | None = None
    keeps_cost_state: bool = True

    @property
    def outcome(self) -> Literal["completed", "failed"]:
        """Whether the session counts as done or as failed."""
        return "failed" if self.is_error else "completed"


class SessionOver(Exception):
    """The session ends here."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.terminal_reason)
        self.ending = ending


def done() -> Ending:
    """The agent did what it was going to do."""
    return Ending(exit_code=0, is_error=False)


def api_failure(failure: Failure) -> Ending:
    """A request failed for good; the subtype is `success` all the same, as in the genuine program."""
    return Ending(
        exit_code=1,
        failure=failure,
        terminal_reason=failure.terminal_reason,
        error_type=failure.error_type,
    )


def out_of_turns(limit: int) -> Ending:
    """`--max-turns` was reached."""
    return Ending(
        exit_code=1,
        subtype="error_max_turns",
        terminal_reason="max_turns",
        errors=[f"Reached maximum number of turns ({limit})"],
        error_type="max_turns",
    )


def out_of_budget(limit_usd: float) -> Ending:
    """`--max-budget-usd` was reached."""
    return Ending(
        exit_code=1,
        subtype="error_max_budget_usd",
        terminal_reason="budget_exhausted",
        errors=[f"Reached maximum budget (${limit_usd:g})"],
        error_type="budget",
    )


def stopped(signum: int) -> Ending:
    """A signal: INT still gets a result line and exit status 0, TERM and HUP do not."""
    if signum == signal.SIGINT:
        return Ending(
            exit_code=0,
            subtype="error_during_execution",
            terminal_reason="aborted_streaming",
            errors=["Request was aborted."],
        )
    return Ending(exit_code=128 + signum, subtype=None)


class Account(msgspec.Struct):
    """What the session has used up by now."""

    models: dict[str, Spent] = msgspec.field(default_factory=dict)
    main: Tokens = Tokens()
    user_lines: int = 0
    api_ms: int = 0
    denials: list[Json] = msgspec.field(default_factory=list)
    subagents: dict[str, int] = msgspec.field(default_factory=dict)
    last_text: str = ""

    @property
    def cost(self) -> float:
        """USD over all models."""
        return number(
            sum((spent.cost_usd for spent in self.models.values()), start=Spent().cost_usd)
        )


def result_line(ending: Ending, account: Account, duration_ms: int) -> Json:
    """The stream's last line. Keys an ending does not have are absent, as in the genuine program."""
    line: Json = {
        "duration_api_ms": account.api_ms,
        "stop_reason": "stop_sequence" if ending.failure else "end_turn",
        "total_cost_usd": account.cost,
        "usage": final_usage(account.main),
        "modelUsage": model_usage(account.models, full=True),
        "permission_denials": account.denials,
        "terminal_reason": ending.terminal_reason,
        "subagent_stats": _subagent_stats(account.subagents),
        "is_error": ending.is_error,
        "num_turns": account.user_lines + 1,
        "subtype": ending.subtype,
        "type": "result",
        "duration_ms": duration_ms,
        "queued_turn_count": 0,
        "result_index": 0,
        "model_usage_since_last_result": model_usage(account.models, full=True),
    }
    if ending.errors is not None:
        return line | {"errors": ending.errors}
    line |= {"api_error_status": None, "result": account.last_text}
    if ending.failure is not None:
        line |= {"result": ending.failure.text} | _api_error(ending.failure)
    return line


def _api_error(failure: Failure) -> Json:
    fields = {
        "api_error_status": failure.status,
        "api_error_type": failure.api_error_type,
        "api_error": failure.api_error,
    }
    return {k: v for k, v in fields.items() if v is not None}


def _subagent_stats(by_type: dict[str, int]) -> Json:
    spawned = sum(by_type.values())
    return {"spawned": spawned, "completed": spawned, "failed": 0, "by_type": by_type}


def cost_state_line(account: Account, started_ms: int, duration_ms: int) -> Json:
    """The main transcript's last line; `started_ms` in epoch milliseconds."""
    return {
        "type": "cost-state",
        "totalCostUSD": account.cost,
        "totalAPIDuration": account.api_ms,
        "totalAPIDurationWithoutRetries": account.api_ms,
        "totalToolDuration": 0,
        "totalLinesAdded": 0,
        "totalLinesRemoved": 0,
        "totalDuration": duration_ms,
        "startTime": started_ms,
        "modelUsage": model_usage(account.models, full=False),
        "hasUnknownModelCost": False,
    }
