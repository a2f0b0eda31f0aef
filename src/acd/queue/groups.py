"""Serial groups: of the targets of one group only one is worked at a time, on any machine.

A lease in the database holds the group for this machine's ACD_HOME, and a file lock for this process among those of the
home. The lease is renewed while it is held and ends by itself when its holder is gone for good; who has the file lock may
take the lease of its own home at once, so that a harness that is started again after a crash does not wait. But where an
agent outlived its harness, the group is its own until it is done.

On another machine nobody renews the lease for such an agent. So the group stays taken there, beyond the lease, while the
session is recorded as running and the lease of the worker that died (`ACD_LEASE_SECONDS`) is not over.

A database that is away takes no lease away: nobody can take one meanwhile, and after its own start the server gives all
holders time to renew theirs. A holder that alone is cut off for longer than a lease lasts can lose it; that is logged.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from acd.core.errors import Busy, DatabaseAway
from acd.core.facts import Started
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.locks import hold
from acd.harness.recovery import unfinished
from acd.harness.strays import marked_processes
from acd.queue.connector import patiently

logger = logging.getLogger("acd.queue")

LEASE_S = 60.0
_RENEW_S = 10.0
_HOME_ID = "home-id"


class Groups:
    """The serial groups of one database, for one process. `adopted`: it sees a session of that group to its end."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        give_up: asyncio.Event,
        adopted: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._db = db
        self._settings = settings
        self._locks_dir = settings.locks_dir
        self._adopted = adopted
        self._give_up = give_up

    @asynccontextmanager
    async def held(self, group: str | None) -> AsyncIterator[None]:
        """Hold the group while the block runs; None is no group.

        Raises:
            Busy: another target of it is being worked. DatabaseError: as `patiently`.
        """
        if group is None:
            yield
            return
        key = hashlib.sha256(group.encode()).hexdigest()
        with hold(self._locks_dir / f"group-{key[:16]}.lock"):
            lease = {"key": key, "holder": home_id(self._locks_dir)}
            if not await self._take(lease, group):
                raise Busy(f"another machine works on the serial group {group}")
            if self._adopted(group) or await asyncio.to_thread(_outlived, self._settings, group):
                # The lease stays, for that agent: each further try renews it.
                raise Busy(f"an agent that outlived its harness works on the serial group {group}")
            renewal = asyncio.create_task(self._renew(lease, group), name="group lease")
            try:
                yield
            finally:
                renewal.cancel()
                with suppress(asyncio.CancelledError):
                    await renewal
                await self._leave(lease)

    async def _take(self, lease: dict[str, str], group: str) -> bool:
        row = await patiently(
            lambda: self._db.fetch_one(
                "queue.take_group",
                serial_group=group,
                seconds=LEASE_S,
                host=self._settings.host_name,
                **lease,
            ),
            self._give_up,
        )
        return row is not None

    async def _renew(self, lease: dict[str, str], group: str) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            with suppress(DatabaseAway):
                if not await self._db.fetch_one("queue.keep_group", seconds=LEASE_S, **lease):
                    logger.warning(
                        "the serial group %s is held by another machine too: this one was cut off from the database "
                        "for longer than %d s",
                        group,
                        LEASE_S,
                    )
                    return

    async def _leave(self, lease: dict[str, str]) -> None:
        with suppress(DatabaseAway):  # then it ends by itself
            await patiently(lambda: self._db.execute("queue.leave_group", **lease), self._give_up)


def _outlived(settings: Settings, group: str) -> bool:
    """Whether an agent of the group runs. Who holds the group's file lock knows that no living harness of the home attends it."""
    for folder in unfinished(settings):
        started = next((fact for fact in folder.journal.facts() if isinstance(fact, Started)), None)
        if started and started.target.serial_group == group and marked_processes(folder.session_id):
            return True
    return False


def home_id(folder: Path) -> str:
    """An id of this ACD_HOME, made at first use: names of machines and paths may be the same in two containers."""
    path = folder / _HOME_ID
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{_HOME_ID}-{uuid.uuid4()}"
    if not path.exists():
        draft.write_text(str(uuid.uuid4()), encoding="ascii")
        try:
            with suppress(FileExistsError):  # another process was faster; its id is there whole
                os.link(draft, path)
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")
