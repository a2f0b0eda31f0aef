"""Is an agent new enough? Pure: the caller runs `--version` and hands the output over."""

from __future__ import annotations

import re

import msgspec

from acd.agents.protocol import Adapter, Binary
from acd.core.errors import AgentTooOld
from acd.core.text import excerpt, printable

_VERSION = re.compile(r"\d+(?:\.\d+){1,3}")


def find_version(text: str) -> str | None:
    """The first thing in `text` that looks like a version: `2.1.330` in `2.1.330 (Claude Code)`."""
    found = _VERSION.search(text)
    return found[0] if found else None


def checked(adapter: Adapter, binary: Binary, output: str) -> Binary:
    """`binary` with its version, read from the `output` of its `--version`.

    Raises:
        AgentTooOld: with the version found and the one needed; also when the output names no version.
    """
    version = adapter.parse_version(output)
    needed = adapter.minimum_version
    if needed is not None and (version is None or _parts(version) < _parts(needed)):
        found = f"version {version}" if version else repr(printable(excerpt(output.strip(), 80)))
        raise AgentTooOld(
            f"{adapter.name} at {binary.argv[0]} says {found}; "
            f"{needed} or later is needed: update it, or name another program in the settings"
        )
    return msgspec.structs.replace(binary, version=version)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
