"""What happens, as short true texts. Pure: each call of an observer gives a notice or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from acd.core.models import Target
from acd.core.text import excerpt, printable
from acd.dashboard.formats import money, tokens
from acd.harness.live import LiveState
from acd.harness.outcome import Outcome
from acd.notify.wire import Notice, Tone
from acd.queue.steps import Cause, Done, Stop

_NO_FAILURE = frozenset({"usage_limit", "rate_limit", "interrupted"})
"""A limit is told as a wait, and a session that somebody stopped is no news."""

_A_LITTLE_LATER = timedelta(minutes=1)
_LONGEST_REASON = 500
_MOST_NAMED = 20
_ALL = ""


@dataclass
class _Done:
    """What the sessions of one target came to in this run, as far as their streams told."""

    sessions: int = 0
    failed: int = 0
    tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    passing: int = 0
    verified: int = 0
    total: int | None = None


class Chronicle:
    """Follows the sessions of one process and says what is worth telling of."""

    def __init__(self) -> None:
        self._live: dict[UUID, LiveState] = {}
        self._done: dict[str, _Done] = {}
        self._limits: dict[str, datetime] = {}

    def session_progress(self, live: LiveState) -> None:
        """See `Observer`; kept for the figures at its end."""
        self._live[live.session_id] = live

    def session_ended(self, target: Target, outcome: Outcome) -> Notice | None:
        """A failure, or a budget that was used up in mid-session."""
        live = self._live.pop(outcome.session_id, None)
        self._add(target, outcome, live)
        if outcome.status == "completed" or outcome.error_type in _NO_FAILURE:
            return None
        budget = outcome.error_type == "budget"
        what = "session ended by a budget" if budget else f"session failed ({outcome.error_type})"
        lines = [_clean(outcome.error_message or "no reason known"), *_figures_of(outcome, live)]
        return Notice(
            "budget" if budget else "failure",
            target.repo_id,
            _title(target.repo_id, what),
            "\n".join(lines),
            "warning" if budget else "failure",
        )

    def target_waiting(
        self, target: Target, until: datetime, reason: str, cause: Cause | None, now: datetime
    ) -> Notice | None:
        """A limit or the day's budget, once for all targets that wait for it."""
        if cause == "budget_of_all":
            body = f"{_clean(reason)}\nNo session begins before {_when(until)}."
            return Notice("budget", _ALL, "acd: a budget is used up", body, "warning")
        if cause != "limit":
            return None
        known = self._limits.get(reason)
        if known is not None and now <= known and until < known + _A_LITTLE_LATER:
            return None
        self._limits[reason] = until
        name = _clean(reason)
        body = f"{name}: {_clean(target.repo_id)} and whatever else it holds back wait until {_when(until)}."
        return Notice("limit", reason, f"acd: {name}", body, "warning")

    def target_settled(self, target: Target, step: Done | Stop) -> Notice | None:
        """Complete by this process's sessions, blocked, or out of its budget."""
        name, reason = target.repo_id, _clean(step.reason)
        figures = _figures_in_all(self._done.get(name))
        if isinstance(step, Done):
            if step.status != "complete" or name not in self._done:
                return None  # complete already, or by others, who tell of it themselves
            body = "\n".join([reason, *figures])
            return Notice("finished", name, _title(name, "complete"), body, "success")
        if step.cause is not None:
            body = "\n".join([reason, f"No further session of {_clean(name)} begins.", *figures])
            subject = _ALL if step.cause == "budget_of_all" else name
            return Notice("budget", subject, _title(name, "budget used up"), body, "warning")
        body = "\n".join([reason, *figures, f"When it is mended: acd unblock {_clean(name)}"])
        return Notice("blocked", name, _title(name, "blocked"), body, "failure")

    def run_ended(self, summary: str, blocked: Sequence[tuple[str, str]], held: int) -> Notice:
        """The end of the queue's run. `blocked`: targets with reasons; `held`: notices that were held back."""
        lines = [_clean(summary)]
        lines += [
            f"{_clean(name)} is blocked: {_clean(why)}" for name, why in blocked[:_MOST_NAMED]
        ]
        if len(blocked) > _MOST_NAMED:
            lines.append(f"… and {len(blocked) - _MOST_NAMED} more are blocked")
        if held:
            lines.append(f"{held} notifications were held back (ACD_NOTIFY_EVERY)")
        tone: Tone = "warning" if blocked else "success"
        return Notice("finished", _ALL, "acd: the run is over", "\n".join(lines), tone)

    def run_failed(self, error: Exception) -> Notice:
        """The run itself cannot go on."""
        return Notice("failure", _ALL, "acd: the run has failed", _clean(str(error)), "failure")

    def _add(self, target: Target, outcome: Outcome, live: LiveState | None) -> None:
        done = self._done.setdefault(target.repo_id, _Done())
        done.sessions += 1
        done.failed += outcome.status != "completed"
        if live is not None:
            done.tokens += live.told_tokens
            done.cost_usd += live.told_cost_usd or 0
        if outcome.total_features is not None:
            done.total = outcome.total_features
            done.passing = outcome.passing_features or 0
            done.verified = outcome.verified_features


def _figures_of(outcome: Outcome, live: LiveState | None) -> list[str]:
    parts = []
    if outcome.total_features is not None:
        parts.append(
            _features(
                outcome.passing_features or 0, outcome.total_features, outcome.verified_features
            )
        )
    if live is not None:
        parts.append(_spent(live.told_tokens, live.told_cost_usd))
    return [", ".join(parts)] if parts else []


def _figures_in_all(done: _Done | None) -> list[str]:
    if done is None:
        return []
    failed = f" ({done.failed} failed)" if done.failed else ""
    parts = [f"{done.sessions} session{'s' * (done.sessions != 1)}{failed} in this run"]
    if done.total is not None:
        parts.append(_features(done.passing, done.total, done.verified))
    parts.append(_spent(done.tokens, done.cost_usd or None))
    return [", ".join(parts)]


def _features(passing: int, total: int, verified: int) -> str:
    unverified = f" ({passing - verified} unverified)" if passing > verified else ""
    return f"features {passing}/{total}{unverified}"


def _spent(count: int, cost_usd: Decimal | None) -> str:
    cost = f", {money(cost_usd)} by the agent's own account" if cost_usd else ""
    return f"{tokens(count)} tokens{cost}"


def _title(repo_id: str, what: str) -> str:
    return f"acd: {_clean(repo_id)}: {what}"


def _when(until: datetime) -> str:
    return until.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _clean(text: str) -> str:
    """Text of others, without secrets, on one line, not too long for a telephone."""
    return printable(excerpt(" ".join(text.split()), _LONGEST_REASON))
