"""What is killed, stopped or left behind costs no acknowledged row and comes back."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from acd.core.errors import DatabaseAway
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.database.embedded import EmbeddedServer

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

PUT = "INSERT INTO targets (id, repo_id, name, path) VALUES (gen_random_uuid(), %(n)s::text, 'a', '/a')"
COUNT = "SELECT count(*)::int AS found FROM targets"


async def put(database: Database, number: int) -> None:
    async with database.transaction() as transaction:
        await transaction.fetch_foreign(PUT, {"n": number})


async def count(database: Database) -> int:
    async with database.transaction() as transaction:
        (row,) = await transaction.fetch_foreign(COUNT, {})
    found: int = row["found"]
    return found


async def test_a_killed_server_is_back_with_every_acknowledged_row(
    settings: Settings, server: EmbeddedServer
) -> None:
    async with open_database(settings, application="test") as database:
        acknowledged = 0
        for _ in range(2):
            for _ in range(20):
                await put(database, acknowledged)
                acknowledged += 1
            pid = server.status().pid
            assert pid
            os.kill(pid, signal.SIGKILL)
            assert await asyncio.wait_for(back(database, server, pid), 15) == acknowledged


async def back(database: Database, server: EmbeddedServer, killed: int) -> int:
    """What the next server has; the killed one's backends may answer for a moment more."""
    while True:
        with suppress(DatabaseAway):
            found = await count(database)
            if server.status().pid not in {None, killed}:
                return found
        await asyncio.sleep(0.05)


def kill_guard(server: EmbeddedServer) -> int:
    pid = int(server.places.guard.read_text())
    guard = psutil.Process(pid)
    guard.kill()
    guard.wait(30)
    return pid


async def test_a_killed_guard_and_server_are_back_by_the_next_call(
    settings: Settings, server: EmbeddedServer
) -> None:
    async with open_database(settings, application="test") as database:
        await put(database, 1)
        guard = kill_guard(server)
        pid = server.status().pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        assert await asyncio.wait_for(back(database, server, pid), 15) == 1
        assert int(server.places.guard.read_text()) != guard
    assert server.status().pid is None


@pytest.mark.parametrize("newcomer", [True, False], ids=["for the next client", "for the last one"])
async def test_a_server_whose_guard_was_killed_gets_a_new_one(
    settings: Settings, server: EmbeddedServer, newcomer: bool
) -> None:
    async with open_database(settings, application="test"):
        pid = server.status().pid
        guard = kill_guard(server)
        if newcomer:
            async with open_database(settings, application="second"):
                assert server.status().pid == pid, "the server itself went on"
                assert int(server.places.guard.read_text()) != guard
    assert server.status().pid is None


@contextmanager
def frozen(server: EmbeddedServer) -> Iterator[None]:
    """The whole server stopped, as by a hanging disk or a suspended machine."""
    main = psutil.Process(server.status().pid)
    processes = [main, *main.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(processes):
            process.resume()


@pytest.mark.timeout(180)
async def test_every_call_on_a_hanging_server_ends_within_ten_seconds(
    settings: Settings, server: EmbeddedServer
) -> None:
    async with open_database(settings, application="test") as database:
        await put(database, 1)
        heard = database.listen("news", announce=True)
        await anext(heard)
        transaction = database.transaction()
        held = await transaction.__aenter__()
        with frozen(server):
            calls = {
                "on an open connection": database.fetch_one("schema.state"),
                "on a new connection": database.fetch_one("schema.state"),
                "in an open transaction": held.fetch_one("schema.state"),
                "when opening": opened(settings),
                "when listening": anext(database.listen("news")),
            }
            took = await asyncio.gather(*(refused(call) for call in calls.values()))
            await ends_soon_when_cancelled(database)
        assert dict(zip(calls, took, strict=True)) == {
            name: pytest.approx(5, abs=5.2) for name in calls
        }
        with pytest.raises(DatabaseAway):
            await transaction.__aexit__(None, None, None)
        assert await count(database) == 1, "it is as good as before at the first call"
        await heard.aclose()


async def refused(call: object) -> float:
    """Seconds until the call was told that the database is away."""
    began = time.monotonic()
    with pytest.raises(DatabaseAway):
        await call  # type: ignore[misc]
    return time.monotonic() - began


async def opened(settings: Settings) -> None:
    async with open_database(settings, application="another"):
        pass


async def ends_soon_when_cancelled(database: Database) -> None:
    call = asyncio.create_task(database.fetch_one("schema.state"))
    await asyncio.sleep(0.5)
    began = time.monotonic()
    call.cancel()
    with pytest.raises((asyncio.CancelledError, DatabaseAway)):
        await call
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("living", ["a process of another program", "a zombie"])
def test_a_stale_pid_file_is_seen_through(server: EmbeddedServer, living: str) -> None:
    """Whatever lives under the pid that a server of before a crash left: ours starts, and the file is never removed."""
    server.attach()
    server.leave()
    account = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    command = ["sleep", "60"] if living == "a process of another program" else ["true"]
    other = subprocess.Popen(command, user=account)
    try:
        if command == ["true"]:
            while psutil.Process(other.pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)
        stale = server.status().data / "postmaster.pid"
        stale.write_text(f"{other.pid}\n{server.status().data}\n1\n5432\n\n\n       0         0\n")
        server.attach()
        assert server.status().pid not in {None, other.pid}
    finally:
        other.kill()
        other.wait()
