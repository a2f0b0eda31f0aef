"""A session whose harness and agent are gone shows as interrupted before anybody closes it, and no other does."""

from __future__ import annotations

import os
import subprocess
import sys
from uuid import UUID

import msgspec
import pytest

from acd.database.connection import Database
from acd.files.folder import SessionFolder
from acd.files.locks import hold
from acd.harness.environment import MARK
from acd.queue.lost import show_lost
from acd.queue.sync import sync
from tests.data.queue.place import Place
from tests.integration.fleet.test_takeover import begun, status_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

RUNNING = ("running", None, False)
LOST = ("failed", "interrupted", True)


async def test_a_session_that_nobody_attends_shows_as_interrupted(
    database: Database, place: Place
) -> None:
    place.settings = msgspec.structs.replace(place.settings, host_name="here")
    place.repository("a")
    place.write_queue({"id": "a"})
    await sync(database, place.settings)
    (target,) = place.rows("SELECT id FROM targets")

    def left(host: str = "here", *, lock: bool = True, folder: bool = True) -> UUID:
        session = SessionFolder(place.settings.sessions_dir / str(begun(place, target["id"], host)))
        if folder:
            session.path.mkdir(parents=True)
        if folder and lock:
            session.lock.touch()
        return session.session_id

    lost, attended, ended = left(), left(), left(lock=False)
    elsewhere, of_another_home, outlived = left("there"), left(folder=False), left()
    agent = subprocess.Popen(
        [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"],
        env={**os.environ, MARK: str(outlived)},
        stdout=subprocess.PIPE,
    )
    try:
        assert agent.stdout is not None
        agent.stdout.readline()  # from here on its environment can be seen
        with hold(place.settings.sessions_dir / str(attended) / "lock"):
            await show_lost(database, place.settings)
        assert status_of(place, lost) == LOST
        for each in (attended, ended, elsewhere, of_another_home, outlived):
            assert status_of(place, each) == RUNNING
    finally:
        agent.kill()
        agent.communicate()
    await show_lost(database, place.settings)
    assert [status_of(place, each) for each in (attended, outlived)] == [LOST, LOST]
    assert status_of(place, ended) == RUNNING
    words = place.rows(f"SELECT error_message FROM harness_sessions WHERE id = '{lost}'")
    assert "the next `acd run` on this machine does" in words[0]["error_message"]
