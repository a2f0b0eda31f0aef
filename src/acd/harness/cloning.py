"""Clones of acd's own, for targets that have no folder on this machine: `<ACD_HOME>/clones/<repo id>`."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from acd import git
from acd.core.errors import ConfigError, GitError
from acd.core.models import Target
from acd.core.settings import Settings
from acd.files.locks import wait_for

Tell = Callable[[str], None]
"""Is told in words how far a clone is."""

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_TELL_EVERY_S = 10.0


def clone_folder(settings: Settings, target: Target) -> Path:
    """Where this machine's clone of a target is, or would be.

    An id that is no plain name for a folder gets one made of it and of the target's own id.
    """
    name = target.repo_id
    if not _PLAIN.fullmatch(name):
        name = f"{re.sub('[^A-Za-z0-9_]+', '-', name)[:60]}-{target.id.hex[:12]}"
    return settings.clones_dir / name


def in_folder(target: Target, folder: Path) -> Target:
    """The target as it stands in another folder than its own: files inside the repository are inside that one."""
    old = Path(target.path)

    def moved(path: str | None) -> str | None:
        inside = path is not None and Path(path).is_relative_to(old)
        return str(folder / Path(path).relative_to(old)) if path and inside else path

    return msgspec.structs.replace(
        target,
        path=str(folder),
        prompt=moved(target.prompt),
        prd=moved(target.prd),
        feature_list=moved(target.feature_list),
    )


async def make_clone(settings: Settings, target: Target, tell: Tell) -> Path:
    """This machine's clone of a target, made if it is not there yet; only a whole one is ever seen under its name.

    Raises:
        ConfigError: it cannot be made, with git's own words.
    """
    folder = clone_folder(settings, target)
    settings.clones_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with wait_for(settings.locks_dir / f"clone-{folder.name}.lock"):
        if not folder.is_dir():
            await _clone(settings, target, folder, tell)
    return folder


async def _clone(settings: Settings, target: Target, folder: Path, tell: Tell) -> None:
    half = folder.with_name(f".{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)  # of one that was killed while it cloned
    began = time.monotonic()
    tell(f"{target.repo_id}: cloning {target.clone}")
    try:
        await git.clone(
            str(target.clone), half, time_limit=settings.clone_timeout, tell=_seldom(target, tell)
        )
        half.rename(folder)
    except (GitError, OSError) as error:
        raise ConfigError(f"it cannot be cloned: {error}") from error
    finally:
        shutil.rmtree(half, ignore_errors=True)
    tell(f"{target.repo_id}: cloned in {time.monotonic() - began:.0f} s")


def _seldom(target: Target, tell: Tell) -> Tell:
    """Tell of a long clone every ten seconds."""
    last = time.monotonic()

    def told(progress: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_EVERY_S:
            last = time.monotonic()
            tell(f"{target.repo_id}: cloning: {progress}")

    return told
