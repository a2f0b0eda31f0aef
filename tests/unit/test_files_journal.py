"""The journal: whole facts, in order, whatever happened to the writer."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from acd.core.facts import DailyStats, Ended, HarnessFailed, ProcessStarted, Started
from acd.core.models import Target
from acd.files.folder import (
    SessionFolder,
    session_folders,
    target_journal,
    target_journals,
    unfinished_folders,
)
from acd.files.journal import Journal, decode_fact

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)


def fact(number: int) -> DailyStats:
    return DailyStats(at=NOW, total_features=number)


def numbers(journal: Journal) -> list[int]:
    return [each.total_features for each in journal.facts() if isinstance(each, DailyStats)]


def test_facts_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new" / "journal.jsonl", None)
    assert list(journal.facts()) == []
    journal.append(fact(1))
    journal.append(fact(2), fact(3))
    assert numbers(journal) == [1, 2, 3]
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_torn_line_spoils_only_itself(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path / "journal.jsonl", None)
    journal.append(fact(1))
    whole = journal.path.read_bytes()
    journal.append(fact(2))
    torn = journal.path.read_bytes()[len(whole) :][:cut]
    journal.path.write_bytes(whole + torn)
    journal.append(fact(3))
    assert numbers(journal) == [1, 3]


def test_lines_that_are_no_facts_are_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", None)
    journal.append(fact(1))
    with journal.path.open("ab") as file:
        file.write(b'\xff\n{"fact":"invented"}\n\n[]\n')
    journal.append(fact(2))
    assert numbers(journal) == [1, 2]


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        Journal(Path("/dev/full"), None).append(fact(1))


def test_a_fact_knows_its_place_in_the_stream(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / str(uuid4()))
    folder.create()
    assert folder.journal.now()["stream_offset"] == 0
    folder.stream.write_bytes(b"12345\n")
    stamp = folder.journal.now()
    assert stamp["stream_offset"] == 6
    assert stamp["at"].tzinfo is UTC


def test_every_fact_survives_its_own_line() -> None:
    target = Target(repo_id="r", name="R", path="/r")
    facts = [
        Started(
            at=NOW,
            session_id=uuid4(),
            target=target,
            session_type="coding",
            origin="harness",
            agent="a",
            model="opus",
            host="h",
            queue_dir="/q",
        ),
        ProcessStarted(at=NOW, pid=1, created=1.25, argv=["a", "b"]),
        HarnessFailed(at=NOW, error_type="timeout", message="m", context={"k": "v"}),
        Ended(at=NOW, status="failed", error_type="timeout"),
    ]
    for each in facts:
        assert decode_fact(msgspec.json.encode(each)) == each


def test_folders(tmp_path: Path) -> None:
    sessions = tmp_path / "sessions"
    assert list(session_folders(sessions)) == list(unfinished_folders(sessions)) == []
    done, running, empty = (SessionFolder(sessions / str(uuid4())) for _ in range(3))
    for folder in (done, running, empty):
        folder.create()
        folder.lock.touch()
    for folder in (done, running):
        folder.journal.append(fact(1))
    done.lock.unlink()
    (sessions / "notes").mkdir()
    assert {f.session_id for f in session_folders(sessions)} == {
        done.session_id,
        running.session_id,
    }
    assert [f.session_id for f in unfinished_folders(sessions)] == [running.session_id]
    with pytest.raises(FileExistsError):
        done.create()


def test_target_journals(tmp_path: Path) -> None:
    target = Target(repo_id="r", name="R", path="/r")
    journal = target_journal(tmp_path, target.id)
    journal.append(fact(1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "journal.jsonl").touch()
    assert [each.path for each in target_journals(tmp_path)] == [journal.path]
    assert journal.now()["stream_offset"] == 0


def test_transcripts_are_linked_and_grow_with_their_source(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / str(uuid4()))
    folder.create()
    source = tmp_path / "agent" / "s.jsonl"
    source.parent.mkdir()
    source.write_text("1\n")
    missing = tmp_path / "agent" / "gone.jsonl"
    folder.link_transcripts([source, missing])
    with source.open("a") as file:
        file.write("2\n")
    folder.link_transcripts([source])
    (link,) = folder.transcripts.iterdir()
    assert link.read_text() == "1\n2\n"
    source.unlink()
    assert link.read_text() == "1\n2\n"


def test_transcripts_on_another_file_system_are_copied(tmp_path: Path) -> None:
    """`/dev/shm` is one; a link there fails, so every growth is copied."""
    folder = SessionFolder(tmp_path / str(uuid4()))
    folder.create()
    source = Path("/dev/shm") / f"{uuid4()}.jsonl"
    assert source.parent.stat().st_dev != tmp_path.stat().st_dev
    try:
        for text in ("1\n", "1\n2\n"):
            source.write_text(text)
            folder.link_transcripts([source])
            (copy,) = folder.transcripts.iterdir()
            assert copy.read_text() == text
            assert not copy.samefile(source)
    finally:
        source.unlink()
