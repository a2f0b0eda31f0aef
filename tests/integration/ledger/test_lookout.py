"""What waits is told exactly, and sessions that are over cost nothing to look at."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder, session_folders, target_journals
from acd.ledger import lookout as module
from acd.ledger.lookout import Lookout
from acd.ledger.pending import Known, by_folder, pending_folders
from acd.ledger.recorder import Recorder
from tests.integration.ledger.stage import end, play_sample, session_of

Looked = list[str]


def whole_session(settings: Settings, number: int) -> None:
    folder = session_of(settings, number)
    play_sample(folder, "c_subagent")
    end(folder)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Looked:
    """Names of the folders that were looked into."""
    names: Looked = []
    see = module._see

    def seen(folder: Path, known: Known) -> object:
        names.append(folder.name)
        return see(folder, known)

    monkeypatch.setattr(module, "_see", seen)
    return names


@pytest.fixture
async def recorded(database: Database, settings: Settings) -> list[SessionFolder]:
    """Three sessions that have ended and are recorded; the last change of their files is an hour ago."""
    for number in (1, 2, 3):
        whole_session(settings, number)
    async with Recorder(database, settings) as recorder:
        assert (await recorder.catch_up_all()).folders == 3
        assert await recorder.settle(60)
    folders = sorted(session_folders(settings.sessions_dir), key=lambda folder: folder.path)
    for folder in folders:
        _an_hour_ago(folder.path)
    _an_hour_ago(settings.sessions_dir)
    return folders


def _an_hour_ago(folder: Path) -> None:
    at = time.time() - 3600
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (at, at))


async def test_what_is_over_is_looked_at_once(
    database: Database, settings: Settings, recorded: list[SessionFolder], looked: Looked
) -> None:
    lookout = Lookout(database, settings)
    assert [await lookout.backlog() for _ in range(3)] == [(0, 0, 0.0)] * 3
    assert sorted(set(looked)) == sorted(looked)
    assert lookout.settled == 3


async def test_a_session_that_runs_or_has_just_ended_is_looked_at_each_time(
    database: Database, settings: Settings, recorded: list[SessionFolder]
) -> None:
    first, second, _ = recorded
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "UPDATE harness_sessions SET status = 'running' WHERE id = %s", [first.session_id]
        )
    os.utime(second.journal.path)
    lookout = Lookout(database, settings)
    await lookout.backlog()
    assert lookout.settled == 1
    for folder in (first, second):
        _append(folder)
        assert folder.path in by_folder(await lookout.look())


async def test_a_new_folder_is_seen_at_the_next_look(
    database: Database, settings: Settings, recorded: list[SessionFolder]
) -> None:
    lookout = Lookout(database, settings)
    await lookout.backlog()
    whole_session(settings, 4)
    assert (await lookout.backlog()).folders == 1
    assert by_folder(await lookout.look()) == await pending_folders(database, settings)


@pytest.mark.parametrize(("again_s", "folders"), [(0.0, 1), (3600.0, 0)])
async def test_what_is_written_to_a_session_long_ended_is_found_in_time(
    database: Database,
    settings: Settings,
    recorded: list[SessionFolder],
    again_s: float,
    folders: int,
) -> None:
    lookout = Lookout(database, settings, again_s=again_s)
    await lookout.backlog()
    _append(recorded[0])
    assert (await lookout.backlog()).folders == folders


async def test_folders_that_are_gone_or_empty_are_no_trouble(
    database: Database, settings: Settings, recorded: list[SessionFolder]
) -> None:
    os.utime(recorded[0].journal.path)
    lookout = Lookout(database, settings)
    await lookout.backlog()
    shutil.rmtree(recorded[0].path)
    (settings.sessions_dir / "11111111-1111-1111-1111-111111111111").mkdir()
    (settings.sessions_dir / "not one of ours").mkdir()
    assert (await lookout.backlog()).folders == 0


async def test_it_says_what_a_look_at_everything_says(
    database: Database, settings: Settings, make: Callable[[], None]
) -> None:
    make()
    found = by_folder(await Lookout(database, settings).look())
    assert found == await pending_folders(database, settings)
    assert found.keys() >= {each.path.parent for each in target_journals(settings.targets_dir)}


@pytest.fixture
def make(settings: Settings) -> Callable[[], None]:
    def made() -> None:
        whole_session(settings, 1)
        whole_session(settings, 2)
        journal = settings.targets_dir / "22222222-2222-2222-2222-222222222222" / "journal.jsonl"
        journal.parent.mkdir(parents=True)
        journal.write_bytes(b"x" * 10)

    return made


def _append(folder: SessionFolder) -> None:
    with folder.stream.open("ab") as stream:
        stream.write(b"{}\n")
