"""The mission's four calls, for other programs that run coding sessions and want them recorded here.

    metrics = MetricsDb()
    metrics.ensure_target("shop-api", "Shop API", "/srv/shop-api")
    session = metrics.start_session("shop-api", 1, "coding", "sonnet")
    metrics.end_session(session.id, status="completed", input_tokens=1200, output_tokens=340, cost_usd="0.0231")
    metrics.update_daily_stats("shop-api", total_features=12)

Each call writes a fact into a journal under `ACD_HOME` and then lets the ledger record it: with the database away the
calls succeed all the same, and the session is recorded later (by the next call, by `acd sync`, `acd run` or
`acd serve` on this machine). `AsyncMetricsDb` has the same calls for programs with an event loop of their own.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypedDict, Unpack
from uuid import UUID, uuid4

from acd.core.environment import load_settings
from acd.core.errors import ConfigError, DatabaseAway
from acd.core.facts import DailyStats, Ended, Fact, Started, TargetSeen, UsageReported
from acd.core.models import ErrorType, SessionStatus, SessionType, Target, Usage, target_id_of
from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.files.folder import SessionFolder, target_journal
from acd.files.journal import Journal
from acd.ledger.catch_up import open_source
from acd.ledger.price import PriceList

logger = logging.getLogger("acd.metrics_db")

AGENT = "api"
"""What stands in the column `agent` for sessions that came through these calls."""


@dataclass(frozen=True)
class RecordedSession:
    """A session that was started through `start_session`; `id` is what `end_session` wants."""

    id: UUID
    repo_id: str
    session_number: int
    session_type: SessionType
    model: str
    started_at: datetime


class SessionEnd(TypedDict, total=False):
    """The keyword arguments of `end_session`."""

    status: SessionStatus
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal | str | float | None
    features_before: int | None
    features_after: int | None
    features_completed: int | None
    commits_made: int | None
    error_type: ErrorType | None
    error_message: str | None


class AsyncMetricsDb:
    """The four calls for programs with an event loop. Settings come from the environment unless given."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or load_settings()

    async def ensure_target(self, repo_id: str, name: str, path: str | os.PathLike[str]) -> UUID:
        """Make the target known, or give it another name or path.

        Returns:
            The target's id.

        Raises:
            OSError: the journal cannot be written; nothing was recorded.
        """
        target = Target(repo_id=repo_id, name=name, path=str(path))
        journal = self._journal(repo_id)
        journal.append(TargetSeen(at=_now(), target=target))
        await self._record(journal.path.parent)
        return target.id

    async def start_session(
        self, repo_id: str, session_number: int, session_type: SessionType, model: str
    ) -> RecordedSession:
        """Begin a session of a target.

        Args:
            repo_id: the target; one that was never named gets its id for a name.
            session_number: counted from 1 within the target; a number already taken is replaced by the next free one.
            session_type: `coding` or `initializer`.
            model: the model's family (haiku, sonnet, opus, …) or full name.

        Raises:
            ConfigError: an argument is not what it should be.
            OSError: the journal cannot be written; nothing was recorded.
        """
        if session_type not in ("coding", "initializer"):
            raise ConfigError(f"session_type is coding or initializer, not {session_type!r}")
        if session_number < 1:
            raise ConfigError("session_number counts from 1")
        session = RecordedSession(
            uuid4(), repo_id, session_number, session_type, model, started_at=_now()
        )
        folder = self._folder(session.id)
        folder.create()
        folder.journal.append(
            Started(
                at=session.started_at,
                session_id=session.id,
                target=self._target(repo_id),
                session_number=session_number,
                session_type=session_type,
                origin="api",
                agent=AGENT,
                model=model,
                host=self._settings.host_name,
            )
        )
        await self._record(folder.path)
        return session

    async def end_session(
        self,
        session_id: UUID | str,
        *,
        status: SessionStatus = "completed",
        input_tokens: int = 0,
        output_tokens: int = 0,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
        cost_usd: Decimal | str | float | None = None,
        features_before: int | None = None,
        features_after: int | None = None,
        features_completed: int | None = None,
        commits_made: int | None = None,
        error_type: ErrorType | None = None,
        error_message: str | None = None,
    ) -> None:
        """End a session with everything it spent and did. Tokens are the session's own sums, cost is in USD.

        Raises:
            ConfigError: no such session on this machine, it has ended already, or an argument is wrong.
            OSError: the journal cannot be written; nothing was recorded.
        """
        folder = self._folder(UUID(str(session_id)))
        started = _open_session(folder)
        usage = Usage(input_tokens, output_tokens, cache_read_tokens, cache_write_tokens)
        _check(usage, status)
        cost = _money(cost_usd)
        if usage.total or cost:
            folder.journal.append(
                UsageReported(at=_now(), model=started.model, usage=usage, cost_usd=cost)
            )
        if features_completed is None and None not in (features_before, features_after):
            features_completed = (features_after or 0) - (features_before or 0)
        folder.journal.append(
            Ended(
                at=_now(),
                status=status,
                features_before=features_before,
                features_after=features_after,
                features_completed=features_completed,
                commits_made=commits_made,
                error_type=error_type,
                error_message=error_message,
            )
        )
        await self._record(folder.path)

    async def update_daily_stats(self, repo_id: str, total_features: int) -> None:
        """Tell how many features the target has today; how many pass comes from the sessions that ended.

        Raises:
            ConfigError: a negative number.
            OSError: the journal cannot be written; nothing was recorded.
        """
        if total_features < 0:
            raise ConfigError("total_features cannot be negative")
        journal = self._journal(repo_id)
        if not journal.path.exists():
            journal.append(TargetSeen(at=_now(), target=self._target(repo_id)))
        journal.append(DailyStats(at=_now(), total_features=total_features))
        await self._record(journal.path.parent)

    def _journal(self, repo_id: str) -> Journal:
        return target_journal(self._settings.targets_dir, target_id_of(repo_id))

    def _folder(self, session_id: UUID) -> SessionFolder:
        return SessionFolder(self._settings.sessions_dir / str(session_id))

    def _target(self, repo_id: str) -> Target:
        """The target as `ensure_target` last named it."""
        named: Target | None = None
        for fact in self._journal(repo_id).facts():
            if isinstance(fact, TargetSeen):
                named = fact.target
        return named or Target(repo_id=repo_id, name=repo_id, path="")

    async def _record(self, folder: Path) -> None:
        """Let the ledger record a folder now, if the database is there."""
        try:
            async with open_database(self._settings, application="acd metrics_db") as database:
                source = open_source(folder, database, PriceList(), host=self._settings.host_name)
                if source is not None:
                    await source.catch_up()
        except DatabaseAway as error:
            logger.warning(
                "database away (%s): kept in %s and recorded when it is back (acd sync)",
                error,
                folder,
            )


class MetricsDb:
    """The four calls for programs without an event loop; arguments, results and errors as in `AsyncMetricsDb`."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._calls = AsyncMetricsDb(settings)

    def ensure_target(self, repo_id: str, name: str, path: str | os.PathLike[str]) -> UUID:
        """See `AsyncMetricsDb.ensure_target`."""
        return asyncio.run(self._calls.ensure_target(repo_id, name, path))

    def start_session(
        self, repo_id: str, session_number: int, session_type: SessionType, model: str
    ) -> RecordedSession:
        """See `AsyncMetricsDb.start_session`."""
        return asyncio.run(self._calls.start_session(repo_id, session_number, session_type, model))

    def end_session(self, session_id: UUID | str, **end: Unpack[SessionEnd]) -> None:
        """See `AsyncMetricsDb.end_session`."""
        asyncio.run(self._calls.end_session(session_id, **end))

    def update_daily_stats(self, repo_id: str, total_features: int) -> None:
        """See `AsyncMetricsDb.update_daily_stats`."""
        asyncio.run(self._calls.update_daily_stats(repo_id, total_features))


def _open_session(folder: SessionFolder) -> Started:
    started: Fact | None = None
    for fact in folder.journal.facts():
        if isinstance(fact, Started):
            started = fact
        if isinstance(fact, Ended):
            raise ConfigError(f"session {folder.path.name} has ended already")
    if not isinstance(started, Started):
        raise ConfigError(f"no session {folder.path.name} was started on this machine")
    return started


def _money(value: Decimal | str | float | None) -> Decimal | None:
    if value is None:
        return None
    cost = Decimal(str(value))
    if not cost.is_finite() or cost < 0:
        raise ConfigError(f"cost_usd cannot be {value}")
    return cost


def _check(usage: Usage, status: SessionStatus) -> None:
    if status not in ("completed", "failed"):
        raise ConfigError(f"a session ends completed or failed, not {status!r}")
    for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"):
        if getattr(usage, name) < 0:
            raise ConfigError(f"{name} cannot be negative")


def _now() -> datetime:
    return datetime.now(UTC)
