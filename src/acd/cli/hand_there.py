"""Control of a server's queue, over HTTP. It needs the server's token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from acd.cli.from_server import FromServer
from acd.cli.hand import Order
from acd.client import AsyncClient, Call, Retry, calls, control
from acd.core.control_rows import FeatureSkipped, QueueOrder, TargetTried
from acd.core.settings import Settings

# Somebody waits at a terminal: a moment's trouble is ridden out, an outage told.
_RETRY = Retry(attempts=3, first_s=0.2, longest_s=1.0)


@asynccontextmanager
async def opened(settings: Settings, command: str) -> AsyncIterator[HandThere]:
    """The hand, with connections for the length of a block."""
    async with AsyncClient(settings.url, retry=_RETRY) as client:
        yield HandThere(client)


class HandThere:
    """See `Hand`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def order(self, order: Order) -> bytes:
        """See `Hand`."""
        return await self._client.send(_order(order).raw())

    async def session_meant(self, name: str) -> UUID | None:
        """See `Hand`."""
        return await FromServer(self._client).session_meant(name)

    async def stop_session(self, session_id: UUID) -> bytes:
        """See `Hand`."""
        return await self._client.send(control.stop_session(session_id).raw())

    async def blocked(self) -> list[str]:
        """See `Hand`."""
        found = await self._client.send(calls.targets(status="blocked", enabled=True))
        return [row.repo_id for row in found]

    async def retry(self, repo_id: str) -> TargetTried:
        """See `Hand`."""
        return await self._client.send(control.retry_target(repo_id))

    async def unblock(self, repo_id: str) -> TargetTried:
        """See `Hand`."""
        return await self._client.send(control.unblock_target(repo_id))

    async def skip(self, repo_id: str, key: str, *, skip: bool) -> FeatureSkipped:
        """See `Hand`."""
        return await self._client.send(control.skip_feature(repo_id, key, skip=skip))


def _order(order: Order) -> Call[QueueOrder]:
    match order:
        case "pause":
            return control.pause_queue()
        case "resume":
            return control.resume_queue()
        case "drain":
            return control.drain_queue()
        case "stop":
            return control.stop_queue()
