"""Fault 6, the part about memory: an agent that floods its stream costs disk and time, and hardly any memory."""

from __future__ import annotations

import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.testing.scripted_agent.broken import broken_line
from tests.integration.faults.lines import Teller, compare
from tests.integration.faults.recording import record_apart
from tests.integration.ledger.stage import play_sample, rows_of, session_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

GROWTH = 64 * 1024**2
MEGABYTE = 1000**2
SMALL = 400_000


def write_flood(settings: Settings, size: int, line: bytes) -> Teller:
    """A small session, and one of `size` bytes: a good line before each megabyte of the flood's."""
    play_sample(session_of(settings, 1), "a_success")
    teller = Teller(2, seed=11)
    block = line * (min(size, MEGABYTE) // len(line))
    with session_of(settings, 2).stream.open("ab") as stream:
        for _ in range(0, size, MEGABYTE):
            stream.write(teller.line() + block)
        stream.write(teller.line())
    return teller


@pytest.mark.parametrize(
    ("megabytes", "line_bytes"),
    [
        (100, 65536),
        (20, 800),
        pytest.param(1000, 65536, marks=pytest.mark.long),
        pytest.param(1000, 800, marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
)
async def test_a_flood_costs_little_memory(
    database: Database, database_url: str, settings: Settings, megabytes: int, line_bytes: int
) -> None:
    frame = len(broken_line("long", 0))
    line = broken_line("long", line_bytes - frame)
    teller = write_flood(settings, megabytes * MEGABYTE, line)
    recorded = record_apart(settings.home, database_url)
    assert recorded.settled
    assert recorded.peak - recorded.warm < GROWTH
    requests = {row["request_key"] for row in await rows_of(database, "token_usage_details")}
    assert teller.ledger.requests.keys() <= requests


@pytest.mark.parametrize("line", [b"{}\n", b"\n"])
async def test_a_flood_of_next_to_nothing_costs_little_memory(
    database: Database, database_url: str, settings: Settings, line: bytes
) -> None:
    """Each line costs objects, however short it is."""
    teller = write_flood(settings, SMALL, line)
    recorded = record_apart(settings.home, database_url)
    assert recorded.settled
    assert recorded.peak - recorded.warm < GROWTH
    findings = await compare(database, teller.ledger)
    assert (findings.lost, findings.doubled) == ([], [])


def test_control_all_lines_at_once_cost_much(database_url: str, settings: Settings) -> None:
    write_flood(settings, 3 * SMALL, b"{}\n")
    recorded = record_apart(settings.home, database_url, CHUNK=1024**2, _MOST_LINES=10**9)
    assert recorded.settled
    assert recorded.peak - recorded.warm > GROWTH
