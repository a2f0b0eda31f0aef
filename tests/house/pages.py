"""The documentation taken apart: pages, blocks of code, words set as code.

A block of bash, python or SQL is executed by `test_docs_blocks.py`, word for word, unless a comment with the reason
stands before it:

    <!-- not run: needs Docker -->
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
EXECUTED = ("bash", "python", "sql")
_BLOCK = re.compile(
    r"(?:^ *<!-- not run(?P<mark>[^\n]*)-->\n)?"
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_REASON = re.compile(r"[^:]*:\s*(\S.*\S)\s*")


class Block(NamedTuple):
    """A fenced block. `excuse` is why it is not executed; None where it is, empty where a reason is missing."""

    page: Path
    line: int
    language: str
    text: str
    excuse: str | None

    @property
    def runs(self) -> bool:
        return self.language in EXECUTED and self.excuse is None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Every fenced block, in order, without the indentation of a list that it stands in."""
    text = page.read_text()
    return [
        Block(
            page,
            text[: found.start("indent")].count("\n") + 1,
            found["language"],
            re.sub(f"^{found['indent']}", "", found["body"], flags=re.MULTILINE),
            _excuse(found["mark"]),
        )
        for found in _BLOCK.finditer(text)
    ]


def _excuse(mark: str | None) -> str | None:
    if mark is None:
        return None
    reason = _REASON.fullmatch(mark)
    return reason[1] if reason else ""


def prose_of(page: Path) -> str:
    """A page without its blocks."""
    return _BLOCK.sub("", page.read_text())


def words_set_as_code(page: Path) -> list[str]:
    """What stands between single backticks outside blocks."""
    return re.findall(r"`([^`\n]+)`", prose_of(page))
