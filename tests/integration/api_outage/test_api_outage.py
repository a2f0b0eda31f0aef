"""The database goes away under readers of the API: clear errors meanwhile, good answers after, the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from tests.integration.api_outage.conftest import Served
from tests.integration.api_outage.readers import Answer, reading
from tests.integration.faults.server import OwnServer

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

READERS = 50
LONGEST = 10.0
FIRST_GOOD = 5.0
SLACK = 10.0  # for a machine that has more to do than this test


def good(answer: Answer) -> bool:
    return answer.status == 200


def away(answer: Answer) -> bool:
    return answer.status == 503


def assert_told(answers: Iterable[Answer]) -> None:
    """Each says that the database is away, and when to come again."""
    for answer in answers:
        assert answer.retry_after is not None
        assert 1 <= int(answer.retry_after) <= 60
        if answer.path == "/api/health":
            assert answer.told["status"] == "degraded"
            assert answer.told["database"] == {"status": "away"}
        else:
            error = answer.told["error"]
            assert isinstance(error, dict)
            assert error["code"] == "database_away"


@pytest.mark.parametrize("fault", ["stop", pytest.param("freeze", marks=pytest.mark.long)])
async def test_readers_ride_out_an_outage(
    fault: str, own_server: OwnServer, served: Served
) -> None:
    harm, heal = {
        "stop": (own_server.stop, own_server.start),
        "freeze": (own_server.freeze, own_server.thaw),
    }[fault]
    now = asyncio.get_running_loop().time
    async with reading(served.address, READERS) as readers:
        await readers.until(good, now())
        await asyncio.to_thread(harm)
        gone = now()
        assert_told(await readers.until(away, gone))
        assert all(map(away, (one for one in readers.answers if one.begun >= gone)))
        await asyncio.to_thread(heal)
        back = now()
        first_good = await readers.until(good, back)
        # A question that found no connection before the return may still be answered so; none asked later is.
        await readers.until(good, now())
        ended = len(readers.answers)
    assert min(one.ended for one in first_good) - back < FIRST_GOOD + SLACK
    assert max(one.ended - one.begun for one in readers.answers[:ended]) < LONGEST + SLACK
    assert {one.status for one in readers.answers} == {200, 503}
    assert served.process.poll() is None
    assert "Traceback" not in served.log.read_text()
