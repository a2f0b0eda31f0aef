"""Two machines (two homes, two names) on one database: who works what, and what happens when one falls silent."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.harness.stopping import StopSignal, is_insisted, reason_of
from acd.queue.ending import Ending
from acd.queue.file import read_queue_file
from acd.queue.jobs import TURN, Turn, open_turns, queue_name
from acd.queue.lease import Lease
from acd.queue.left import open_queues
from acd.queue.orchestrator import RunOptions, RunResult, work_queue, worker
from acd.queue.placing import Elsewhere, Here, Placing
from acd.queue.presence import Workers
from acd.queue.standing import read_queue
from acd.queue.sync import sync
from tests.data.queue.place import Place, Seen

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    place = Place(tmp_path, database_url)
    place.settings = msgspec.structs.replace(place.settings, host_name="queen")
    return place


def other(place: Place, name: str, **changes: object) -> Settings:
    """The settings of another machine."""
    return msgspec.structs.replace(
        place.settings,
        **{
            "home": place.folder / f"home-{name}",
            "host_name": name,
            "queue_file": place.folder / "none.json",
            **changes,
        },
    )


def published(place: Place, name: str, features: list[str]) -> Path:
    """A repository that can be cloned, with its feature list in it."""
    path = place.repository(name, features)
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for command in (["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-C", str(path), *identity, *command], check=True)
    return path


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def working(
    settings: Settings, *, run: bool = False
) -> AsyncIterator[asyncio.Task[RunResult]]:
    """A machine at work; ended in order when the block is left."""
    ending = Ending()
    async with open_database(settings, application="test") as database:
        call = work_queue if run else worker
        work = asyncio.create_task(
            call(database, settings, RunOptions(concurrency=2), observer=Seen(), ending=ending)
        )
        try:
            yield work
        finally:
            ending.stop()
            with suppress(asyncio.CancelledError):
                await work


@asynccontextmanager
async def leasing(database: Database, settings: Settings) -> AsyncIterator[Lease]:
    """A machine that has a lease and does nothing."""
    lease = Lease(database, settings, tell=lambda _: None, give_up=asyncio.Event())
    await lease.join()
    yield lease
    await lease.resign()


def placing(database: Database, settings: Settings, lease: Lease) -> Placing:
    return Placing(database, settings, lease, lambda _: None)


async def test_a_machine_without_the_folder_leaves_the_target_to_others(
    database: Database, place: Place
) -> None:
    place.repository("a", ["F1"])
    place.write_queue({"id": "a"})
    (here,) = read_queue_file(place.queue).targets
    await sync(database, place.settings)
    turns = await open_turns(database, Workers(place.settings.locks_dir, database.url))
    await turns.defer([(Turn(here.id, datetime.now(UTC)), here)])
    there = msgspec.structs.replace(here, path=str(place.folder / "not" / "mounted"))
    stranger, queen = other(place, "stranger"), place.settings

    async def open_to(lease: Lease) -> list[str]:
        return await open_queues(database, TURN, lease.host_name, lease.left.now(), None)

    async with leasing(database, stranger) as theirs, leasing(database, queen) as ours:
        strange = placing(database, stranger, theirs)
        assert await open_to(theirs) == [queue_name(here.id)]
        found = await strange.take(there, at_home=False)
        assert found == Elsewhere(f"waits for a machine that has {there.path}", for_good=True)
        assert await open_to(theirs) == []  # it does not spin
        assert await open_to(ours) == [queue_name(here.id)]
        found = await placing(database, queen, ours).take(here, at_home=True)
        assert found == Here(Path(here.path), cloned=False)
        await ours.release(here.id)
        # Its work is there now: a clone elsewhere would begin anew.
        cloned = msgspec.structs.replace(there, clone=here.path)
        found = await strange.take(cloned, at_home=False)
        assert found == Elsewhere("its work is on queen", for_good=False)


async def test_a_target_that_nobody_can_work_waits_and_says_for_what(
    database: Database, place: Place
) -> None:
    folder = place.repository("a", ["F1"])
    place.write_queue({"id": "a"})
    place.write_scenario()
    async with working(place.settings, run=True) as run:
        pass  # begun, and stopped before it was worked
    with suppress(asyncio.CancelledError):
        await run
    folder.rename(place.folder / "moved")
    stranger = other(place, "stranger")
    words = f"waits for a machine that has {folder}"
    async with working(stranger):

        def said() -> bool:
            return any(
                str(row["reason"]).startswith(words)
                for row in place.rows("SELECT reason FROM waiting_for_a_machine")
            )

        await until(said)
        (entry,) = (await read_queue(database, stranger)).targets
        assert (entry.state, entry.reason.startswith(words)) == ("due", True)
    assert place.target("a")["status"] in ("pending", "active")
    assert len(place.sessions("a")) <= 1


async def test_a_clone_is_worked_where_there_is_no_folder(
    database: Database, place: Place, tmp_path: Path
) -> None:
    source = published(place, "source", ["F1", "F2"])
    place.write_queue({"id": "a", "path": "nowhere/a", "clone": "source"})
    place.write_scenario()
    async with working(place.settings, run=True) as run:
        result = await asyncio.wait_for(run, 60)
    assert [end.status for end in result.targets] == ["complete"]
    clone = place.settings.clones_dir / "a"
    assert (clone / "features" / "F2.md").exists()
    assert not (source / "features").exists()
    (row,) = place.rows("SELECT host, folder, cloned, worker_id FROM target_places")
    assert (row["host"], row["folder"], row["cloned"], row["worker_id"]) == (
        "queen",
        str(clone),
        True,
        None,
    )
    assert place.target("a")["path"] == str(place.folder / "nowhere" / "a")
    place.assert_recorded()


async def test_a_clone_that_cannot_be_made_blocks_the_target_with_gits_words(
    place: Place,
) -> None:
    place.write_queue({"id": "a", "path": "nowhere/a", "clone": "no-such-folder"})
    place.write_scenario()
    async with working(place.settings, run=True) as run:
        result = await asyncio.wait_for(run, 60)
    (end,) = result.targets
    assert end.status == "blocked"
    assert str(end.reason).startswith("config: it cannot be cloned: git clone ")
    assert place.sessions("a") == []


async def test_a_turn_keeps_its_target_when_what_was_inherited_is_over(
    database: Database, place: Place
) -> None:
    place.repository("a", ["F1"])
    place.repository("b", ["F1"])
    place.write_queue({"id": "a"}, {"id": "b"})
    await sync(database, place.settings)
    a, b = read_queue_file(place.queue).targets
    dead = Lease(database, place.settings, tell=lambda _: None, give_up=asyncio.Event())
    await dead.join()
    for target in (a, b):
        assert isinstance(
            await placing(database, place.settings, dead).take(target, at_home=True), Here
        )
    dead._workers.close()  # its lock files are let go, as by the kernel
    held = "SELECT count(*) AS n FROM target_places WHERE worker_id IS NOT NULL"
    async with leasing(database, place.settings) as heir:
        assert isinstance(await placing(database, place.settings, heir).take(a, at_home=True), Here)
        await heir.release_inherited()  # the sessions of the dead one are closed
        assert not await heir.is_anothers(a.id)
        assert place.rows(held) == [{"n": 1}]
        await heir.release(a.id)
        assert place.rows(held) == [{"n": 0}]


def begun(place: Place, target_id: UUID, host: str) -> UUID:
    """A session that runs, by the database."""
    session_id = uuid4()
    place.rows(
        "INSERT INTO harness_sessions (target_id, id, session_type, origin, agent, agent_session_id, model, status,"
        f" started_at, host) VALUES ('{target_id}', '{session_id}', 'coding', 'harness', 'scripted', '{session_id}',"
        f" 'opus', 'running', now(), '{host}') RETURNING id"
    )
    return session_id


def status_of(place: Place, session_id: UUID) -> tuple[str, str | None, bool]:
    (row,) = place.rows(f"SELECT * FROM harness_sessions WHERE id = '{session_id}'")
    return row["status"], row["error_type"], row["presumed_at"] is not None


async def test_a_machine_that_wakes_ends_what_another_has_taken_over(
    database: Database, place: Place
) -> None:
    published(place, "a", ["F1"])
    place.write_queue({"id": "a", "clone": "a"})
    await sync(database, place.settings)
    (target,) = read_queue_file(place.queue).targets
    queen, stranger = place.settings, other(place, "stranger")
    async with leasing(database, queen) as ours, leasing(database, stranger) as theirs:
        assert await placing(database, queen, ours).take(target, at_home=True) == Here(
            Path(target.path), cloned=False
        )
        session_id = begun(place, target.id, "queen")
        taking = placing(database, stranger, theirs)
        found = await taking.take(target, at_home=False)
        assert found == Elsewhere("queen works it", for_good=False)
        place.rows("UPDATE workers SET lease_until = now() WHERE host = 'queen' RETURNING id")
        # Its folder is there for the other one too, but an agent may be at work in it.
        found = await taking.take(target, at_home=False)
        assert found == Here(stranger.clones_dir / "a", cloned=True)
        assert status_of(place, session_id) == ("failed", "interrupted", True)
        stop = StopSignal()
        with ours.guard(session_id, target, stop):
            ours.left.changed.set()  # the next sign of life comes at once
            keeping = asyncio.create_task(ours.keep())
            async with asyncio.timeout(20):
                await stop.wait()
            keeping.cancel()
        reason = reason_of(stop)
        assert reason is not None
        assert (reason.error_type, is_insisted(stop)) == ("interrupted", True)
        assert "another machine had taken the target over" in (reason.message or "")
        assert await ours.is_anothers(target.id)
        found = await placing(database, queen, ours).take(target, at_home=True)
        assert found == Elsewhere("stranger works it", for_good=False)


@pytest.mark.extra
async def test_a_session_goes_on_when_its_machine_is_back_and_nobody_took_it_over(
    database: Database, place: Place
) -> None:
    place.repository("a", ["F1"])
    place.write_queue({"id": "a"})
    await sync(database, place.settings)
    (target,) = read_queue_file(place.queue).targets
    queen = msgspec.structs.replace(place.settings, lease_seconds=3, terminate_grace=1)
    stranger = other(place, "stranger")
    async with leasing(database, queen) as ours, leasing(database, stranger) as theirs:
        await placing(database, queen, ours).take(target, at_home=True)
        session_id = begun(place, target.id, "queen")
        await asyncio.sleep(3.2)  # silent for longer than its lease
        found = await placing(database, stranger, theirs).take(target, at_home=False)
        assert found == Elsewhere("waits for queen, which gives no sign of life", for_good=True)
        await theirs.presume()
        assert status_of(place, session_id) == ("failed", "interrupted", True)
        stop = StopSignal()
        with ours.guard(session_id, target, stop):
            keeping = asyncio.create_task(ours.keep())
            await until(lambda: status_of(place, session_id) == ("running", None, False))
            keeping.cancel()
        assert not stop.is_set()  # without a clone nobody else could have had it
        assert not await ours.is_anothers(target.id)
