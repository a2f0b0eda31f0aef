"""One read for all who ask the same at the same time, and never an answer older than the question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from acd.core.errors import DatabaseAway, DataRefused
from acd.database.sharing import Sharing


class Source:
    """Counts its reads; each ends when the test lets it, with what was there when it began."""

    def __init__(self) -> None:
        self.value = 0
        self.begun = 0
        self.error: Exception | None = None
        self.ends = asyncio.Semaphore(0)

    async def read(self) -> int:
        self.begun += 1
        found, error = self.value, self.error
        await self.ends.acquire()
        if error:
            raise error
        return found


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def sharing() -> AsyncIterator[Sharing[int]]:
    made = Sharing[int]()
    yield made
    await made.close()


async def asked(sharing: Sharing[int], source: Source, times: int = 1) -> list[asyncio.Task[int]]:
    """So many questions, asked: each of them is waiting for its answer."""
    tasks = [asyncio.create_task(sharing.ask("q", source.read)) for _ in range(times)]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_who_asks_meanwhile_shares_the_next_read(
    sharing: Sharing[int], source: Source
) -> None:
    [first] = await asked(sharing, source)
    others = await asked(sharing, source, 50)
    source.ends.release()
    assert await first == 0
    source.ends.release()
    assert await asyncio.gather(*others) == [0] * 50
    assert source.begun == 2


async def test_an_answer_is_never_older_than_its_question(
    sharing: Sharing[int], source: Source
) -> None:
    [old] = await asked(sharing, source)
    source.value = 1
    [new] = await asked(sharing, source)
    source.ends.release()
    source.ends.release()
    assert (await old, await new) == (0, 1)


async def test_reads_follow_each_other_as_long_as_somebody_asks(
    sharing: Sharing[int], source: Source
) -> None:
    tasks: list[asyncio.Task[int]] = []
    for number in range(5):
        source.value = number
        tasks += await asked(sharing, source)
        source.ends.release()
        for _ in range(5):
            await asyncio.sleep(0)
    assert await asyncio.gather(*tasks) == [0, 1, 2, 3, 4]
    [again] = await asked(sharing, source)
    source.ends.release()
    assert await again == 4
    assert source.begun == 6


async def test_different_questions_wait_for_nobody(sharing: Sharing[int], source: Source) -> None:
    await asked(sharing, source)
    other = Source()
    other.ends.release()
    assert await sharing.ask("another", other.read) == 0


async def test_a_reader_that_gives_up_takes_no_answer_from_others(
    sharing: Sharing[int], source: Source
) -> None:
    impatient, patient = [*await asked(sharing, source), *await asked(sharing, source)]
    impatient.cancel()
    source.ends.release()
    source.ends.release()
    assert await patient == 0


async def test_no_database_is_told_to_those_who_wait_too(
    sharing: Sharing[int], source: Source
) -> None:
    source.error = DatabaseAway("gone")
    tasks = [*await asked(sharing, source), *await asked(sharing, source, 3)]
    source.ends.release()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in told] == [DatabaseAway] * 4
    assert source.begun == 1
    source.error = None
    source.ends.release()
    assert await sharing.ask("q", source.read) == 0


async def test_another_error_is_only_of_those_who_asked_before(
    sharing: Sharing[int], source: Source
) -> None:
    source.error = DataRefused("bad")
    [first] = await asked(sharing, source)
    source.error = None
    [second] = await asked(sharing, source)
    source.ends.release()
    source.ends.release()
    with pytest.raises(DataRefused):
        await first
    assert await second == 0


async def test_closing_ends_those_who_wait(source: Source) -> None:
    sharing = Sharing[int]()
    tasks = [*await asked(sharing, source), *await asked(sharing, source)]
    await sharing.close()
    assert all(
        isinstance(error, asyncio.CancelledError)
        for error in await asyncio.gather(*tasks, return_exceptions=True)
    )
