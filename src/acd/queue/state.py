"""What a turn is decided by: what is known of a target, and the rules."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from acd.core.budgets import Budget
from acd.core.models import ErrorType, SessionStatus, SessionType, Target, TargetStatus
from acd.core.settings import Settings
from acd.queue.budgets import Spending, budget_of
from acd.queue.limits import HeldLimit, Patience


class PastSession(msgspec.Struct, frozen=True):
    """How a session of a target went.

    `progressed`: a feature newly passes, the agent made a commit, or the branch stands elsewhere than before. (What the
    harness itself commits is no progress.) `passed`: a feature newly passes. `rejected`: keys whose claims did not hold.
    """

    id: UUID
    status: SessionStatus
    error_type: ErrorType | None = None
    error_message: str | None = None
    finished_at: datetime | None = None
    session_type: SessionType = "coding"
    progressed: bool = False
    passed: bool = False
    rejected: tuple[str, ...] = ()


class FeatureCount(msgspec.Struct, frozen=True):
    """How many features a list holds, and how many of them are left to do: neither passing nor skipped nor given up.

    `given_up`: keys of those that would be left to do, but were rejected too often.
    """

    total: int
    pending: int
    given_up: tuple[str, ...] = ()


class Dependency(msgspec.Struct, frozen=True):
    """A target that must be complete first, and is not."""

    id: UUID
    repo_id: str
    status: TargetStatus
    enabled: bool = True


class TargetState(msgspec.Struct, frozen=True):
    """What the database knows of a target. `…_since`: since its turns were begun. `recent`: newest first, since then.

    `queue_file` is `<host>:<path>` of the file that names it.
    """

    target: Target
    status: TargetStatus
    status_reason: str | None = None
    queue_file: str | None = None
    sessions_used: int = 0
    last_number: int = 0
    sessions_since: int = 0
    completed_since: int = 0
    last_finished_at: datetime | None = None
    recent: list[PastSession] = []
    limits: list[HeldLimit] = []
    rejections: dict[str, int] = {}

    def given_up(self, attempts: int) -> list[str]:
        """Keys of the features that were rejected so often since the target's turns were begun."""
        return sorted(key for key, times in self.rejections.items() if times >= attempts)

    waits_for: list[Dependency] = []
    spending: Spending = Spending()
    skipped: list[str] = []


class Rules(msgspec.Struct, frozen=True):
    """What a run wants of every target: at most one session (`once`), and how long failures are borne with."""

    once: bool = False
    retry_base: float = 5.0
    retry_max: float = 900.0
    max_failures: int = 5
    breaker_cooldown: float = 900.0
    breaker_probes: int = 3
    no_progress_sessions: int = 3
    feature_attempts: int = 3
    budget: Budget = Budget()
    patience: Patience = Patience()


def rules_of(settings: Settings, *, once: bool = False, max_retries: int | None = None) -> Rules:
    """The rules of the settings; `max_retries` is the queue file's word for this target's complexity."""
    return Rules(
        once=once,
        retry_base=settings.retry_base,
        retry_max=settings.retry_max,
        max_failures=settings.max_failures if max_retries is None else max_retries + 1,
        breaker_cooldown=settings.breaker_cooldown,
        breaker_probes=settings.breaker_probes,
        no_progress_sessions=settings.no_progress_sessions,
        feature_attempts=settings.feature_attempts,
        budget=budget_of(settings),
        patience=Patience(settings.limit_jitter, settings.limit_backoff),
    )
