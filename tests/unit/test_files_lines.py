"""Reading whole lines of a growing file."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acd.files import lines
from acd.files.lines import Line, LineReader


def read_all(reader: LineReader, limit: int = 4096) -> list[Line]:
    found: list[Line] = []
    while batch := reader.read(limit):
        found += batch
    return found + reader.read(limit, final=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=5))
def test_any_growth_gives_the_same_lines(tmp_path: Path, data: bytes, cuts: list[int]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    reader = LineReader(path)
    found: list[Line] = []
    for cut in sorted(cuts):
        path.write_bytes(data[:cut])
        found += reader.read()
    path.write_bytes(data)
    found += reader.read()
    assert (
        b"".join(line.data + b"\n" for line in found if line.data is not None)
        == (data[: data.rfind(b"\n") + 1])
    )
    assert reader.offset == data.rfind(b"\n") + 1
    found += reader.read(final=True)
    assert [line.data for line in found] == data.split(b"\n")[: len(found)]
    assert sum(line.length for line in found) == len(data) == reader.offset
    for line in found:
        assert data[line.offset :].startswith(line.data or b"")


def test_a_reader_can_begin_at_any_line(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one\ntwo\nthree\n")
    first, *rest = LineReader(path).read()
    assert LineReader(path, first.length).read() == rest


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert LineReader(tmp_path / "nothing").read(final=True) == []


def test_a_line_beyond_all_limits_is_counted_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 1000)
    path = tmp_path / "file"
    path.write_bytes(b"a\n" + b"x" * 1000 + b"\n" + b"y" * 1001 + b"\nb\n")
    found = read_all(LineReader(path))
    assert [(line.length, line.data is None) for line in found] == [
        (2, False),
        (1001, False),
        (1002, True),
        (2, False),
    ]


def test_a_huge_line_costs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        for _ in range(200):
            file.write(b"x" * 1024**2)
        file.write(b"\nshort\n")
    reader = LineReader(path)
    tracemalloc.start()
    try:
        found = read_all(reader, 4 * 1024**2)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [line.data for line in found] == [None, b"short"]
    assert peak < 64 * 1024**2
