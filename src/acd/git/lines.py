"""Whose lines a commit holds: `git blame` of each of its text files. Slow: one process a file."""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from typing import NamedTuple

from acd.core.errors import GitError
from acd.git.repository import Repository

_GROUP = re.compile(rb"^([0-9a-f]{40,64}) \d+ \d+ (\d+)$", re.MULTILINE)
"""How `git blame --incremental` begins what it says of lines that follow each other (git-blame(1))."""


class LinesHeld(NamedTuple):
    """Lines of text files by the commit that wrote them as they are; of `files_left_out` git could not say (in time)."""

    by_commit: dict[str, int]
    files: int
    files_left_out: int


async def lines_held(repository: Repository, commit: str) -> LinesHeld:
    """Lines of a commit, below the repository's folder, by the commit that wrote them.

    Raises:
        GitError: git cannot say which files there are.
    """
    names = await repository.text_files(commit)
    few = asyncio.Semaphore(os.cpu_count() or 1)

    async def told(name: str) -> bytes | None:
        async with few:
            try:
                return await repository.blame(commit, name)
            except GitError:
                return None

    lines: Counter[str] = Counter()
    left_out = 0
    for out in await asyncio.gather(*(told(name) for name in names)):
        if out is None:
            left_out += 1
            continue
        for sha, count in _GROUP.findall(out):
            lines[sha.decode()] += int(count)
    return LinesHeld(dict(lines), len(names), left_out)
