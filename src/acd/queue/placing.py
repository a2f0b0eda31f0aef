"""Where a target is worked: in its own folder, in a clone of this machine's own, or not here.

Once a machine has begun on a target, its work is there: as long as that machine lives, others leave the target to it.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec

from acd.core.errors import ConfigError
from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.harness.cloning import Tell, clone_folder, in_folder, make_clone
from acd.queue.connector import patiently
from acd.queue.lease import Lease

_SOON_S = 2.0
_LOOK_AGAIN_S = 15.0


class Here(msgspec.Struct, frozen=True):
    """The target is worked on this machine, in this folder."""

    folder: Path
    cloned: bool


class Elsewhere(msgspec.Struct, frozen=True):
    """Another machine works the target, or has to; `for_good`: this one cannot."""

    reason: str
    for_good: bool


class _Known(msgspec.Struct, frozen=True):
    """Where the target was worked last, as the database has it. `held`: somebody works it and his lease is good."""

    host: str
    folder: str
    worker_id: UUID | None
    held: bool
    attended: bool


class Placing:
    """Finds places for the turns of one process, with its lease."""

    def __init__(self, db: Database, settings: Settings, lease: Lease, tell: Tell) -> None:
        self._db = db
        self._settings = settings
        self._lease = lease
        self._tell = tell

    async def take(self, target: Target, *, at_home: bool) -> Here | Elsewhere:
        """Hold the target and find (or make) its folder. What is `Elsewhere` is left to others for a while.

        Args:
            target: as its queue file describes it.
            at_home: whether that file is one of this machine.

        Raises:
            ConfigError: its clone cannot be made.
            DatabaseError: as `patiently`.
        """
        found = await self._find(target, at_home)
        if isinstance(found, Elsewhere):
            seconds = _LOOK_AGAIN_S if found.for_good else _SOON_S
            self._lease.left.leave(target.id, seconds, for_good=found.for_good)
            return found
        self._lease.left.take(target.id)
        if found.cloned:
            try:
                await make_clone(self._settings, target, self._tell)
            except ConfigError:
                await self._lease.release(target.id)
                raise
        return found

    def may_be_elsewhere(self, target: Target) -> bool:
        """Whether only another machine, and one that lives, may have the target."""
        return (
            self._lease.others
            and target.enabled
            and not target.clone
            and not Path(target.path).is_dir()
        )

    def look_of(self, target: Target) -> Target:
        """The target as it would be looked at here before it is placed: a clone that is there, or is to come."""
        if target.clone and not Path(target.path).is_dir():
            return in_folder(target, clone_folder(self._settings, target))
        return target

    async def _find(self, target: Target, at_home: bool) -> Here | Elsewhere:
        known = await self._known(target.id)
        host = self._settings.host_name
        dead_here = known is not None and self._lease.is_dead_here(known.worker_id)
        if known is not None:
            others = known.worker_id not in (None, self._lease.id)
            if others and known.held and not dead_here:
                return Elsewhere(f"{known.host} works it", for_good=False)
            if known.host != host and known.attended:
                return Elsewhere(f"its work is on {known.host}", for_good=False)
        here = self._folder(target, known, at_home)
        if isinstance(here, Elsewhere) or await self._took(target, here, known, dead_here):
            return here
        return Elsewhere("another worker was faster", for_good=False)

    def _folder(self, target: Target, known: _Known | None, at_home: bool) -> Here | Elsewhere:
        clone = clone_folder(self._settings, target)
        ours = known is not None and known.host == self._settings.host_name
        # Held, but not by anybody who lives: in its folder an agent may be at work still.
        silent = known is not None and not ours and known.worker_id is not None
        stays = ours and known is not None and known.folder == str(clone) and clone.is_dir()
        if not stays and not silent and Path(target.path).is_dir():
            return Here(Path(target.path), cloned=False)
        if target.clone is None:
            if silent and known is not None:
                return Elsewhere(f"waits for {known.host}, which gives no sign of life", True)
            return Elsewhere(f"waits for a machine that has {target.path}", True)
        missing = None if at_home else _missing(target)
        if missing is not None:
            return Elsewhere(f"waits for a machine that has {missing}", True)
        return Here(clone, cloned=True)

    async def _known(self, target_id: UUID) -> _Known | None:
        row = await patiently(
            lambda: self._db.fetch_one("fleet.place", target_id=target_id), self._lease.give_up
        )
        return None if row is None else _Known(**row)

    async def _took(
        self, target: Target, here: Here, known: _Known | None, dead_here: bool
    ) -> bool:
        """Hold it, unless somebody was faster. Sessions of a dead worker of another machine show as interrupted first."""
        if known is not None and known.worker_id is not None and not dead_here:
            await self._lease.presume()
        row = await patiently(
            lambda: self._db.fetch_one(
                "fleet.take",
                target_id=target.id,
                host=self._settings.host_name,
                folder=str(here.folder),
                cloned=here.cloned,
                worker_id=self._lease.id,
                seen=known.worker_id if known else None,
                dead=dead_here,
            ),
            self._lease.give_up,
        )
        if row is not None:
            self._lease.took(target.id)
        return row is not None


def _missing(target: Target) -> str | None:
    """A file of the target that is neither in its repository nor here."""
    outside = (
        path
        for path in (target.prompt, target.prd, target.feature_list)
        if path is not None and not Path(path).is_relative_to(target.path)
    )
    return next((path for path in outside if not Path(path).exists()), None)
