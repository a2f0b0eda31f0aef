"""Whose lines a commit holds: `git blame` of each of its text files. Slow: one process a file."""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from typing import NamedTuple

from acd.core.errors import GitError
from acd.git.repository import Repository

ALL_LIMIT = 25.0
"""Seconds for all files of a commit: nobody waits longer, and files that were not come to then are left out."""

_AT_ONCE = os.cpu_count() or 1
_GROUP = re.compile(rb"^([0-9a-f]{40,64}) \d+ \d+ (\d+)$", re.MULTILINE)
"""How `git blame --incremental` begins what it says of lines that follow each other (git-blame(1))."""


class LinesHeld(NamedTuple):
    """Lines of text files by the commit that wrote them as they are; of `files_left_out` git could not say (in time)."""

    by_commit: dict[str, int]
    files_left_out: int


async def lines_held(repository: Repository, commit: str) -> LinesHeld:
    """Lines of a commit, below the repository's folder, by the commit that wrote them.

    Raises:
        GitError: git cannot say which files there are.
    """
    names = iter(await repository.text_files(commit))
    deadline = asyncio.get_running_loop().time() + ALL_LIMIT
    lines: Counter[str] = Counter()
    left_out = 0

    async def count() -> None:
        """One file after the other, of those that nobody else has taken."""
        nonlocal left_out
        for name in names:
            try:
                async with asyncio.timeout_at(deadline):
                    out = await repository.blame(commit, name)
            except (GitError, TimeoutError):
                left_out += 1
                continue
            for sha, size in _GROUP.findall(out):
                lines[sha.decode()] += int(size)

    await asyncio.gather(*(count() for _ in range(_AT_ONCE)))
    return LinesHeld(dict(lines), left_out)
