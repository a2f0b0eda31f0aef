"""A folder whose first fact PostgreSQL refuses: nothing of it is recorded, nobody is held up, and it is taken up again."""

from __future__ import annotations

import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.ledger.catch_up import open_source
from acd.ledger.owner import Quarantined
from acd.ledger.pending import pending_folders
from acd.ledger.price import PriceList
from acd.ledger.recorder import Recorder
from tests.integration.ledger.stage import end, fingerprint, play_sample, rows_of, session_of

_RULE = "ALTER TABLE harness_sessions ADD CONSTRAINT only_the_second CHECK (session_number = 2)"


async def alter(database: Database, statement: str) -> None:
    async with database.transaction() as tx:
        await tx.execute_sql(statement)


async def test_a_refused_session_waits_whole_and_its_neighbours_do_not(
    database: Database, settings: Settings
) -> None:
    folders = [session_of(settings, number) for number in (1, 2, 3)]
    for folder in folders[:2]:
        play_sample(folder, "a_success")
    for folder in folders:
        end(folder)
    async with Recorder(database, settings) as recorder:
        await alter(database, _RULE)
        await recorder.catch_up_all()
        assert await recorder.settle(120)
        assert set(recorder.troubles) == {folders[0].path, folders[2].path}
        assert "only_the_second" in recorder.troubles[folders[0].path]
        [session] = await rows_of(database, "harness_sessions")
        assert (session["id"].int, session["status"]) == (2, "completed")
        assert await rows_of(database, "left_out_lines") == []
        assert set(await pending_folders(database, settings)) == set(recorder.troubles)

        await alter(database, "ALTER TABLE harness_sessions DROP CONSTRAINT only_the_second")
        await recorder.catch_up_all()
        assert await recorder.settle(120)
        assert recorder.troubles == {}
    recovered = await fingerprint(database)
    assert await pending_folders(database, settings) == {}

    await alter(database, "TRUNCATE targets, request_owners, ledger_files CASCADE")
    for folder in (folders[1], folders[0], folders[2]):
        source = open_source(folder.path, database, PriceList(), host=settings.host_name)
        assert source is not None
        await source.catch_up()
    assert await fingerprint(database) == recovered


async def test_what_is_in_quarantine_rests_before_it_is_tried_again(
    database: Database, settings: Settings
) -> None:
    """A session that runs rings with every line: each must not cost a dozen refused transactions."""
    folder = session_of(settings, 1)
    source = open_source(folder.path, database, PriceList(), host=settings.host_name)
    assert source is not None
    await alter(database, _RULE)
    with pytest.raises(Quarantined, match="only_the_second"):
        await source.catch_up()
    await alter(database, "ALTER TABLE harness_sessions DROP CONSTRAINT only_the_second")
    with pytest.raises(Quarantined, match="only_the_second"):
        await source.catch_up()
    again = open_source(folder.path, database, PriceList(), host=settings.host_name)
    assert again is not None
    await again.catch_up()
    assert len(await rows_of(database, "harness_sessions")) == 1
