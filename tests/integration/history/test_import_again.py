"""Importing the same files again, in any order, by two at once, grown: the rows are those of one clean import."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.files.lines import LONGEST_LINE
from acd.reports.totals import disagreements, four_ways
from tests.integration.history.stage import Transcript, claude, import_from, session_name
from tests.integration.ledger.stage import fingerprint, rows_of, select

pytestmark = pytest.mark.extra


def write_corpus(folder: Path, *, requests: int = 12) -> list[Transcript]:
    """Sessions that repeat each other, in three projects, with subagents, streaming, errors and broken lines."""
    chance = random.Random(7)
    written = []
    for number in range(1, 13):
        project = claude(folder) / f"-srv-shop{number % 3}"
        name = session_name(number)
        one = Transcript(
            project / f"{name}.jsonl",
            name,
            cwd=f"/srv/shop{number % 3}/src" if number % 2 else f"/srv/shop{number % 3}",
            branch=chance.choice(["main", "fix"]),
        )
        one.says(number * 100)
        for request in range(requests):
            at = number * 100 + request + 1
            message = f"msg_{number}_{request}"
            one.asks(at, message, output=1, tool="Bash").asks(at, message, output=30, tool="Read")
            one.line("user", at, message={"role": "user", "content": "result"})
        if number > 3:  # a resumed session's copy of what an earlier one asked
            for request in range(requests // 2):
                one.asks((number - 3) * 100 + request + 1, f"msg_{number - 3}_{request}", output=30)
        if number % 4 == 0:
            one.raw(b'{"type": "assistant", "message": {"usage": {"input_tokens": -4}}}\n')
            one.line("assistant", number * 100 + 50, isApiErrorMessage=True, error="rate_limit", message={"model": "<synthetic>", "content": [{"type": "text", "text": "no"}]})  # fmt: skip
        if number % 5 == 0:
            helper = Transcript(project / name / "subagents" / "agent-a1.jsonl", name, cwd=one.cwd)
            helper.subagent = "a1"
            helper.asks(number * 100 + 3, f"sub_{number}", output=7)
            written.append(helper)
        written.append(one)
    return written


@asynccontextmanager
async def fresh(url: str, settings: Settings) -> AsyncIterator[Database]:
    at_url = Settings(home=settings.home, database_url=url, timezone="UTC")
    async with open_database(at_url, application="import test") as database:
        yield database


async def rows_after_one_import(empty: Database, settings: Settings, folder: Path) -> Any:  # noqa: ANN401
    await import_from(empty, settings, [folder])
    return {**await fingerprint(empty), "ledger_files": await files_of(empty)}


async def files_of(database: Database) -> list[dict[str, Any]]:
    return await select(
        database,
        "SELECT target_id, session_id, name, read_offset, lines_read, lines_left_out, seen FROM ledger_files ORDER BY name",
    )


async def test_three_times_shuffled_and_grown(
    database: Database, empty_database_url: str, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "claude"
    transcripts = write_corpus(folder)
    paths = [one.path for one in transcripts]
    random.Random(3).shuffle(paths)
    for _ in range(3):
        for path in paths:
            await import_from(database, settings, [path])
        random.Random(4).shuffle(paths)
    again = await import_from(database, settings, [folder])
    assert again.changed == 0
    for one in transcripts:
        one.asks(5000, f"late_{one.path.stem}", output=3).says(5001)
    grown = await import_from(database, settings, [folder])
    assert grown.lines == 2 * len(transcripts)
    assert disagreements(await four_ways(database)) == []
    async with fresh(empty_database_url, settings) as clean:
        expected = await rows_after_one_import(clean, settings, folder)
    assert {**await fingerprint(database), "ledger_files": await files_of(database)} == expected


IMPORTER = """
import asyncio, sys
from pathlib import Path
from acd.core.settings import Settings
from acd.database.connection import open_database
from tests.integration.history.stage import import_from

async def run():
    url, home, folder = sys.argv[1:]
    settings = Settings(home=Path(home), database_url=url)
    async with open_database(settings, application="two at once") as database:
        await import_from(database, settings, [Path(folder)])

asyncio.run(run())
"""


async def test_two_processes_at_once(
    database: Database,
    database_url: str,
    empty_database_url: str,
    settings: Settings,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "claude"
    write_corpus(folder, requests=150)
    words = (sys.executable, "-c", IMPORTER, database_url, str(settings.home), str(folder))
    both = [await asyncio.create_subprocess_exec(*words) for _ in range(2)]
    assert [await one.wait() for one in both] == [0, 0]
    async with fresh(empty_database_url, settings) as clean:
        expected = await rows_after_one_import(clean, settings, folder)
    assert {**await fingerprint(database), "ledger_files": await files_of(database)} == expected
    assert disagreements(await four_ways(database)) == []


async def test_a_cut_last_line_is_left_for_later(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    one = Transcript(claude(tmp_path) / "p" / f"{session_name(1)}.jsonl", session_name(1))
    one.says(1).asks(2, "m1").asks(3, "m2")
    whole = one.path.read_bytes()
    one.path.write_bytes(whole[:-30])
    first = await import_from(database, settings, [tmp_path])
    assert (first.lines, first.left_out, first.requests) == (2, 0, 1)
    assert (await import_from(database, settings, [tmp_path])).changed == 0
    one.raw(whole[-30:])
    second = await import_from(database, settings, [tmp_path])
    assert (second.lines, second.requests) == (1, 1)


async def test_a_last_line_that_lacks_only_its_end_counts_once(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    one = Transcript(claude(tmp_path) / "p" / f"{session_name(1)}.jsonl", session_name(1))
    one.says(1).asks(2, "m1")
    one.path.write_bytes(one.path.read_bytes().rstrip(b"\n"))
    assert (await import_from(database, settings, [tmp_path])).lines == 2
    one.raw(b"\n").asks(3, "m2")
    assert (await import_from(database, settings, [tmp_path])).lines == 1
    (file,) = await files_of(database)
    assert (file["lines_read"], file["read_offset"]) == (3, one.path.stat().st_size)
    assert len(await rows_of(database, "token_usage_details")) == 2


@pytest.mark.parametrize("how", ["truncated", "rewritten", "replaced", "same size"])
async def test_a_file_that_is_not_the_same_is_read_from_its_beginning(
    database: Database, settings: Settings, tmp_path: Path, how: str
) -> None:
    one = Transcript(claude(tmp_path) / "p" / f"{session_name(1)}.jsonl", session_name(1))
    one.says(1)
    for number in range(40):
        one.asks(number + 2, f"m{number:02}")
    one.raw(b"rubbish\n")
    await import_from(database, settings, [tmp_path])
    data = one.path.read_bytes()
    if how == "truncated":
        one.path.write_bytes(data.splitlines(keepends=True)[0])
        one.asks(90, "new")
    elif how == "rewritten":  # its head stays
        one.path.write_bytes(data.replace(b'"m39"', b'"n39"').replace(b"rubbish\n", b""))
        one.asks(90, "new")
    elif how == "replaced":
        one.path.unlink()
        one.says(3).asks(90, "new")
    else:
        one.path.write_bytes(data.replace(b'"m20"', b'"new"'))
    await import_from(database, settings, [tmp_path])
    keys = {row["request_key"] for row in await rows_of(database, "token_usage_details")}
    assert keys >= {f"claude-code:m{number:02}" for number in range(40)} | {"claude-code:new"}
    (file,) = await files_of(database)
    lines = len(one.path.read_bytes().splitlines())
    left_out = await rows_of(database, "left_out_lines")
    assert (file["lines_read"], file["lines_left_out"]) == (lines, len(left_out))
    assert len(left_out) == (1 if how == "same size" else 0)


async def test_lines_too_long_to_read_are_counted(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    one = Transcript(claude(tmp_path) / "p" / f"{session_name(1)}.jsonl", session_name(1))
    one.says(1).asks(2, "m1").says(3, "x" * LONGEST_LINE).asks(4, "m2")
    done = await import_from(database, settings, [tmp_path])
    assert (done.lines, done.left_out, done.requests) == (4, 1, 2)
    (row,) = await rows_of(database, "left_out_lines")
    assert row["reason"].startswith("longer than")
