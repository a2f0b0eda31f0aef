"""Turns as jobs: one of each target, in order of priority, given back when their worker dies."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from procrastinate.jobs import Status
from procrastinate.worker import Worker

from acd.core.errors import DatabaseRefused
from acd.core.models import Target
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.queue.connector import ensure_schema
from acd.queue.jobs import TURN, Turn, Turns, open_turns, queue_name
from acd.queue.presence import Workers

NOW = datetime.now(UTC)
A, B, C = (Target(repo_id=name, name=name, path=f"/{name}") for name in "abc")


def turn(target: Target) -> Turn:
    return Turn(target.id, NOW)


@pytest.fixture
async def turns(database: Database, tmp_path: Path) -> AsyncIterator[Turns]:
    workers = Workers(tmp_path / "locks", database.url)
    yield await open_turns(database, workers)
    workers.close()


@asynccontextmanager
async def working(
    turns: Turns, look: Callable[[UUID], Awaitable[None]], concurrency: int = 1, **options: object
) -> AsyncIterator[Worker]:
    """A worker that calls `look` with the target of each turn."""

    async def take(target_id: str, since: str, once: bool) -> None:
        await look(UUID(target_id))

    turns.app.task(name=TURN)(take)
    worker = Worker(
        turns.app,
        concurrency=concurrency,
        fetch_job_polling_interval=0.05,
        listen_notify=False,
        delete_jobs="always",
        install_signal_handlers=False,
        **options,  # type: ignore[arg-type]
    )
    running = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]
    try:
        yield worker
    finally:
        worker.stop()  # type: ignore[no-untyped-call]
        await running


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


async def no_turns(turns: Turns) -> bool:
    return not await turns.waiting()


async def test_a_target_waits_once_however_often_it_is_deferred(turns: Turns) -> None:
    assert await turns.defer([(turn(A), A), (turn(B), B)]) == 2
    assert await turns.defer([(turn(A), A), (turn(C), C)]) == 1
    waiting = await turns.waiting()
    assert [w.turn.target_id for w in waiting] == [A.id, B.id, C.id]
    assert not any(w.running for w in waiting)


async def test_lower_priority_numbers_come_first(turns: Turns) -> None:
    last, first, middle = (
        Target(repo_id=str(number), name="x", path="/x", priority=number) for number in (9, -2, 3)
    )
    seen: list[UUID] = []

    async def look(target_id: UUID) -> None:
        seen.append(target_id)

    await turns.defer([(turn(target), target) for target in (last, first, middle)])
    async with working(turns, look):
        await until(lambda: no_turns(turns))
    assert seen == [first.id, middle.id, last.id]


async def test_priorities_of_waiting_turns_follow_their_targets(turns: Turns) -> None:
    due = NOW + timedelta(hours=1)
    await turns.defer([(turn(A), A)], due)
    await turns.defer([(turn(B), B)])
    await turns.reprioritise([Target(repo_id="a", name="a", path="/a", priority=1)])
    waiting = {w.turn.target_id: w for w in await turns.waiting()}
    assert waiting[A.id].due == due
    (job,) = await turns.app.job_manager.list_jobs_async(lock=str(A.id))
    assert job.priority == -1


async def test_a_turn_is_not_taken_before_it_is_due(turns: Turns) -> None:
    seen: list[datetime] = []

    async def look(_: UUID) -> None:
        seen.append(datetime.now(UTC))

    due = datetime.now(UTC) + timedelta(seconds=0.7)
    await turns.defer([(turn(A), A)], due)
    async with working(turns, look):
        await until(lambda: no_turns(turns))
    assert seen[0] >= due


async def test_withdrawing_takes_what_waits(turns: Turns) -> None:
    await turns.defer([(turn(t), t) for t in (A, B, C)])
    await turns.withdraw({A.id, B.id})
    assert [w.turn.target_id for w in await turns.waiting()] == [C.id]
    await turns.withdraw()
    assert await turns.waiting() == []


async def test_a_worker_of_some_targets_leaves_the_others(turns: Turns) -> None:
    seen: list[UUID] = []

    async def look(target_id: UUID) -> None:
        seen.append(target_id)

    async def only_c() -> bool:
        return [w.turn.target_id for w in await turns.waiting()] == [C.id]

    await turns.defer([(turn(t), t) for t in (C, B, A)])
    async with working(turns, look, queues=[queue_name(A.id), queue_name(B.id)]):
        await until(only_c)
    assert set(seen) == {A.id, B.id}


async def test_one_turn_of_a_target_at_a_time(turns: Turns) -> None:
    """A turn defers the next one before it ends, as the real one does; four slots never overlap on a target."""
    inside: dict[UUID, int] = {A.id: 0, B.id: 0}
    most: dict[UUID, int] = dict(inside)
    left = {A.id: 6, B.id: 6}

    async def look(target_id: UUID) -> None:
        inside[target_id] += 1
        most[target_id] = max(most[target_id], inside[target_id])
        left[target_id] -= 1
        if left[target_id]:
            target = A if target_id == A.id else B
            await turns.defer([(turn(target), target)])
        await asyncio.sleep(0.05)
        inside[target_id] -= 1

    await turns.defer([(turn(A), A), (turn(B), B)])
    async with working(turns, look, concurrency=4):
        await until(lambda: no_turns(turns))
    assert left == {A.id: 0, B.id: 0}
    assert most == {A.id: 1, B.id: 1}


async def race(database_url: str, tmp_path: Path, rounds: int) -> None:
    """Two orchestrators with databases, pools and workers of their own, `rounds` targets, each deferred by both."""
    targets = [Target(repo_id=f"r{n}", name="r", path="/r") for n in range(rounds)]
    inside: set[UUID] = set()
    overlaps: list[UUID] = []
    taken: list[UUID] = []

    async def look(target_id: UUID) -> None:
        if target_id in inside:
            overlaps.append(target_id)
        inside.add(target_id)
        await asyncio.sleep(0.002)
        inside.remove(target_id)
        taken.append(target_id)

    async def orchestrate(name: str) -> None:
        settings = Settings(home=tmp_path / name, database_url=database_url)
        async with open_database(settings, application=name) as db:
            workers = Workers(settings.locks_dir, db.url)
            turns = await open_turns(db, workers)
            async with working(turns, look, concurrency=3):
                for target in targets:
                    await turns.defer([(turn(target), target)])
                await until(lambda: no_turns(turns), 100)
            workers.close()

    await asyncio.gather(orchestrate("one"), orchestrate("two"))
    assert overlaps == []
    assert set(taken) == {target.id for target in targets}


async def test_two_orchestrators_on_one_queue(database_url: str, tmp_path: Path) -> None:
    await race(database_url, tmp_path, 10)


@pytest.mark.long
async def test_two_orchestrators_on_one_queue_fifty_times(
    database_url: str, tmp_path: Path
) -> None:
    for attempt in range(50):
        await race(database_url, tmp_path / str(attempt), 20)


WORKER_PROCESS = """
import asyncio, sys
from pathlib import Path
from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.queue.jobs import TURN, open_turns
from acd.queue.presence import Workers
from procrastinate.worker import Worker

async def main(url, locks):
    async with open_database(Settings(database_url=url), application="victim") as db:
        turns = await open_turns(db, Workers(Path(locks), db.url))
        async def take(target_id, since, once):
            print("taken", flush=True)
            await asyncio.sleep(3600)
        turns.app.task(name=TURN)(take)
        await Worker(turns.app, listen_notify=False, fetch_job_polling_interval=0.05).run()

asyncio.run(main(*sys.argv[1:]))
"""


async def killed_worker(url: str, locks: Path) -> None:
    """Start a worker process, let it take a turn, kill it with -9."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER_PROCESS, url, str(locks), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"taken\n"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()


async def test_a_worker_killed_on_this_machine_is_known_dead_at_once(
    turns: Turns, database: Database, tmp_path: Path
) -> None:
    await turns.defer([(turn(A), A)])
    await killed_worker(database.url, tmp_path / "locks")
    assert [w.running for w in await turns.waiting()] == [True]
    assert await turns.give_back_stalled() == 1
    assert [(w.turn, w.running) for w in await turns.waiting()] == [(turn(A), False)]
    assert await turns.give_back_stalled() == 0


async def test_a_worker_of_another_machine_is_judged_by_its_heartbeat_seen_twice(
    turns: Turns, database: Database, tmp_path: Path
) -> None:
    await turns.defer([(turn(A), A)])
    await killed_worker(database.url, tmp_path / "another machine's locks")
    assert [await turns.give_back_stalled() for _ in range(3)] == [0, 0, 0]
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "UPDATE acd_queue.procrastinate_workers SET last_heartbeat = now() - interval '31 s'"
        )
    assert [await turns.give_back_stalled() for _ in range(3)] == [0, 1, 0]
    assert [w.running for w in await turns.waiting()] == [False]


async def test_a_live_worker_that_missed_its_heartbeats_keeps_its_turn(
    turns: Turns, database: Database
) -> None:
    """After an outage every heartbeat is old: the lock says who lives."""
    going_on = asyncio.Event()
    jobs = turns.app.job_manager

    async def look(_: UUID) -> None:
        turns.running.update(job.id for job in await jobs.list_jobs_async(status="doing") if job.id)
        await going_on.wait()

    async def taken() -> bool:
        return bool(turns.running)

    await turns.defer([(turn(A), A)])
    async with working(turns, look):
        await until(taken)
        with psycopg.connect(database.url) as connection:
            connection.execute(
                "UPDATE acd_queue.procrastinate_workers SET last_heartbeat = now() - interval '1 d'"
            )
        assert [await turns.give_back_stalled() for _ in range(3)] == [0, 0, 0]
        going_on.set()
        await until(lambda: no_turns(turns))


async def test_a_job_claimed_in_our_name_that_we_never_heard_of_comes_back(
    turns: Turns, database: Database
) -> None:
    """The connection may break after the claim was committed and before the answer came."""
    seen: list[UUID] = []

    async def look(target_id: UUID) -> None:
        seen.append(target_id)

    async with working(turns, look) as worker:
        await until(lambda: _registered(worker))
        with psycopg.connect(database.url, options="-c search_path=acd_queue") as connection:
            connection.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id) "
                "VALUES ('x', 'turn', %(id)s, %(id)s, jsonb_build_object('target_id', %(id)s::text, "
                "'since', now(), 'once', false), 'doing', %(worker)s)",
                {"id": str(A.id), "worker": worker.worker_id},
            )
        assert [await turns.give_back_stalled() for _ in range(2)] == [0, 1]
        await until(lambda: no_turns(turns))
    assert seen == [A.id]


async def _registered(worker: Worker) -> bool:
    return worker.worker_id is not None


async def test_an_end_that_is_told_twice_is_told_once(turns: Turns) -> None:
    await turns.defer([(turn(A), A)])
    manager = turns.app.job_manager
    worker_id = await manager.register_worker()
    job = await manager.fetch_job(None, worker_id)
    assert job
    await manager.finish_job(job, Status.SUCCEEDED, True)
    await manager.finish_job(job, Status.SUCCEEDED, True)
    assert await turns.waiting() == []


@pytest.mark.extra
async def test_a_worker_rides_out_the_loss_of_every_connection(
    turns: Turns, database: Database
) -> None:
    """All connections are cut, again and again, while turns follow one another; every turn comes to its end."""
    left, cuts = 40, 0

    async def look(_: UUID) -> None:
        nonlocal left
        left -= 1
        if left:
            await turns.defer([(turn(A), A)])

    async def cut() -> None:
        """Again soon after something was done; later and later while nothing is, for a machine that is slow to connect."""
        nonlocal cuts
        pause, before = 0.1, left
        with psycopg.connect(database.url, autocommit=True) as connection:
            while left:
                cut_now = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                cuts += cut_now.rowcount
                pause, before = (0.1 if left < before else min(2.0, pause * 1.5)), left
                await asyncio.sleep(pause)

    await turns.defer([(turn(A), A)])
    async with working(turns, look), asyncio.TaskGroup() as group:
        group.create_task(cut())
        await until(lambda: _recovered(turns, lambda: left == 0), 90)
    assert left == 0
    assert cuts > 5


async def _recovered(turns: Turns, done: Callable[[], bool]) -> bool:
    await turns.give_back_stalled()
    return done() and not await turns.waiting()


async def test_the_engines_tables_are_made_once_by_many(database_url: str, tmp_path: Path) -> None:
    async def one(number: int) -> None:
        settings = Settings(home=tmp_path / str(number), database_url=database_url)
        async with open_database(settings, application="x") as db:
            await ensure_schema(db)

    await asyncio.gather(*map(one, range(6)))
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT obj_description('acd_queue'::regnamespace)").fetchone()
    assert row
    assert row[0].startswith("Procrastinate schema ")


async def test_tables_of_another_version_are_made_anew_unless_somebody_works(
    turns: Turns, database: Database
) -> None:
    await turns.defer([(turn(A), A)])
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("COMMENT ON SCHEMA acd_queue IS 'Procrastinate schema 0123'")
        connection.execute("INSERT INTO acd_queue.procrastinate_workers DEFAULT VALUES")
        with pytest.raises(DatabaseRefused, match="another version"):
            await ensure_schema(database)
        assert len(await turns.waiting()) == 1
        connection.execute("DELETE FROM acd_queue.procrastinate_workers")
        await ensure_schema(database)
    assert await turns.waiting() == []
    assert await turns.defer([(turn(A), A)]) == 1
