"""Much history is read in a process of its own: what it tells is what reading here tells."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from acd.agents.claude_code.history import ClaudeCodeHistory
from acd.history.beside import ReadingFailed, read
from acd.history.done import Unread
from acd.history.looking import Found
from acd.history.reading import Part, Remembered
from bench.history_corpus import Plan, write_history

pytestmark = pytest.mark.extra

HERE, BESIDE = 1 << 60, 0
Waiting = Sequence[tuple[Found, Remembered | None]]


class Nobodys(ClaudeCodeHistory):
    """A history that no other process finds."""

    name = "nobody"


def waiting(folder: Path, history: ClaudeCodeHistory | None = None) -> Waiting:
    history = history or ClaudeCodeHistory()
    stats = [(file, file.path.stat()) for file in history.files(folder)]
    return [
        (Found(history, file, stat.st_ino, stat.st_size, stat.st_mtime_ns, None), None)
        for file, stat in stats
    ]


def all_parts(files: Waiting, many_bytes: int) -> list[Part | Unread]:
    with closing(read(files, many_bytes=many_bytes)) as parts:
        return list(parts)


def test_both_tell_the_same(tmp_path: Path) -> None:
    expected = write_history(tmp_path, Plan(400_000, seed=4, quirks=True))
    files = waiting(tmp_path)
    gone = next(iter(tmp_path.rglob("agent-*.jsonl")))
    gone.unlink()
    here = all_parts(files, HERE)
    assert all_parts(files, BESIDE) == here
    assert len(here) == expected.files
    assert [one.path for one in here if isinstance(one, Unread)] == [str(gone)]


def test_a_process_that_fails_is_told(tmp_path: Path) -> None:
    write_history(tmp_path, Plan(50_000))
    with pytest.raises(ReadingFailed, match="ended with 1"):
        all_parts(waiting(tmp_path, Nobodys()), BESIDE)


def test_no_process_is_left(tmp_path: Path) -> None:
    write_history(tmp_path, Plan(400_000))
    with closing(read(waiting(tmp_path), many_bytes=BESIDE)) as parts:
        next(parts)
        (reader,) = [p for p in psutil.Process().children() if "acd.history.beside" in p.cmdline()]
    assert not reader.is_running()
