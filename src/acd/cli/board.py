"""What is known of a run while it goes on: the observer behind both views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from rich.text import Text

from acd.cli.figures import brief, count_of, moment, money, number, outcome, signed, tokens
from acd.core.contract import RunningSession
from acd.core.models import Target
from acd.core.text import printable, shorten
from acd.harness.live import LiveState
from acd.harness.outcome import Outcome
from acd.harness.plan import SessionPlan
from acd.queue.steps import Cause, Done, Stop

_LONGEST_REASON = 300
_MOST_KEYS = 3
_LONGEST_KEY = 40


@dataclass
class Board:
    """Follows the sessions of this process. `tell` gets a line for each thing that happens.

    `tell`'s second argument says whether a view that shows the state itself can do without the line.
    """

    tell: Callable[[Text, bool], None]
    planned: dict[UUID, SessionPlan] = field(default_factory=dict)
    live: dict[UUID, LiveState] = field(default_factory=dict)
    recorded: dict[UUID, RunningSession] = field(default_factory=dict)
    waiting: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)
    worked: set[UUID] = field(default_factory=set)
    features_completed: int = 0
    completed: int = 0
    failed: int = 0

    def session_started(self, plan: SessionPlan) -> None:
        """See `Observer`."""
        self.planned[plan.session_id] = plan
        self.waiting.pop(plan.target.repo_id, None)
        self.blocked.pop(plan.target.repo_id, None)
        name = _name(plan.target, plan.session_number)
        self._line(f"{name} starts ({plan.session_type}, {plan.model})", minor=True)

    def session_progress(self, live: LiveState) -> None:
        """See `Observer`."""
        self.live[live.session_id] = live

    def session_ended(self, target: Target, outcome: Outcome) -> None:
        """See `Observer`."""
        plan = self.planned.pop(outcome.session_id, None)
        live = self.live.pop(outcome.session_id, None)
        self.recorded.pop(outcome.session_id, None)
        self.worked.add(outcome.session_id)
        self.features_completed += outcome.features_completed or 0
        if outcome.status == "completed":
            self.completed += 1
        else:
            self.failed += 1
        known = live.session_number if live else plan.session_number if plan else None
        self._tell(_ended(_name(target, known), outcome, live), minor=False)

    def target_waiting(
        self, target: Target, until: datetime, reason: str, cause: Cause | None = None
    ) -> None:
        """See `Observer`. The same wait, a little longer, is no news."""
        known = self.waiting.get(target.repo_id)
        self.waiting[target.repo_id] = (until, reason)
        if known is None or known[1] != reason:
            for_others = reason.startswith("waits for ")  # then the time is only the next look
            until_when = "" if for_others else f"waits until {moment(until)}: "
            self._line(f"{target.repo_id} {until_when}{_short(reason)}", minor=True)

    def target_settled(self, target: Target, step: Done | Stop) -> None:
        """See `Observer`."""
        self.waiting.pop(target.repo_id, None)
        if isinstance(step, Stop):
            self.blocked[target.repo_id] = step.reason
            self._tell(
                Text.assemble(
                    _now(),
                    f"{printable(target.repo_id)} ",
                    outcome("blocked"),
                    ": ",
                    _short(step.reason),
                ),
                minor=False,
            )
        else:
            self._line(f"{target.repo_id} is over: {_short(step.reason)}", minor=False)

    def message(self, text: str, *, warning: bool = True) -> None:
        """See `Observer`."""
        self._tell(
            Text.assemble(_now(), (printable(text), "yellow" if warning else "")), minor=False
        )

    def _line(self, text: str, *, minor: bool) -> None:
        self._tell(Text.assemble(_now(), printable(text)), minor=minor)

    def _tell(self, text: Text, *, minor: bool) -> None:
        self.tell(text, minor)


def _ended(name: str, result: Outcome, live: LiveState | None) -> Text:
    text = Text.assemble(_now(), f"{printable(name)} ", outcome(result.status))
    if result.duration_ms is not None:
        text.append(f" in {brief(result.duration_ms)}")
    text.append(f": features {signed(result.features_completed)}")
    if result.total_features is not None:
        passing = result.passing_features or 0
        unverified = " unverified" if passing > result.verified_features else ""
        text.append(f" ({passing}/{result.total_features}{unverified})")
    for word, keys in result.judged.items():
        text.append(f", {word} {_keys(keys)}", "yellow")
    text.append(f", {count_of(result.commits_made, 'commit')}")
    if live is not None:
        text.append(f", {tokens(live.told_tokens)} tokens")
        said = live.told_cost_usd
        if said:
            text.append(f", {money(said)} by its own account")
    if result.error_type:
        text.append(f"; {result.error_type}: {_short(result.error_message or '')}", "red")
    return text


def _keys(keys: Sequence[str]) -> str:
    if len(keys) > _MOST_KEYS:
        return count_of(len(keys), "feature")
    return " ".join(shorten(printable(key), _LONGEST_KEY) for key in keys)


def _name(target: Target, session_number: int | None) -> str:
    return (
        target.repo_id if session_number is None else f"{target.repo_id} {number(session_number)}"
    )


def _short(reason: str) -> str:
    return shorten(printable(reason), _LONGEST_REASON)


def _now() -> str:
    return f"{moment(datetime.now().astimezone())}  "
