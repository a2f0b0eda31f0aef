"""The records of a server, read over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

import msgspec

from acd.cli.source import Format, Kind
from acd.cli.timeline import joined
from acd.client import AsyncClient, Call, Retry, calls
from acd.core.charted import Spent
from acd.core.comparison import Comparison
from acd.core.errors import ServerError
from acd.core.figures import (
    CacheSum,
    CommitCostSum,
    CostSum,
    FeatureCostSum,
    GroupBy,
    Report,
    SumT,
)
from acd.core.models import ErrorType, SessionStatus
from acd.core.one_session import SessionId
from acd.core.settings import Settings
from acd.core.spending import step_of
from acd.core.usage_rows import Asked, UsageBy

# Somebody waits at a terminal: a moment's trouble is ridden out, an outage told.
_RETRY = Retry(attempts=3, first_s=0.2, longest_s=1.0)
_NOT_FOUND = 404
_PAGE = 1000


@asynccontextmanager
async def opened(settings: Settings, command: str) -> AsyncIterator[FromServer]:
    """The source, with connections for the length of a block."""
    async with AsyncClient(settings.url, retry=_RETRY) as client:
        yield FromServer(client)


class FromServer:
    """See `Source`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def glance(self) -> bytes:
        """See `Source`."""
        return await self._client.send(calls.glance().raw())

    async def sessions(
        self, *, limit: int, repo_id: str | None, model: str | None, status: str | None
    ) -> bytes:
        """See `Source`."""
        known = cast(SessionStatus | None, status)  # the server says whether it is one
        call = calls.sessions(limit=limit, repo_id=repo_id, model=model, status=known)
        return await self._client.send(call.raw())

    async def session_meant(self, name: str) -> UUID | None:
        """See `Source`."""
        found = await self._found(calls.session_meant(name))
        return None if found is None else msgspec.json.decode(found, type=SessionId).id

    async def session(self, session_id: UUID) -> bytes | None:
        """See `Source`."""
        return await self._found(calls.session(session_id))

    async def timeline(self, session_id: UUID, *, last: int | None) -> bytes:
        """See `Source`."""
        if last is not None:
            return await self._client.send(calls.last_events(session_id, limit=last).raw())
        pages = self._client.pages(calls.events(session_id, limit=_PAGE))
        return joined([page.data async for page in pages])

    async def features(self, repo_id: str, *, removed: bool) -> bytes | None:
        """See `Source`."""
        return await self._found(calls.features(repo_id, removed=removed))

    async def errors(
        self, *, limit: int, resolved: bool | None, error_type: str | None, repo_id: str | None
    ) -> bytes:
        """See `Source`."""
        call = calls.errors(
            limit=limit,
            resolved="all" if resolved is None else "true" if resolved else "false",
            error_type=cast(ErrorType | None, error_type),
            repo_id=repo_id,
        )
        return await self._client.send(call.raw())

    async def recent_commits(self, *, limit: int) -> bytes:
        """See `Source`."""
        return await self._client.send(calls.recent_commits(limit=limit).raw())

    async def commits(self, repo_id: str, *, limit: int) -> bytes | None:
        """See `Source`."""
        return await self._found(calls.commits(repo_id, limit=limit))

    async def model_usage(self, *, days: int, repo_id: str | None) -> bytes:
        """See `Source`."""
        return await self._client.send(calls.model_usage(days=days, repo_id=repo_id).raw())

    async def usage(self, by: UsageBy, asked: Asked, *, limit: int) -> bytes:
        """See `Source`."""
        return await self._client.send(calls.usage(by, asked, limit=limit).raw())

    async def blocks(self, asked: Asked) -> bytes:
        """See `Source`."""
        return await self._client.send(calls.blocks(asked).raw())

    async def costs(self, asked: Asked) -> bytes:
        """See `Source`."""
        return await self._client.send(calls.costs(asked).raw())

    async def lines(self, asked: Asked) -> bytes:
        """See `Source`."""
        return await self._client.send(calls.surviving_lines(asked.repo_id or "", asked).raw())

    async def price_overrides(self) -> bytes:
        """See `Source`."""
        return await self._client.send(calls.price_overrides().raw())

    async def summary(self, *, since: datetime, until: datetime) -> bytes:
        """See `Source`."""
        return await self._client.send(calls.summary_of(since=since, until=until).raw())

    async def money(self, first: date, last: date) -> Spent:
        """See `Source`."""
        ask, step = self._client.send, step_of(first, last)

        def by(key: GroupBy, name: str, row: type[SumT]) -> Call[Report[SumT]]:
            return calls.report(name, row, first=first, last=last, group_by=key)

        return Spent(
            over_time=await ask(calls.cost_over_time(first=first, last=last, step=step)),
            by_hour=await ask(calls.cost_by_hour(first=first, last=last)),
            targets=await ask(by("target", "cost", CostSum)),
            cache=await ask(by(step, "cache", CacheSum)),
            features=await ask(by("model", "cost-per-feature", FeatureCostSum)),
            commits=await ask(by("model", "cost-per-commit", CommitCostSum)),
            list_price_cost_usd=(
                await ask(calls.usage("model", _days(first, last), limit=1))
            ).list_price_cost_usd,
        )

    async def models(self, first: date, last: date, *, same_targets: bool) -> Comparison:
        """See `Source`."""
        return await self._client.send(
            calls.model_comparison(first=first, last=last, same_targets=same_targets)
        )

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
        call = calls.export(kind, form=form, since=since, until=until, repo_id=repo_id)
        return self._client.stream(call)

    async def _found(self, call: Call[Any]) -> bytes | None:
        try:
            return await self._client.send(call.raw())
        except ServerError as error:
            if error.status == _NOT_FOUND and error.code == "not_found":
                return None
            raise


def _days(first: date, last: date) -> Asked:
    """Whole days, both included, of the database's time zone."""
    return Asked(
        since=datetime.combine(first, time()),
        until=datetime.combine(last + timedelta(days=1), time()),
    )
