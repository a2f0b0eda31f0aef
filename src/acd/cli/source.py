"""Where the reading commands read: the database of this machine's settings, or the server that ACD_URL names.

`from_database` and `from_server` both have a `Source`; each gives the same bytes, those that PostgreSQL made.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from acd.cli.through import through
from acd.core.charted import Spent
from acd.core.comparison import Comparison
from acd.core.environment import load_settings
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.core.usage_rows import Asked, UsageBy

T = TypeVar("T")

Kind = Literal["sessions", "usage", "errors", "commits"]
Format = Literal["csv", "jsonl", "parquet"]
MOST_DAYS = 3660
"""The furthest that the API looks back."""


class Source(Protocol):
    """Reports as JSON; the types are those of `acd.core.contract`. None: there is no such target or session.

    All of them raise DatabaseAway or ServerAway when there is nothing to read from.
    """

    async def glance(self) -> bytes:
        """One `Glance`."""
        ...

    async def sessions(
        self, *, limit: int, repo_id: str | None, model: str | None, status: str | None
    ) -> bytes:
        """Array of `SessionRow`."""
        ...

    async def session_meant(self, name: str) -> UUID | None:
        """The session that a name means; AcdError when it may mean several."""
        ...

    async def session(self, session_id: UUID) -> bytes | None:
        """One `WholeSession`."""
        ...

    async def timeline(self, session_id: UUID, *, last: int | None) -> bytes:
        """Array of `TimelineRow`: all events, or the last ones."""
        ...

    async def features(self, repo_id: str, *, removed: bool) -> bytes | None:
        """Array of `FeatureRow`."""
        ...

    async def errors(
        self, *, limit: int, resolved: bool | None, error_type: str | None, repo_id: str | None
    ) -> bytes:
        """Array of `ErrorRow`."""
        ...

    async def recent_commits(self, *, limit: int) -> bytes:
        """Array of `RecentCommit`."""
        ...

    async def commits(self, repo_id: str, *, limit: int) -> bytes | None:
        """Array of `CommitRow`."""
        ...

    async def model_usage(self, *, days: int, repo_id: str | None) -> bytes:
        """One `ModelUsage`."""
        ...

    async def usage(self, by: UsageBy, asked: Asked, *, limit: int) -> bytes:
        """One `UsageReport`."""
        ...

    async def blocks(self, asked: Asked) -> bytes:
        """One `BlockReport`."""
        ...

    async def costs(self, asked: Asked) -> bytes:
        """One `CostsReport`."""
        ...

    async def lines(self, asked: Asked) -> bytes:
        """One `SurvivingLines`, of the target that is asked for."""
        ...

    async def price_overrides(self) -> bytes:
        """Array of `PriceOverride`."""
        ...

    async def summary(self, *, since: datetime, until: datetime) -> bytes:
        """One `NightSummary`."""
        ...

    async def money(self, first: date, last: date) -> Spent:
        """What was spent on these days, both included."""
        ...

    async def models(self, first: date, last: date, *, same_targets: bool) -> Comparison:
        """Models compared over these days, both included."""
        ...

    def export(
        self,
        kind: Kind,
        form: Format,
        *,
        since: datetime | None,
        until: datetime | None,
        repo_id: str | None,
    ) -> AsyncGenerator[bytes]:
        """The bytes of a file."""
        ...


def read_settings(*, home: Path | None, database_url: str | None) -> Settings:
    """The settings of a reading command. A flag that names this machine's own records wins over ACD_URL.

    Raises:
        ConfigError: as `load_settings`.
    """
    here = home is not None or database_url is not None
    return load_settings(home=home, database_url=database_url, url="" if here else None)


def ask(settings: Settings, command: str, question: Callable[[Source], Awaitable[T]]) -> T:
    """Open the source, ask, close it; errors as `through`."""
    return through("acd.cli.from_database", "acd.cli.from_server", settings, command, question)


def insist(report: bytes | None, repo_id: str) -> bytes:
    """The report of a target.

    Raises:
        ConfigError: there is no such target.
    """
    if report is None:
        raise ConfigError(
            f"there is no target {repo_id!r}; `acd status` lists them, `acd sync` adds them"
        )
    return report
