"""Steps about trouble that passes: the session goes on."""

from __future__ import annotations

import math
import time
from typing import Literal

from acd.testing.prices import Count, full_name
from acd.testing.scripted_agent import lines, trouble
from acd.testing.scripted_agent.failures import FAILURES, FailureName
from acd.testing.scripted_agent.session import Session
from acd.testing.scripted_agent.steps import Asking, Step
from acd.testing.scripted_agent.wire import Json, ToolResult

Window = Literal["five_hour", "seven_day"]


class Retry(Step, frozen=True, tag="retry"):
    """A request fails with `error` and is tried again, `attempts` times: retry lines in stream and transcript."""

    error: FailureName = "overloaded"
    attempts: Count = 1
    max_retries: Count = 10

    def perform(self, session: Session) -> None:
        """Print the lines."""
        trouble.print_retries(session, FAILURES[self.error], self.attempts, self.max_retries)


class FallBack(Step, frozen=True, tag="fallback"):
    """The model is overloaded: two retries, then on with `model` (default: that of `--fallback-model`)."""

    model: str | None = None

    def perform(self, session: Session) -> None:
        """Change the session's model."""
        old = session.model
        new = full_name(self.model or session.options.fallback_model or "sonnet")
        trouble.print_retries(session, FAILURES["overloaded"], 2, 10)
        said: Json = {"type": "system", "subtype": "model_fallback", "trigger": "overloaded"}
        said["content"] = f"Switched to {new} due to high demand for {old}"
        kept = said | {"originalModel": old, "fallbackModel": new}
        with session.gate.held():
            session.recorder.message(session.recorder.main, kept, None)
            session.recorder.print(said | {"original_model": old, "fallback_model": new})
        session.model = new


class WarnOfLimit(Step, frozen=True, tag="limit_warning"):
    """The subscription's limit comes near. `resets_in`: seconds."""

    window: Window = "five_hour"
    utilization: float = 0.92
    resets_in: float = 3600

    @property
    def needs_subscription(self) -> bool:
        """Keys have no such limit."""
        return True

    def perform(self, session: Session) -> None:
        """Print the event."""
        resets_at = math.ceil(time.time() + self.resets_in)
        info = lines.limit_info("allowed_warning", self.window, resets_at, self.utilization)
        trouble.print_limit(session, info)


class BeDenied(Asking, frozen=True, tag="denied"):
    """`count` calls are refused by the permission rules; the session goes on and its result lists the denials.

    `quietly`: the call's result alone tells it, as when Claude Code refuses to read a file of a denied folder.
    """

    command: str = "rm -rf /nonexistent"
    count: Count = 1
    quietly: bool = False

    def perform(self, session: Session) -> None:
        """Ask and be refused."""
        for _ in range(self.count):
            self._ask(session)

    def _ask(self, session: Session) -> None:
        use_id = session.next_tool_id()
        given: Json = {"command": self.command, "description": "forbidden"}
        call = {"type": "tool_use", "id": use_id, "name": "Bash", "input": given}
        session.request([call], self.charge)
        why = f"Permission to use Bash with command {self.command} has been denied."
        session.account.denials.append(
            {"tool_name": "Bash", "tool_use_id": use_id, "tool_input": given}
        )
        line: Json = {
            "type": "system",
            "subtype": "permission_denied",
            "tool_name": "Bash",
            "tool_use_id": use_id,
            "decision_reason_type": "subcommandResults",
            "message": why,
        }
        if not self.quietly:
            with session.gate.held():
                session.recorder.print(line)
        session.give_result(use_id, ToolResult(why, f"Error: {why}", True), accepted=False)
