"""The one path from files to rows: cut anywhere, read twice, in any order, with bad lines among the good."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from acd.agents.claude_code import ADAPTER
from acd.agents.protocol import Adapter
from acd.core.events import Event, TextSaid
from acd.core.facts import (
    CommitSeen,
    DailyStats,
    FeatureChanged,
    FeaturesSeen,
    HarnessFailed,
    TargetSeen,
)
from acd.core.models import Commit, Feature, Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder, target_journal
from acd.ledger.catch_up import Source, open_source
from acd.ledger.price import PriceList
from acd.ledger.recorder import Recorder, pending_folders
from acd.reports.totals import disagreements, four_ways
from tests.integration.ledger.stage import (
    AT,
    end,
    fingerprint,
    play_sample,
    rows_of,
    select,
    session_of,
    write_facts,
)

PRICES = PriceList()


def source_of(folder: SessionFolder, database: Database) -> Source:
    source = open_source(folder.path, database, PRICES)
    assert source is not None
    return source


def whole_session(settings: Settings, number: int = 1, sample: str = "c_subagent") -> SessionFolder:
    folder = session_of(settings, number)
    play_sample(folder, sample)
    features = [Feature("a", "A", True, content_sha256="x"), Feature("b", "B", False)]
    commit = Commit("f" * 40, "Add A\n\nBecause.", "a <a@b>", AT, 2, 10, 3, "main")
    write_facts(
        folder,
        [
            FeaturesSeen(at=AT, when="before", features=[Feature("a", "A", False)]),
            FeaturesSeen(at=AT + timedelta(minutes=5), when="after", features=features),
            FeatureChanged(at=AT, key="a", change="claimed", status="passing"),
            CommitSeen(at=AT, commit=commit),
            HarnessFailed(at=AT, error_type="internal", message="boom", stack_trace="Traceback …"),
        ],
    )
    end(folder, features_before=0, features_after=1, features_completed=1)
    return folder


async def test_reading_the_same_bytes_again_changes_nothing(
    database: Database, settings: Settings
) -> None:
    folder = whole_session(settings)
    await source_of(folder, database).catch_up()
    before = await fingerprint(database)
    await select(database, "WITH gone AS (DELETE FROM ledger_files RETURNING 1) SELECT * FROM gone")
    await source_of(folder, database).catch_up()
    assert await fingerprint(database) == before


@pytest.mark.parametrize("seed", range(4))
async def test_cut_anywhere_the_rows_are_the_same(
    database: Database, settings: Settings, seed: int, tmp_path: Path
) -> None:
    """Files that grow in pieces, in any order (but that the session ends last), end in the rows of files read whole."""
    whole = whole_session(settings)
    await source_of(whole, database).catch_up()
    expected = await fingerprint(database)
    await select(
        database,
        "WITH a AS (DELETE FROM targets), b AS (DELETE FROM request_owners), c AS (DELETE FROM ledger_files RETURNING 1) SELECT * FROM c",
    )

    growing = SessionFolder(tmp_path / "sessions" / whole.path.name)
    growing.create()
    chance = random.Random(seed)
    files = list(whole.path.rglob("*.jsonl"))
    left = {path: path.read_bytes() for path in files}
    source: Source | None = None
    while any(left.values()):
        path = chance.choice([path for path in files if left[path]])
        cut = chance.randint(1, 6000)
        if path.name == "journal.jsonl" and any(left[other] for other in files if other != path):
            cut = min(cut, len(left[path]) - 20)
        copy = growing.path / path.relative_to(whole.path)
        with copy.open("ab") as file:
            file.write(left[path][:cut])
        left[path] = left[path][cut:]
        source = source or open_source(growing.path, database, PRICES)
        if source is not None:
            await source.catch_up()
            if chance.random() < 0.2:
                source = None  # as after a restart
    assert source is None or source.folder == growing.path
    await source_of(growing, database).catch_up()
    actual = await fingerprint(database)
    # The timeline's times of lines that carry none are those of the line before, of whichever file came last.
    for table in ("session_events", "session_reports"):
        actual.pop(table)
        expected.pop(table)
    assert actual == expected


async def test_a_line_without_its_end_waits_until_the_session_has_ended(
    database: Database, settings: Settings
) -> None:
    folder = session_of(settings, 1)
    folder.stream.write_bytes(b'{"type":"system"')
    source = source_of(folder, database)
    await source.catch_up()
    assert await rows_of(database, "left_out_lines") == []
    end(folder, "failed")
    await source.catch_up()
    [row] = await rows_of(database, "left_out_lines")
    assert (row["line_offset"], row["length"]) == (0, 16)


async def test_poison_is_set_aside_and_its_neighbours_are_read(
    database: Database, settings: Settings
) -> None:
    folder = session_of(settings, 1)
    play_sample(folder, "a_success")
    good = folder.stream.read_bytes().splitlines(keepends=True)
    poison = [
        b'{"type":"assistant","message":{"id":"m\\u0000"}\n',
        b'{"a":"\\ud800"\n',
        b"\xff\xfe\n",
        b'{"type":"assistant","message":{"usage":{"input_tokens":99999999999999999999999}}}\n',
        b'{"a":NaN}\n',
        b"[" * 100_000 + b"\n",
        b'{"type":"resu\n',
    ]
    lines = [
        line for pair in zip(good, [*poison, *[b""] * len(good)], strict=False) for line in pair
    ]
    folder.stream.write_bytes(b"".join(lines))
    end(folder)
    await source_of(folder, database).catch_up()
    [row] = await select(database, "SELECT request_count, cost_usd FROM harness_sessions")
    assert (row["request_count"], row["cost_usd"]) == (5, Decimal("0.01656"))
    left_out = await rows_of(database, "left_out_lines")
    data = folder.stream.read_bytes()
    assert [data[r["line_offset"] : r["line_offset"] + r["length"]] for r in left_out] == poison
    assert all(row["reason"] for row in left_out)


async def test_a_line_over_the_limit_is_left_out_with_its_length(
    database: Database, settings: Settings
) -> None:
    folder = session_of(settings, 1)
    with folder.stream.open("wb") as file:
        file.write(b'{"type":"user","x":"' + b"x" * (17 * 1024 * 1024) + b'"}\n')
        file.write((Path(__file__).parents[2] / "data/claude-code/s_resume2.jsonl").read_bytes())
    await source_of(folder, database).catch_up()
    [row] = await rows_of(database, "left_out_lines")
    assert row["length"] == 17 * 1024 * 1024 + 23
    assert row["reason"].startswith("longer than")
    [session] = await select(database, "SELECT request_count FROM harness_sessions")
    assert session["request_count"] == 1


class _Unwashed:
    """An adapter that hands on what PostgreSQL cannot store: NUL in a text."""

    name = "claude-code"
    provider = "anthropic"

    def read_stream(self, line: bytes) -> list[Event]:
        return (
            [TextSaid(role="agent", text="a\x00b")]
            if b"poison" in line
            else ADAPTER.read_stream(line)
        )


async def test_what_the_database_refuses_is_set_aside_alone(
    database: Database, settings: Settings
) -> None:
    folder = session_of(settings, 1)
    play_sample(folder, "a_success")
    for transcript in folder.transcripts.iterdir():
        transcript.unlink()
    good = folder.stream.read_bytes().splitlines(keepends=True)
    folder.stream.write_bytes(b"".join([*good[:3], b"poison\n", *good[3:]]))
    adapter: Adapter = _Unwashed()  # type: ignore[assignment]
    source = open_source(folder.path, database, PRICES, adapters=lambda _: adapter)
    assert source is not None
    await source.catch_up()
    [row] = await rows_of(database, "left_out_lines")
    assert row["reason"].startswith("refused by the database")
    assert row["length"] == 7
    [session] = await select(database, "SELECT request_count, output_tokens FROM harness_sessions")
    assert (session["request_count"], session["output_tokens"]) == (5, 125)


async def test_a_rewritten_file_is_read_again(database: Database, settings: Settings) -> None:
    folder = session_of(settings, 1)
    play_sample(folder, "s_resume1")
    await source_of(folder, database).catch_up()
    [transcript] = folder.transcripts.iterdir()
    transcript.write_bytes(
        (Path(__file__).parents[2] / "data/claude-code/a_success.transcript.jsonl").read_bytes()
    )
    await source_of(folder, database).catch_up()
    [row] = await select(database, "SELECT request_count FROM harness_sessions")
    assert row["request_count"] == 1 + 5


async def test_a_number_that_is_taken_gives_way(database: Database, settings: Settings) -> None:
    for number, session_id in ((4, UUID(int=1)), (4, UUID(int=2)), (2, UUID(int=3))):
        folder = session_of(settings, number, session_id=session_id)
        await source_of(folder, database).catch_up()
    rows = await select(database, "SELECT session_number FROM harness_sessions ORDER BY id")
    assert [row["session_number"] for row in rows] == [4, 5, 2]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_one_message_in_two_targets_is_one_row_of_the_earlier(
    database: Database, settings: Settings, order: tuple[int, int]
) -> None:
    """A copy of a session's lines in another target's session: the smaller id owns them, in any order of reading."""
    folders = {}
    for number in (1, 2):
        folders[number] = session_of(settings, number, repo_id=f"repo-{number}")
        play_sample(folders[number], "a_success")
    for number in order:
        await source_of(folders[number], database).catch_up()
    rows = await select(
        database,
        "SELECT id, request_count FROM harness_sessions ORDER BY id",
    )
    assert [(row["id"].int, row["request_count"]) for row in rows] == [(1, 5), (2, 0)]
    assert disagreements(await four_ways(database)) == []


async def test_features_are_followed_over_time(database: Database, settings: Settings) -> None:
    folder = session_of(settings, 1)
    lists = {
        0: [Feature("a", "A", False), Feature("b", "B", False)],
        1: [Feature("a", "A", True), Feature("b", "B", False), Feature("c", "C", False)],
        2: [Feature("a", "A", False), Feature("c", "C", True)],
    }
    for minute, features in lists.items():
        at = AT + timedelta(minutes=minute)
        write_facts(folder, [FeaturesSeen(at=at, when="after", features=features)])
    await source_of(folder, database).catch_up()
    rows = {row["feature_key"]: row for row in await rows_of(database, "target_features")}
    assert {key: row["status"] for key, row in rows.items()} == {
        "a": "regressed",
        "b": "removed",
        "c": "passing",
    }
    assert rows["a"]["implemented_at"] == AT + timedelta(minutes=1)
    assert rows["a"]["session_id"] == UUID(int=1)
    [target] = await rows_of(database, "targets")
    assert (target["total_features"], target["passing_features"]) == (2, 1)
    [snapshot] = await rows_of(database, "progress_snapshots")
    assert (snapshot["total_features"], snapshot["passing_features"]) == (2, 1)


async def test_an_older_look_at_the_features_changes_nothing(
    database: Database, settings: Settings
) -> None:
    new, old = session_of(settings, 2), session_of(settings, 1)
    later = AT + timedelta(hours=1)
    write_facts(new, [FeaturesSeen(at=later, when="after", features=[Feature("a", "A", True)])])
    write_facts(old, [FeaturesSeen(at=AT, when="before", features=[Feature("z", "Z", False)])])
    await source_of(new, database).catch_up()
    await source_of(old, database).catch_up()
    [row] = await rows_of(database, "target_features")
    assert (row["feature_key"], row["passes"]) == ("a", True)
    [target] = await rows_of(database, "targets")
    assert (target["passing_features"], target["status"]) == (1, "complete")


async def test_a_skipped_feature_does_not_keep_a_target_from_being_complete(
    database: Database, settings: Settings
) -> None:
    folder = session_of(settings, 1)
    features = [Feature("a", "A", True), Feature("b", "B", False, skipped=True)]
    write_facts(folder, [FeaturesSeen(at=AT, when="after", features=features)])
    await source_of(folder, database).catch_up()
    [target] = await rows_of(database, "targets")
    assert (target["total_features"], target["passing_features"]) == (1, 1)
    assert (target["status"], target["percent_complete"]) == ("complete", 100)


async def test_a_past_days_feature_counts_are_never_rewritten(
    database: Database, settings: Settings
) -> None:
    folder = session_of(settings, 1)
    yesterday = AT - timedelta(days=1)
    write_facts(
        folder,
        [
            FeaturesSeen(at=yesterday, when="before", features=[Feature("a", "A", False)]),
            FeaturesSeen(at=AT, when="after", features=[Feature("a", "A", True)]),
        ],
    )
    await source_of(folder, database).catch_up()
    rows = await rows_of(database, "progress_snapshots")
    assert [row["passing_features"] for row in rows] == [0, 1]


async def test_the_journal_of_a_target_needs_no_session(
    database: Database, settings: Settings
) -> None:
    target = Target(repo_id="x", name="X", path="/x")
    journal = target_journal(settings.targets_dir, target.id)
    journal.append(TargetSeen(at=AT, target=target))
    journal.append(DailyStats(at=AT, total_features=8, passing_features=2))
    source = open_source(journal.path.parent, database, PRICES)
    assert source is not None
    await source.catch_up()
    [row] = await rows_of(database, "targets")
    assert (row["total_features"], row["passing_features"]) == (8, 2)
    [snapshot] = await rows_of(database, "progress_snapshots")
    assert (snapshot["total_features"], snapshot["percent_complete"]) == (8, 25)


async def test_the_recorder_finds_what_waits(database: Database, settings: Settings) -> None:
    for number in (1, 2):
        whole_session(settings, number)
    assert len(await pending_folders(database, settings)) == 2
    async with Recorder(database, settings) as recorder:
        pending = await recorder.catch_up_all()
        assert pending.folders == 2
        assert await recorder.settle(60)
    assert await pending_folders(database, settings) == {}
    assert len(await rows_of(database, "harness_sessions")) == 2
