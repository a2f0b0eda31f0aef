"""Of a serial group one target at a time is worked, also by processes that share nothing but the database."""

from __future__ import annotations

import asyncio
import itertools

import psycopg
import pytest

from acd.core.errors import Busy
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.queue.groups import Groups
from acd.queue.sync import sync
from tests.data.queue.place import Place, Seen
from tests.integration.control.conftest import running, until
from tests.integration.control.test_control_orders import begin, end
from tests.integration.fleet.test_takeover import begun


def groups(database: Database, place: Place, home: str) -> Groups:
    settings = Settings(home=place.folder / home)
    return Groups(database, settings, asyncio.Event())


async def test_a_group_is_held_across_homes(database: Database, place: Place) -> None:
    here, there = groups(database, place, "here"), groups(database, place, "there")
    async with here.held("database"):
        for other in (there, here):
            with pytest.raises(Busy):
                async with other.held("database"):
                    pass
        async with there.held("another"), there.held(None):
            pass
    async with there.held("database"):
        pass
    assert place.rows("SELECT * FROM serial_group_leases") == []


async def test_a_lease_of_the_dead_ends(database: Database, place: Place) -> None:
    here, there = groups(database, place, "here"), groups(database, place, "there")
    async with here.held("g" * 5000):
        lease = "UPDATE serial_group_leases SET expires_at = now() - interval '1 s'"
        with psycopg.connect(database.url) as connection:
            connection.execute(lease)
            young = connection.execute(
                "SELECT pg_postmaster_start_time() > now() - interval '60 s'"
            ).fetchone()
        if young == (True,):  # a server that has just started gives its holders time
            with pytest.raises(Busy):
                async with there.held("g" * 5000):
                    pass
            return
        async with there.held("g" * 5000):
            pass


async def test_a_home_takes_its_own_lease_back_at_once(database: Database, place: Place) -> None:
    """Its file lock is free, so nobody of the home works on the group: the one who did was killed."""
    here = groups(database, place, "here")
    async with here.held("g"):
        rows = place.rows("SELECT * FROM serial_group_leases")
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "INSERT INTO serial_group_leases (group_key, serial_group, holder, expires_at) "
            "VALUES (%s, 'g', %s, now() + interval '1 h')",
            [rows[0]["group_key"], rows[0]["holder"]],
        )
    async with groups(database, place, "here").held("g"):
        pass
    with pytest.raises(Busy):
        async with here.held("g"), groups(database, place, "there").held("g"):
            pass


async def test_a_group_is_not_free_while_the_agent_of_a_dead_harness_may_go_on(
    database: Database, place: Place
) -> None:
    """Its lease is over, but its session runs as far as is recorded, and its worker's lease is not over yet."""
    place.repository("a")
    place.write_queue({"id": "a", "serialGroup": "g"})
    await sync(database, place.settings)
    (target,) = place.rows("SELECT id FROM targets")
    there = groups(database, place, "there")
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(
            "WITH worker AS (INSERT INTO workers (id, host, pid, lease_until)"
            " VALUES (gen_random_uuid(), 'dead', 1, now() + interval '1 h') RETURNING id)"
            " INSERT INTO target_places (target_id, host, folder, cloned, worker_id)"
            " SELECT %s, 'dead', '/', false, id FROM worker",
            [target["id"]],
        )
        async with there.held("g"):  # it was between two sessions
            pass
        session_id = begun(place, target["id"], "dead")
        with pytest.raises(Busy):
            async with there.held("g"):
                pass
        async with there.held("another"):
            pass
        connection.execute(
            "UPDATE harness_sessions SET status = 'failed' WHERE id = %s", [session_id]
        )
        async with there.held("g"):
            pass
        connection.execute(
            "UPDATE harness_sessions SET status = 'running' WHERE id = %s", [session_id]
        )
        connection.execute("UPDATE workers SET lease_until = now() - interval '1 s'")
        async with there.held("g"):
            pass


@pytest.mark.extra
async def test_two_machines_work_a_group_one_after_the_other(
    database: Database, place: Place
) -> None:
    nap = {"sessions": [{"steps": [{"do": "sleep", "seconds": 0.5}, {"do": "feature"}]}]}
    names = ("a", "b", "c", "d")
    for name in names:
        place.repository(name, ["F1", "F2"])
    place.write_scenario(**dict.fromkeys(names, nap))
    place.write_queue(*({"id": name, "serialGroup": "one database"} for name in names))
    elsewhere = place.changed_settings | {"home": str(place.folder / "elsewhere")}
    process = await begin("worker", elsewhere)
    try:
        jobs = "SELECT to_regclass('acd_queue.procrastinate_workers') IS NOT NULL AS made"
        await until(lambda: place.rows(jobs)[0]["made"])
        workers = "SELECT 1 FROM acd_queue.procrastinate_workers"
        await until(lambda: place.rows(workers))
        async with running(database, place, Seen(), concurrency=2) as run:
            assert (await asyncio.wait_for(run, 100)).ended_by == "done"
    finally:
        process.terminate()
        await end(process)
    rows = sorted(place.rows("SELECT * FROM harness_sessions"), key=lambda row: row["started_at"])
    assert len(rows) == 8
    for before, after in itertools.pairwise(rows):
        assert before["finished_at"] <= after["started_at"]
