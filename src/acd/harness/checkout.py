"""A clean checkout of one commit, away from every working tree: what is not committed is not in it."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from acd.git import Repository

_PRIVATE_DIR = 0o700


@asynccontextmanager
async def clean_checkout(repository: Repository, commit: str, place: Path) -> AsyncIterator[Path]:
    """Check a commit out at `place` for the length of the block; yields the folder that `repository.path` is in it.

    What a crash left at `place` is removed first. The folder need not exist in that commit. Submodules are not checked
    out, and filters (LFS among them) are not run: they are programs that a repository's configuration names.

    Raises:
        GitError: git cannot do it.
        OSError: the folder cannot be made.
    """
    prefix = await repository.prefix()
    await remove_checkout(repository, place)
    place.parent.mkdir(mode=_PRIVATE_DIR, parents=True, exist_ok=True)
    try:
        await repository.add_worktree(place, commit)
        yield place / prefix
    finally:
        await asyncio.shield(remove_checkout(repository, place))


async def remove_checkout(repository: Repository, place: Path) -> None:
    """Remove a checkout, whatever state it is in, and what the repository knows of it.

    It is put aside first and deleted last: whoever is killed in between leaves something that tells the next one to go on.

    Raises:
        GitError: git refuses to forget it.
        OSError: it cannot be deleted.
    """
    aside = place.with_name(f"{place.name}.gone")
    if place.exists():
        if aside.exists():
            await asyncio.to_thread(_remove_tree, aside)
        place.rename(aside)
    if aside.exists():
        await repository.forget_worktree(place)
        await asyncio.to_thread(_remove_tree, aside)


def _remove_tree(place: Path) -> None:
    """Programs leave folders behind in which nothing may be removed (Go's module cache); those are opened first."""
    shutil.rmtree(place, ignore_errors=True)
    if not place.exists():
        return
    for folder, _, _ in os.walk(place):
        Path(folder).chmod(stat.S_IRWXU)
    shutil.rmtree(place)
