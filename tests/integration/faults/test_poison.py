"""Fault 5: lines that harm a careless reader are set aside with reason and place; their neighbours are read."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from acd.agents.claude_code import ADAPTER
from acd.agents.protocol import Adapter
from acd.core.errors import UnreadableLine
from acd.core.events import Event
from acd.core.facts import HarnessFailed
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder
from acd.ledger.catch_up import Source, open_source
from acd.ledger.price import PriceList
from acd.testing.scripted_agent.broken import broken_line
from tests.integration.faults.lines import Ledger, Teller, compare
from tests.integration.faults.poison import Poison, large_poisons, small_poisons
from tests.integration.faults.recording import record_apart
from tests.integration.ledger.stage import AT, end, play_sample, rows_of, select, session_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

MEMORY = 256 * 1024**2


def source_of(folder: SessionFolder, database: Database, adapter: Adapter = ADAPTER) -> Source:
    source = open_source(folder.path, database, PriceList(), adapters=lambda _: adapter)
    assert source is not None
    return source


def write_between(path: Path, teller: Teller, poisons: list[bytes]) -> None:
    """Each poison between good lines."""
    with path.open("ab") as file:
        for poison in poisons:
            file.write(teller.line() + poison)
        file.write(teller.line())


async def assert_neighbours_intact(database: Database, *ledgers: Ledger) -> None:
    """Poison that can be read may say things beyond what was told; it may take nothing away."""
    findings = await compare(database, *ledgers)
    assert (findings.lost, findings.doubled, findings.unbalanced) == ([], [], [])


def place_of(row: dict[str, Any], data: bytes) -> bytes:
    return data[row["line_offset"] : row["line_offset"] + row["length"]]


async def test_poison_is_set_aside_with_its_reason_and_place(
    database: Database, settings: Settings
) -> None:
    """In one catch-up: nothing behind a bad line waits for anything."""
    folder = session_of(settings, 1)
    teller = Teller(1, seed=5)
    poisons = small_poisons()
    write_between(folder.stream, teller, [poison.line for poison in poisons])
    end(folder)
    await source_of(folder, database).catch_up()
    await assert_neighbours_intact(database, teller.ledger)
    rows = sorted(await rows_of(database, "left_out_lines"), key=lambda row: row["line_offset"])
    left_out = [poison for poison in poisons if poison.reason is not None]
    data = folder.stream.read_bytes()
    assert [place_of(row, data) for row in rows] == [poison.line for poison in left_out]
    found = [Poison(p.name, b"", row["reason"]) for p, row in zip(left_out, rows, strict=True)]
    assert [p.name for p, f in zip(left_out, found, strict=True) if not _fits(p, f)] == [], found


def _fits(told: Poison, found: Poison) -> bool:
    return (found.reason or "").startswith(told.reason or "-")


async def test_poison_in_journal_and_transcripts_spoils_only_itself(
    database: Database, settings: Settings
) -> None:
    folder = session_of(settings, 1)
    poisons = [poison.line for poison in small_poisons() if poison.line.strip()]
    transcript = folder.transcripts / "one.jsonl"
    teller = Teller(1, seed=6)
    write_between(transcript, teller, poisons)
    for number, poison in enumerate(poisons):
        with folder.journal.path.open("ab") as journal:
            journal.write(poison)
        folder.journal.append(HarnessFailed(at=AT, error_type="internal", message=f"fact {number}"))
    end(folder)
    await source_of(folder, database).catch_up()
    told = {row["message"] for row in await rows_of(database, "harness_errors")}
    assert told == {f"fact {number}" for number in range(len(poisons))}
    rows = await rows_of(database, "left_out_lines")
    data = folder.journal.path.read_bytes()
    of_journal = [row for row in rows if row["name"] == "journal.jsonl"]
    assert Counter(place_of(row, data) for row in of_journal) == Counter(poisons)
    requests = await select(database, "SELECT request_key FROM token_usage_details")
    assert teller.ledger.requests.keys() <= {row["request_key"] for row in requests}


@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=pytest.mark.long)])
async def test_damage_at_random_spoils_only_its_own_line(
    database: Database, settings: Settings, count: int
) -> None:
    folder = session_of(settings, 1)
    chance = random.Random(count)
    victim = Teller(2, seed=8)
    damaged = [_damaged(victim.line(), chance) for _ in range(count)]
    teller = Teller(1, seed=8)
    write_between(folder.stream, teller, damaged)
    end(folder)
    await source_of(folder, database).catch_up()
    await assert_neighbours_intact(database, teller.ledger)
    [session] = await rows_of(database, "harness_sessions")
    assert session["status"] == "completed"


def _damaged(line: bytes, chance: random.Random) -> bytes:
    """A line with some bytes replaced, removed or doubled; it stays one line."""
    hurt = bytearray(line[:-1])
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(hurt))
        with_what = chance.choice(
            [b"", b"\0", b"\\ud83d", b"\xff", b"9" * 25, b'"', b"}", b"\r", b"-"]
        )
        hurt[at : at + chance.randint(0, 3)] = with_what
    return bytes(hurt).replace(b"\n", b"") + b"\n"


class _Careless:
    """The weakened reader: what it cannot read is an error like any other."""

    name = "claude-code"
    provider = "anthropic"

    def read_stream(self, line: bytes) -> list[Event]:
        try:
            return ADAPTER.read_stream(line)
        except UnreadableLine as error:
            raise ValueError(str(error)) from error


async def test_control_a_careless_reader_never_gets_past_it(
    database: Database, settings: Settings
) -> None:
    folder = session_of(settings, 1)
    teller = Teller(1, seed=9)
    write_between(folder.stream, teller, [b"{\n"])
    careless: Adapter = _Careless()  # type: ignore[assignment]
    with pytest.raises(ValueError, match="malformed"):
        await source_of(folder, database, careless).catch_up()
    assert (await compare(database, teller.ledger)).lost


# ---- memory --------------------------------------------------------------------------------------------------------


def write_large(settings: Settings, poisons: list[bytes]) -> Teller:
    play_sample(session_of(settings, 1), "a_success")
    folder = session_of(settings, 2)
    teller = Teller(2, seed=10)
    write_between(folder.stream, teller, poisons)
    end(folder)
    return teller


async def test_large_poison_costs_little_memory(
    database: Database, database_url: str, settings: Settings
) -> None:
    teller = write_large(settings, large_poisons())
    recorded = record_apart(settings.home, database_url)
    assert recorded.settled
    assert recorded.peak < MEMORY
    assert teller.ledger.requests.keys() <= {
        row["request_key"] for row in await rows_of(database, "token_usage_details")
    }
    rows = sorted(await rows_of(database, "left_out_lines"), key=lambda row: row["line_offset"])
    assert [row["reason"][:11] for row in rows] == ["longer than", "more than 1", "more than 1"]
    assert rows[0]["length"] > 100_000_000


def test_control_without_a_longest_line_memory_goes(database_url: str, settings: Settings) -> None:
    write_large(settings, [broken_line("long", 200_000_000)])
    recorded = record_apart(settings.home, database_url, LONGEST_LINE=1024**3)
    assert recorded.settled
    assert recorded.peak > MEMORY
