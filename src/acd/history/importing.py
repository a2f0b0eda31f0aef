"""Imports what is new in agents' histories: look, share it out where it is much, read and write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.history.batch import Batches
from acd.history.belonging import Belonging
from acd.history.commits import link_commits
from acd.history.done import Imported, Progress
from acd.history.looking import Found, Roots, find, passed_over
from acd.history.order import Share, in_order, size_of, stages_of
from acd.history.placing import Places
from acd.history.processes import Work, all_at_once, processors
from acd.history.reading import Remembered, session_told
from acd.history.seen import seen_of
from acd.history.share import Outcome, ShareImport, Step
from acd.ledger.price import PriceList

_MANY_BYTES = 24 * 1024 * 1024
"""From so many bytes a process on one more pays: it takes some hundredths of a second to begin."""
_ROUNDS = 20


@dataclass
class Importer:
    """Imports histories into one database, once; by `processes` at a time where each gets `many_bytes` or more."""

    database: Database
    settings: Settings
    prices: PriceList = field(default_factory=PriceList)
    tell: Callable[[Progress], None] = lambda _: None
    processes: int = field(default_factory=processors)
    many_bytes: int = _MANY_BYTES
    done: Imported = field(default_factory=Imported)
    _progress: Progress = field(default_factory=Progress)
    _sessions: set[UUID] = field(default_factory=set)
    _made: set[UUID] = field(default_factory=set)
    _touched: set[UUID] = field(default_factory=set)
    _moved: set[str] = field(default_factory=set)

    async def run(self, roots: Roots) -> Imported:
        """Import all that is new. What is written stays written, also when this is cancelled.

        Raises:
            DatabaseAway: what was not imported is imported by the next call.
            ImportBroken: one of several processes ended before it was done; the next call goes on.
        """
        for _ in range(_ROUNDS):
            found = await find(self.database, self.settings.host_name, roots)
            unread = {one.path for one in self.done.unread}
            changed = [f for f in found if f.changed and str(f.file.path) not in unread]
            self.done.files = len(found)
            self.done.passed_over = passed_over(found)
            self._moved.clear()
            if changed:
                await self._import(changed)
            if not self._moved:
                break
        await link_commits(self.database, self._touched)
        return self.done

    async def _import(self, changed: list[Found]) -> None:
        """Import some files. Those in which another import was faster are `_moved` then: one has to look again."""
        self._progress = Progress(files=len(changed), bytes=sum(one.waiting for one in changed))
        self.tell(self._progress)
        remembered = await self._remembered(changed)
        for first, *others in await self._stages(changed):
            own = self._work(first, remembered, self.database)
            if not others:
                self._add(await own(self._advance))
                continue
            self.prices.load()  # once, and not in each process
            works = [self._work(share, remembered, None) for share in others]
            for outcome in await all_at_once(own, works, self._advance):
                self._add(outcome)
        self.done.changed += len(changed)

    async def _stages(self, changed: list[Found]) -> list[list[Share]]:
        """What is imported at the same time, and what after it. Much is looked into to find what belongs together."""
        is_much = self.processes > 1 and size_of(changed) >= 2 * self.many_bytes
        sessions: dict[Path, str | None] = {
            one.file.path: one.file.agent_session_id for one in changed
        }
        if is_much:
            sessions = await asyncio.to_thread(
                lambda: {one.file.path: session_told(one) for one in changed}
            )
        ordered = in_order(changed, sessions)
        return stages_of(ordered, sessions, processes=self.processes, many_bytes=self.many_bytes)

    def _work(
        self, share: Share, remembered: dict[str, Remembered], database: Database | None
    ) -> Work:
        """What imports a share; with connections of its own where `database` is None."""
        waiting = [(one, remembered.get(str(one.file.path))) for one in share]

        async def work(tell: Callable[[Step], None]) -> Outcome:
            if database is not None:
                return await ShareImport(await self._batches(database), tell).run(waiting)
            own = self.database.again()
            try:
                return await ShareImport(await self._batches(own), tell).run(waiting)
            finally:
                await own.close()

        return work

    def _advance(self, step: Step) -> None:
        progress = self._progress
        progress.files_done += step.files
        progress.bytes_done += step.bytes
        progress.requests += step.requests
        self.tell(progress)

    def _add(self, outcome: Outcome) -> None:
        """Sessions and targets in which two processes met count once."""
        done, new = self.done, outcome.done
        done.lines += new.lines
        done.left_out += new.left_out
        done.requests += new.requests
        done.bytes += new.bytes
        done.left += new.left
        done.unread += new.unread
        self._sessions |= outcome.sessions
        self._made |= outcome.targets
        done.sessions, done.targets = len(self._sessions), len(self._made)
        self._touched |= outcome.touched
        self._moved |= outcome.moved

    async def _batches(self, database: Database) -> Batches:
        host = self.settings.host_name
        rows = await database.fetch_all("history.targets_by_path", host=host)
        targets: list[tuple[UUID, str]] = [(row["id"], row["path"]) for row in rows]
        places = await asyncio.to_thread(Places, targets)
        belonging = Belonging(database, self.settings.sessions_dir, places)
        billing = None if self.settings.billing == "auto" else self.settings.billing
        return Batches(database, host, belonging, self.prices, billing)

    async def _remembered(self, changed: list[Found]) -> dict[str, Remembered]:
        """What else is remembered of files that are known, by path."""
        names = [str(one.file.path) for one in changed if one.known is not None]
        if not names:
            return {}
        rows = await self.database.fetch_all(
            "history.remembered", host=self.settings.host_name, names=names
        )
        return {
            row["name"]: Remembered(
                row["head_sha256"],
                row["head_length"],
                row["tail_sha256"] or "",
                seen_of(row["seen"] or {}),
            )
            for row in rows
        }
