"""What ends or holds up the recorder: an unreadable folder neither; a defect of ours is heard, not waited for."""

from __future__ import annotations

import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.ledger.catch_up import Source
from acd.ledger.recorder import Recorder
from tests.integration.faults.lines import NOTHING_WRONG, Teller, compare
from tests.integration.ledger.stage import session_of

DEADLINE = 60.0


async def test_a_folder_that_cannot_be_read_holds_up_no_other(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = session_of(settings, 1), session_of(settings, 2)
    bad.stream.unlink()
    bad.stream.mkdir()
    tellers = {1: Teller(1, seed=1), 2: Teller(2, seed=1)}
    async with Recorder(database, settings) as recorder:
        good.stream.write_bytes(tellers[2].line())
        for _ in range(2):
            for folder in (bad, good):
                recorder.ring(folder)
            assert await recorder.settle(DEADLINE)
        assert await compare(database, tellers[2].ledger) == NOTHING_WRONG
        [said] = [record for record in caplog.records if record.levelname == "ERROR"]
        assert str(bad.path) in said.getMessage()

        bad.stream.rmdir()
        bad.stream.write_bytes(tellers[1].line())
        recorder.ring(bad)
        assert await recorder.settle(DEADLINE)
    assert await compare(database, tellers[1].ledger, tellers[2].ledger) == NOTHING_WRONG


async def test_who_waits_for_a_recorder_that_has_ended_hears_why(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Source) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(Source, "catch_up", broken)
    with pytest.raises(KeyError, match="a defect"):
        await _record_one(database, settings)


async def _record_one(database: Database, settings: Settings) -> None:
    folder = session_of(settings, 1)
    async with Recorder(database, settings) as recorder:
        recorder.ring(folder)
        await recorder.settle(DEADLINE)
