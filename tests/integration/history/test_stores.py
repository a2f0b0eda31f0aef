"""Stores: entries that cannot be read are told and counted once, a session's timeline and audit come out of the database."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from acd.agents.histories import load_history
from acd.core.models import imported_session_id
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.history.audit import Audit, audit
from acd.history.done import Imported
from acd.history.importing import Importer
from acd.history.timeline import build_timeline
from tests.integration.history.stage import PRICES
from tests.integration.ledger.stage import rows_of, select

pytestmark = pytest.mark.extra
DATA = Path(__file__).parents[2] / "data"
SESSION = "ses_df251d8aaffew5NsMEB2TmcZ9L"
ID = imported_session_id("opencode", SESSION)
BROKEN = "msg_20dae9a28001AKyCC8DFfGDcPR"
_COUNTS = """
SELECT sum(lines_read)::int AS read, sum(lines_left_out)::int AS left_out,
       (SELECT count(*)::int FROM left_out_lines) AS listed FROM ledger_files
"""


async def bring(database: Database, settings: Settings, agent: str, folder: Path) -> Imported:
    return await Importer(database, settings, PRICES).run([(load_history(agent), [folder])])


def change(store: Path, statement: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(store)) as opened, opened:
        return opened.execute(statement, values).fetchall()


async def test_what_is_left_out_of_a_store_is_told_and_counted_once(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    shutil.copytree(DATA / "opencode", tmp_path / "left")
    store = tmp_path / "left" / "opencode.db"
    ((text,),) = change(store, "select data from message where id = ?", BROKEN)
    ((messages,),) = change(store, "select count(*) from message")
    change(store, "update message set data = '{' where id = ?", BROKEN)
    await bring(database, settings, "opencode", tmp_path / "left")
    counts = {"read": messages, "left_out": 1, "listed": 1}
    assert await select(database, _COUNTS) == [counts]

    async def audited() -> Audit:
        found = await audit(database, settings, session_id=ID)
        assert [(one.file, one.reason) for one in found.left_out] == [
            (str(store), f"{BROKEN}: malformed JSON")
        ]
        return found

    before = await audited()
    assert [file.lines_left_out for file in before.files] == [1]
    places = [place for one in before.requests for place in one.places]
    assert len(places) == len(before.requests) == 3
    assert all(place.counted and place.entry for place in places)
    # The last message is read again, and so is one that changed: every figure stays.
    for _ in range(2):
        change(store, "update message set time_updated = time_updated + 1 where id = ?", BROKEN)
        await bring(database, settings, "opencode", tmp_path / "left")
        last = "update message set time_updated = time_updated + 1 where id = (select id from message order by time_updated desc limit 1)"
        change(store, last)
        await bring(database, settings, "opencode", tmp_path / "left")
        assert await select(database, _COUNTS) == [counts]
        assert (await audited()).files == before.files
    whole = "update message set data = ?, time_updated = 9000000000000 where id = ?"
    change(store, whole, text, BROKEN)
    await bring(database, settings, "opencode", tmp_path / "left")
    assert await select(database, _COUNTS) == [{"read": messages, "left_out": 0, "listed": 0}]
    assert len((await audit(database, settings, session_id=ID)).requests) == 4


async def test_a_chat_in_one_document_that_is_written_anew_counts_the_same(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    chat = tmp_path / "chats" / "session-1.json"
    chat.parent.mkdir()
    good = '{"id": "m1", "type": "user", "timestamp": "2026-03-01T10:00:00Z", "content": "begin"}'
    head = '{"sessionId": "s1", "startTime": "2026-03-01T10:00:00Z", "messages": '
    chat.write_text(f"{head}[{good}, 7]}}")
    await bring(database, settings, "gemini-cli", tmp_path)
    for more in ("", " ", "  "):
        chat.write_text(f"{head}[{good}, 7]{more}}}")
        await bring(database, settings, "gemini-cli", tmp_path)
        assert await select(database, _COUNTS) == [{"read": 3, "left_out": 1, "listed": 1}]
    chat.write_text(f"{head}[{good}]}}")
    await bring(database, settings, "gemini-cli", tmp_path)
    assert await select(database, _COUNTS) == [{"read": 2, "left_out": 0, "listed": 0}]


async def test_the_timeline_of_a_session_in_a_store(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    shutil.copytree(DATA / "opencode", tmp_path / "left")
    await bring(database, settings, "opencode", tmp_path / "left")
    assert await build_timeline(database, settings.host_name, ID)
    assert not await build_timeline(database, settings.host_name, ID)
    rows = await rows_of(database, "session_events")
    kinds = [row["kind"] for row in rows]
    assert kinds[:2] == ["agent_started", "text"]
    assert kinds.count("agent_started") == 1
    assert (kinds.count("tool_used"), kinds.count("tool_ended")) == (2, 2)
    assert [row["text"] for row in rows if row["kind"] == "text"].count("Done.") == 2
    times = [row["occurred_at"] for row in rows]
    assert times == sorted(times)
    store = tmp_path / "left" / "opencode.db"
    text = '{"role": "user", "time": {"created": 1795525999000}}'
    change(
        store,
        "insert into message select 'msg_z', session_id, 1, 1795525999000, ? from message where id = ?",
        text,
        BROKEN,
    )
    part = '{"type": "text", "text": "once more"}'
    change(store, "insert into part values ('prt_z', 'msg_z', ?, 1, 1, ?)", SESSION, part)
    await bring(database, settings, "opencode", tmp_path / "left")
    assert await build_timeline(database, settings.host_name, ID)
    assert (await rows_of(database, "session_events"))[-1]["text"] == "once more"
    store.unlink()
    assert not await build_timeline(database, settings.host_name, ID)
    assert len(await rows_of(database, "session_events")) == len(rows) + 1
