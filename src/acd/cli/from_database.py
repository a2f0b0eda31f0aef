"""The records of this machine's settings, read from PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from uuid import UUID

import msgspec

from acd.cli.opened import make_home
from acd.cli.source import Format, Kind
from acd.cli.timeline import joined
from acd.core.charted import Spent
from acd.core.comparison import Comparison
from acd.core.settings import Settings
from acd.core.spending import step_of
from acd.core.usage_rows import Asked, UsageBy
from acd.database.connection import Database, open_database
from acd.history.timeline import build_timeline
from acd.ledger.pending import pending_folders
from acd.queue.lost import show_lost
from acd.reports import (
    charted,
    commits,
    comparison,
    costs,
    errors,
    export,
    features,
    glance,
    prices,
    sessions,
    summary,
    surviving,
    usage,
    used,
)
from acd.reports.figures import Period
from acd.reports.rows import row_of

_PAGE = 1000


@asynccontextmanager
async def opened(settings: Settings, command: str) -> AsyncIterator[FromDatabase]:
    """The source, with the database open for the length of a block."""
    make_home(settings)
    async with open_database(settings, application=f"acd {command}") as database:
        yield FromDatabase(database, settings)


class FromDatabase:
    """See `Source`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._db = database
        self._settings = settings

    async def glance(self) -> bytes:
        """See `Source`."""
        await show_lost(self._db, self._settings)
        waiting = await pending_folders(self._db, self._settings)
        return await glance.everything(self._db, (len(waiting), sum(waiting.values())))

    async def sessions(
        self, *, limit: int, repo_id: str | None, model: str | None, status: str | None
    ) -> bytes:
        """See `Source`."""
        return await sessions.recent(
            self._db, limit=limit, repo_id=repo_id, model=model, status=status
        )

    async def session_meant(self, name: str) -> UUID | None:
        """See `Source`."""
        return await glance.session_meant(self._db, name)

    async def session(self, session_id: UUID) -> bytes | None:
        """See `Source`."""
        return await sessions.one(self._db, session_id)

    async def timeline(self, session_id: UUID, *, last: int | None) -> bytes:
        """See `Source`."""
        await build_timeline(self._db, self._settings.host_name, session_id)
        if last is not None:
            return await glance.timeline(self._db, session_id, limit=last)
        pages, after = [], -1
        while page := await sessions.events(self._db, session_id, limit=_PAGE, after_seq=after):
            rows = msgspec.json.decode(page, type=list[_Place])
            pages.append(page)
            if len(rows) < _PAGE:
                break
            after = rows[-1].seq
        return joined(pages)

    async def features(self, repo_id: str, *, removed: bool) -> bytes | None:
        """See `Source`."""
        return await features.of_target(self._db, repo_id, removed=removed)

    async def errors(
        self, *, limit: int, resolved: bool | None, error_type: str | None, repo_id: str | None
    ) -> bytes:
        """See `Source`."""
        return await errors.recent(
            self._db, limit=limit, resolved=resolved, error_type=error_type, repo_id=repo_id
        )

    async def recent_commits(self, *, limit: int) -> bytes:
        """See `Source`."""
        return await glance.commits(self._db, limit=limit)

    async def commits(self, repo_id: str, *, limit: int) -> bytes | None:
        """See `Source`."""
        return await commits.of_target(self._db, repo_id, limit=limit)

    async def model_usage(self, *, days: int, repo_id: str | None) -> bytes:
        """See `Source`."""
        return await usage.by_model(self._db, days=days, repo_id=repo_id)

    async def usage(self, by: UsageBy, asked: Asked, *, limit: int) -> bytes:
        """See `Source`."""
        return await used.usage(self._db, by, asked, most=limit)

    async def blocks(self, asked: Asked) -> bytes:
        """See `Source`."""
        return await used.blocks(self._db, asked)

    async def costs(self, asked: Asked) -> bytes:
        """See `Source`."""
        return await costs.costs(self._db, asked)

    async def lines(self, asked: Asked) -> bytes:
        """See `Source`."""
        return await surviving.surviving(self._db, asked, self._settings.host_name)

    async def price_overrides(self) -> bytes:
        """See `Source`."""
        return await prices.overrides(self._db)

    async def summary(self, *, since: datetime, until: datetime) -> bytes:
        """See `Source`."""
        return await summary.of_period(self._db, since=since, until=until)

    async def money(self, first: date, last: date) -> Spent:
        """See `Source`."""
        period = Period(first, last, "day")
        return await charted.spent(self._db, period, step=step_of(first, last), split_by="model")

    async def models(self, first: date, last: date, *, same_targets: bool) -> Comparison:
        """See `Source`."""
        period = Period(first, last, "model")
        found = await comparison.of_models(self._db, period, same_targets=same_targets)
        return row_of(found, Comparison)

    def export(
        self,
        kind: Kind,
        form: Format,
        *,
        since: datetime | None,
        until: datetime | None,
        repo_id: str | None,
    ) -> AsyncGenerator[bytes]:
        """See `Source`."""
        return export.rows(self._db, kind, form, since=since, until=until, repo_id=repo_id)


class _Place(msgspec.Struct):
    seq: int
