"""How a session ended, judged from what is known of its end. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from acd.core.events import AgentFailed, LimitSeen, Reported
from acd.core.models import ErrorType, SessionStatus
from acd.core.text import redact
from acd.harness.watch import EndReason

_NOT_RETRYABLE: frozenset[ErrorType] = frozenset(
    {"auth", "billing", "config", "permission", "model"}
)
"""What stays as it is until a person changes something."""

# An agent that lingers after its report is judged by that.
_OUR_REASONS: Mapping[EndReason, tuple[ErrorType, str]] = {
    "stopped": ("interrupted", "stopped on request before the agent was done"),
    "timeout": ("timeout", "the session took longer than it may"),
    "silent": ("stalled", "the agent printed nothing for too long"),
    "flooded": ("output_limit", "the agent printed more than it may"),
    "disk_full": ("disk_full", "the disk is nearly full"),
}
_UNTOLD = (None, "unknown")
"""A report may know less than the error before it: Claude Code's result line does not tell billing from a bad request."""

_SIGNALS = {129, 130, 137, 143}
"""Exit statuses by which programs say which signal ended them: HUP, INT, KILL, TERM."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a session's end.

    `reason` None: nobody watched it end. `complaint` is the beginning of the agent's stderr. `trouble` is what went
    wrong on our side; it decides unless the agent had reported a good end. `denials` and `denied_call`: see
    `LiveState`.
    """

    reason: EndReason | None
    exit_code: int | None = None
    printed: bool = False
    complaint: str = ""
    report: Reported | None = None
    failure: AgentFailed | None = None
    limit: LimitSeen | None = None
    trouble: Verdict | None = None
    duration_ms: int | None = None
    denials: int = 0
    denied_call: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement. `ours`: the error is not in the agent's stream, so the journal has to tell it."""

    status: SessionStatus
    error_type: ErrorType | None = None
    message: str | None = None
    resets_at: datetime | None = None
    window: str | None = None
    ours: bool = False
    stack_trace: str | None = None

    @property
    def retryable(self) -> bool:
        """Whether trying again, at once or later, may help without anybody changing something."""
        return self.error_type is not None and self.error_type not in _NOT_RETRYABLE


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a session. Feature figures count passing features; None where no list could be read.

    `verified_features`: how many of those that pass the harness saw pass itself, as far as it knows. `judged`: keys of
    features by what the harness found or did: rejected, unjudged, regressed, restored. `kept_on`: the branch that has the
    session's commits, where the settings say that acd merges none.
    """

    session_id: UUID
    status: SessionStatus
    error_type: ErrorType | None = None
    error_message: str | None = None
    resets_at: datetime | None = None
    retryable: bool = False
    features_before: int | None = None
    features_after: int | None = None
    features_completed: int | None = None
    total_features: int | None = None
    passing_features: int | None = None
    verified_features: int = 0
    judged: Mapping[str, Sequence[str]] = {}
    commits_made: int = 0
    duration_ms: int | None = None
    exit_code: int | None = None
    kept_on: str | None = None


def failed(error_type: ErrorType, message: str, *, stack_trace: str | None = None) -> Verdict:
    """A failure of ours."""
    return Verdict(
        status="failed", error_type=error_type, message=message, ours=True, stack_trace=stack_trace
    )


def judge(ending: Ending) -> Verdict:
    """How a session ended. In this order: a good report, our trouble, our reason, the agent's words, its exit status."""
    if _ended_well(ending):
        return Verdict(status="completed")
    if ending.trouble is not None:
        return ending.trouble
    if ending.reason == "denied":
        return failed("permission", _denied(ending))
    if ending.reason is not None and ending.reason in _OUR_REASONS:
        return failed(*_OUR_REASONS[ending.reason])
    return _agents_words(ending) or failed(*_exit(ending))


def _denied(ending: Ending) -> str:
    """What a person has to decide: let the agent do it, or tell it not to."""
    example = f", e.g. {redact(ending.denied_call)}" if ending.denied_call else ""
    return f"{ending.denials} tool calls were denied{example}"


def _ended_well(ending: Ending) -> bool:
    """The result line decides; an exit status after it counts only where the agent itself chose a bad one."""
    if ending.report is None or not ending.report.ok:
        return False
    code = ending.exit_code
    chosen = ending.reason == "exited" and code is not None and code > 0 and code not in _SIGNALS
    return not chosen


def _agents_words(ending: Ending) -> Verdict | None:
    """What the agent said about its failure: in its last report, or in the last error that it did not get over."""
    report, failure = ending.report, ending.failure
    if (report is not None and report.ok) or (report is None and failure is None):
        return None
    types = [report.error_type if report else None, failure.error_type if failure else None]
    messages = [
        report.error_message if report else "",
        failure.message if failure else "",
        report.text if report else "",
    ]
    error_type: ErrorType = next((each for each in types if each not in _UNTOLD), "unknown")
    window, resets_at = _limit_of(error_type, ending)
    return Verdict(
        status="failed",
        error_type=error_type,
        message=next((each for each in messages if each), "the agent gave no reason"),
        window=window,
        resets_at=resets_at,
    )


def _limit_of(error_type: ErrorType, ending: Ending) -> tuple[str | None, datetime | None]:
    """Window and reset time of the account's limit that the session ran into."""
    if error_type not in {"usage_limit", "rate_limit"}:
        return None, None
    limit = ending.limit if ending.limit and ending.limit.status == "rejected" else None
    said = ending.failure.resets_at if ending.failure else None
    resets_at = said or (limit.resets_at if limit else None)
    if limit is None and resets_at is None:
        return None, None
    return limit.window if limit else "unknown", resets_at


def _exit(ending: Ending) -> tuple[ErrorType, str]:
    code = ending.exit_code
    if code is None:
        return "interrupted", "the agent is gone without a result; its harness had died before"
    if code < 0 or code in _SIGNALS:
        number = -code if code < 0 else code - 128
        return "killed", f"the agent was ended by signal {number}, not by us"
    complaint = f": {ending.complaint}" if ending.complaint else ""
    if code > 0 and not ending.printed:
        return "config", f"the agent did not start (exit status {code}){complaint}"
    return "unknown", f"the agent exited with status {code} and without a result{complaint}"
