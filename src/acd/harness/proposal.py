"""Which verify command a repository's files suggest. Nothing is run: whoever owns the queue decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from acd.harness.safe_read import FileRefused, read_regular_file

_LARGEST = 1024 * 1024
_MAKE_TEST = re.compile(r"^(test|check)\s*:(?!=)", re.MULTILINE)
_NO_TEST = "no test specified"


def propose_verify_command(repository: Path) -> str | None:
    """The command by which projects of this kind are tested; None where the files do not tell."""
    return next(_commands(repository), None)


def _commands(repository: Path) -> Iterator[str]:
    for name, command_in in _SIGNS.items():
        text = _text(repository, name)
        if text is not None and (command := command_in(text)):
            yield command
    if any((repository / "tests").glob("test_*.py")) or any(repository.glob("test_*.py")):
        yield "python -m pytest -q"


def _text(repository: Path, name: str) -> str | None:
    try:
        data = read_regular_file(repository / name, [repository], _LARGEST)
    except (FileRefused, OSError):
        return None
    return data.decode(errors="replace")


def _of_make(text: str) -> str | None:
    found = _MAKE_TEST.search(text)
    return f"make {found[1]}" if found else None


def _of_npm(text: str) -> str | None:
    try:
        scripts = msgspec.json.decode(text, type=_Package).scripts
    except msgspec.MsgspecError:
        return None
    script = scripts.get("test")
    return "npm ci && npm test" if isinstance(script, str) and _NO_TEST not in script else None


class _Package(msgspec.Struct):
    scripts: dict[str, object] = {}


_SIGNS: dict[str, Callable[[str], str | None]] = {
    "Makefile": _of_make,
    "package.json": _of_npm,
    "Cargo.toml": lambda _: "cargo test",
    "go.mod": lambda _: "go test ./...",
    "pytest.ini": lambda _: "python -m pytest -q",
    "pyproject.toml": lambda text: "python -m pytest -q" if "pytest" in text else None,
    "tox.ini": lambda _: "tox",
    "mix.exs": lambda _: "mix test",
    "pom.xml": lambda _: "mvn -q test",
    "build.gradle": lambda _: "gradle test",
}
