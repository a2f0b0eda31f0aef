"""Finding words in what an agent printed: every hit, in order, from any place, and nothing that is not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.reports import log_search
from acd.reports.log_search import line_before, line_from, search_lines, size_of


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "stream.jsonl"
    lines = [f'{{"n":{n},"text":"{"Needle" if n % 10 == 3 else "straw"} é"}}' for n in range(100)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def found(path: Path, words: str, offset: int = 0, *, final: bool = True) -> list[int]:
    """Numbers of the lines that hold the words, page by page to the end."""
    numbers, place = list[int](), offset
    while True:
        page = search_lines(path, place, words, limit=3, shown=200, final=final)
        assert page is not None
        numbers += [int(line.text[5:].partition(",")[0]) for line in page.lines]
        if page.next_offset is None:
            return numbers
        assert page.next_offset > place
        place = page.next_offset


@pytest.mark.parametrize("part", [7, 64, 1024 * 1024])
def test_every_line_with_the_words_comes_once(
    stream: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(log_search, "_PART", part)
    expected = [n for n in range(100) if n % 10 == 3]
    assert found(stream, "NEEDLE") == expected
    assert found(stream, "needle é") == expected
    assert found(stream, "nothing of it") == []


def test_a_search_is_cut_and_goes_on(stream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_search, "_AT_ONCE", 200)
    page = search_lines(stream, 0, "needle", limit=50, shown=200, final=True)
    assert page is not None
    assert page.next_offset is not None
    assert page.next_offset < stream.stat().st_size
    assert found(stream, "needle") == [n for n in range(100) if n % 10 == 3]


def test_it_begins_at_a_line_wherever_it_is_told_to(stream: Path) -> None:
    begins = [0]
    for line in stream.read_bytes().splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    for offset in range(0, begins[-1] + 1, 5):
        assert line_from(stream, offset) == min(each for each in begins if each >= offset)
    assert line_before(stream, begins[50], 10) == begins[40]
    assert line_before(stream, begins[5], 10) == 0
    assert line_before(stream, begins[-1], 1) == begins[-2]


def test_what_is_not_shown_is_not_found(tmp_path: Path) -> None:
    path = tmp_path / "stream.jsonl"
    path.write_text('{"key":"sk-ant-api03-abcdefghijklmnop"}\n{"n":7, "x":"sk"}\n')
    assert found(path, "abcdefghijklmnop") == []
    assert found(path, "sk-ant") == []
    page = search_lines(path, 0, "redacted", limit=3, shown=200, final=True)
    assert page is not None
    assert page.lines == []  # nor what stands in its place: it is not in the file


def test_a_line_without_its_end(tmp_path: Path) -> None:
    path = tmp_path / "stream.jsonl"
    path.write_text('{"n":1, "a":"needle"}\n{"n":2, "a":"needle"')
    assert found(path, "needle") == [1, 2]
    assert found(path, "needle", final=False) == [1]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert search_lines(tmp_path / "none", 0, "x", limit=1, shown=9, final=True) is None
    assert size_of(tmp_path) is None


@pytest.mark.parametrize("words", ["Ärger MIT", "ärger mit"])
def test_capitals_beyond_ascii_are_found_as_they_are_written(tmp_path: Path, words: str) -> None:
    path = tmp_path / "stream.jsonl"
    path.write_text(f'{{"n":1,"text":"{words[0]}rger mit"}}\n', encoding="utf-8")
    assert found(path, words) == [1]
