"""Sizes: no file over 500 lines, no function over 60; medians as in the best code of this kind (architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("src", "tests", "bench")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
LONGEST_FILE = 500
LONGEST_FUNCTION = 60


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions_of(path: Path) -> list[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (node.end_lineno - node.lineno + 1, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    ]


def test_there_are_files_to_measure() -> None:
    assert len(FILES) > 50


def test_no_file_is_too_long() -> None:
    long = [(lines_of(path), str(path.relative_to(ROOT))) for path in FILES]
    assert [found for found in long if found[0] > LONGEST_FILE] == []


def test_no_function_is_too_long() -> None:
    found = [function for path in FILES for function in functions_of(path)]
    assert [function for function in found if function[0] > LONGEST_FUNCTION] == []


def test_most_are_short() -> None:
    own = [path for path in FILES if path.is_relative_to(ROOT / "src")]
    assert median(lines_of(path) for path in own) <= 150
    lengths = sorted(length for path in own for length, _ in functions_of(path))
    assert median(lengths) <= 10
    assert lengths[int(len(lengths) * 0.95)] <= 40


@pytest.mark.parametrize("suffix", [".sql", ".md", ".html", ".css"])
def test_other_files_are_not_too_long_either(suffix: str) -> None:
    others = list((ROOT / "src").rglob(f"*{suffix}"))
    assert [str(path) for path in others if lines_of(path) > LONGEST_FILE] == []
