"""Much history is imported by several processes at once: what comes of it is what one process makes of it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from acd.core.errors import DatabaseAway, ImportBroken
from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.history import processes
from acd.history.choosing import choose
from acd.history.done import Imported, Progress
from acd.history.importing import Importer
from acd.history.processes import all_at_once
from acd.history.share import Outcome, Step
from acd.reports.totals import disagreements, four_ways
from bench.history_corpus import Plan, write_history
from tests.integration.ledger.stage import fingerprint, select

pytestmark = pytest.mark.extra

Tell = Callable[[Step], None]


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) <= before


async def imported(url: str, folder: Path, at_once: int) -> tuple[Imported, list[int], object]:
    """What an import said that it did, how far it told that it was, and every row that came of it."""
    settings = Settings(home=folder / "home", database_url=url, timezone="UTC")
    told: list[int] = []

    def tell(progress: Progress) -> None:
        told.append(progress.bytes_done)

    async with open_database(settings, application="test") as database:
        roots = choose(settings, {}, "claude-code", [folder / "history"])
        importer = Importer(database, settings, tell=tell, processes=at_once, many_bytes=1)
        done = await importer.run(roots)
        files = await select(
            database,
            "SELECT target_id, session_id, name, read_offset, lines_read, lines_left_out, seen FROM ledger_files "
            "ORDER BY name",
        )
        assert disagreements(await four_ways(database)) == []
        return done, told, {**await fingerprint(database), "ledger_files": files}


async def test_several_do_what_one_does(
    database_url: str,
    empty_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = write_history(tmp_path / "history", Plan(2_000_000, seed=4, quirks=True))
    alone = await imported(empty_database_url, tmp_path, 1)
    begun: list[Tell] = []
    real = processes._Process

    def counted(work: processes.Work, tell: Tell) -> processes._Process:
        begun.append(tell)
        return real(work, tell)

    monkeypatch.setattr(processes, "_Process", counted)
    several = await imported(database_url, tmp_path, 3)
    assert len(begun) >= 2
    assert (several[0], several[2]) == (alone[0], alone[2])
    assert several[0].lines == expected.lines
    assert several[1] == sorted(several[1])
    assert several[1][-1] == alone[1][-1]


async def test_errors_come_through() -> None:
    async def away(_tell: Tell) -> Outcome:
        raise DatabaseAway("the server has gone")

    with pytest.raises(DatabaseAway, match="the server has gone"):
        await all_at_once(waits, [away], lambda _: None)


async def test_one_that_ends_without_a_word_is_told() -> None:
    async def breaks(_tell: Tell) -> Outcome:
        os._exit(3)

    with pytest.raises(ImportBroken, match="ended with 3"):
        await all_at_once(waits, [breaks, waits], lambda _: None)


async def test_when_ours_ends_so_do_the_others() -> None:
    async def away(_tell: Tell) -> Outcome:
        raise DatabaseAway("the server has gone")

    with pytest.raises(DatabaseAway):
        await all_at_once(away, [waits, waits], lambda _: None)


async def test_cancelling_ends_all() -> None:
    began: list[Step] = []

    async def begins(tell: Tell) -> Outcome:
        tell(Step(1, 2, 3))
        return await waits(tell)

    task = asyncio.create_task(all_at_once(waits, [begins], began.append))
    while not began:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert began == [Step(1, 2, 3)]


ORPHAN = """
import asyncio, os
from acd.history.processes import all_at_once
from acd.history.share import Step

async def works(tell):
    while True:
        tell(Step(os.getpid(), 0, 0))
        await asyncio.sleep(0.01)

async def waits(tell):
    await asyncio.sleep(3600)

def tell(step):
    print(step.files, flush=True)
    os._exit(0)

asyncio.run(all_at_once(waits, [works], tell))
"""


async def test_one_whose_parent_was_killed_ends() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ORPHAN, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await parent.communicate()
    orphan = int(out)
    async with asyncio.timeout(60):
        while psutil.pid_exists(orphan) and not is_zombie(orphan):
            await asyncio.sleep(0.02)


def is_zombie(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


async def waits(_tell: Tell) -> Outcome:
    await asyncio.sleep(3600)
    raise AssertionError("nobody waits so long")
