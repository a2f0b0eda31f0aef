"""The mission's text (tests/data/mission.md, a copy of it), taken apart."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "data" / "mission.md").read_text()
_BLOCK = r"```{language}\n(.*?)```"
_FIELD = re.compile(r"^  (\w+): (.+?),?$", re.MULTILINE)


def block_under(heading: str, language: str) -> str:
    """The first block of a language after a heading, word for word."""
    after = TEXT.split(f"\n{heading}\n", 1)[1]
    found = re.search(_BLOCK.format(language=language), after, re.DOTALL)
    assert found, f"the mission has no {language} under {heading!r}"
    return found[1]


def curl_lines() -> list[str]:
    """The command lines under "CLI Examples"."""
    lines = block_under("### CLI Examples", "bash").splitlines()
    return [line for line in lines if line.startswith("curl ")]


def session_fields() -> dict[str, str]:
    """The fields of a session with their types, in TypeScript's words."""
    return dict(_FIELD.findall(block_under("### Session Fields", "typescript")))


def sql_examples() -> str:
    """The statements under "SQL Examples"."""
    return block_under("### SQL Examples", "sql")


def endpoints() -> list[tuple[str, str]]:
    """Path and method of each row of the table of endpoints."""
    return re.findall(r"^\| `(/api/\S+)` \| (GET|POST) \|", TEXT, re.MULTILINE)
