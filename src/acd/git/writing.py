"""Writing to a repository: worktrees of our own, commits that are kept or merged. Guarded like every other call.

What a repository's own configuration names as a program (filters, merge drivers) stays unused; what the system's and the
user's configuration names is trusted, so that files of Git LFS are whole in a worktree. No call here changes a file that
somebody has changed and not committed: trees other than ours are only ever moved forward by `git merge --ff-only`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from acd.core.errors import GitError
from acd.git.calls import CHECKOUT_LIMIT, Answer, call_git
from acd.git.repository import Repository

AUTHOR: Mapping[str, str] = {
    "GIT_AUTHOR_NAME": "acd",
    "GIT_AUTHOR_EMAIL": "acd@localhost",
    "GIT_COMMITTER_NAME": "acd",
    "GIT_COMMITTER_EMAIL": "acd@localhost",
}
"""Who makes the commits of the harness."""

_LOCKED = "index.lock"
_PATIENCE = 10.0
_POLL = 0.2
_NO = 1
_MOST_CONFLICTS = 127
"""As the exit status of `git merge-file`; greater ones are errors."""

_OPTIONS = (
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "merge.autoStash=false",
    "merge.renormalize=false",
    "merge.verifySignatures=false",
    "rerere.enabled=false",
    "submodule.recurse=false",
)
_PLAIN_MERGE = "git merge-file -q --marker-size=%L %A %O %B"
_UNTRUSTED = {"local", "worktree"}


class Merged(NamedTuple):
    """A merge that was tried: the new commit, or the paths that are in conflict."""

    commit: str | None
    conflicts: list[str]


class KeptRef(NamedTuple):
    """A ref, its commit, and when that was made, in seconds since 1970."""

    name: str
    commit: str
    committed_at: float


@dataclass(frozen=True)
class WritableRepository(Repository):
    """A repository in which something is written. Every method raises `GitError` when git refuses."""

    async def top_level(self) -> Path:
        """The root of the working tree that `path` lies in."""
        out = await self._read("rev-parse", "--show-toplevel")
        return Path(os.fsdecode(out.rstrip(b"\n")))

    async def commit_of(self, name: str) -> str | None:
        """Full id of the commit that a ref or another name stands for; None where there is none."""
        answer = await self._call("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return None if answer.status == _NO else self._checked(answer).decode().strip()

    async def has_file(self, commit: str, path: str) -> bool:
        """Whether a commit holds that path."""
        answer = await self._call("cat-file", "-e", f"{commit}:{path}")
        return answer.status == 0

    async def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether all of `older` is in `newer`."""
        answer = await self._call("merge-base", "--is-ancestor", older, newer)
        if answer.status == _NO:
            return False
        self._checked(answer)
        return True

    async def begin_branch(self, folder: Path, branch: str, commit: str) -> None:
        """Check a commit out into a new folder, on a new branch."""
        await self._write("worktree", "add", "--quiet", "-b", branch, str(folder), commit)

    async def set_ref(self, ref: str, commit: str, old: str | None = None) -> bool:
        """Point a ref at a commit; with `old` (an id, or zeros for none) only if it is there now. Whether it was done."""
        expected = [] if old is None else [old]
        answer = await self._try("update-ref", "-m", "acd", ref, commit, *expected)
        if answer.status and old is not None and "cannot lock ref" in answer.error:
            return False
        self._checked(answer)
        return True

    async def delete_branch(self, branch: str, tip: str) -> None:
        """Delete a branch that is still at `tip`."""
        await self.delete_ref(f"refs/heads/{branch}", tip)

    async def delete_ref(self, ref: str, commit: str) -> None:
        """Delete a ref that still points at `commit`."""
        await self._write("update-ref", "-d", ref, commit)

    async def refs_under(self, prefix: str) -> list[KeptRef]:
        """The refs whose names begin with whole parts of a name, for example `refs/acd`."""
        out = await self._read(
            "for-each-ref", "--format=%(refname) %(objectname) %(committerdate:unix)", prefix
        )
        rows = [line.rsplit(" ", 2) for line in os.fsdecode(out).splitlines()]
        return [KeptRef(ref, commit, float(at)) for ref, commit, at in rows if at]

    async def unlock(self, branch: str) -> None:
        """Remove the locks that a killed git left in a worktree and on its branch; only where no other git can be at work there.

        What belongs to the repository as a whole, or to another working tree, is not touched.
        """
        common = await self.common_dir()
        out = await self._read("rev-parse", "--absolute-git-dir")
        own = Path(os.fsdecode(out.rstrip(b"\n"))).resolve()
        if own.parent == common / "worktrees":
            for lock in (own / _LOCKED, own / "HEAD.lock", common / f"refs/heads/{branch}.lock"):
                lock.unlink(missing_ok=True)

    async def merge(self, ours: str, theirs: str, message: str) -> Merged:
        """A commit that joins two, made without any working tree."""
        attributes = resources.files("acd.git").joinpath("merge_attributes")
        with resources.as_file(attributes) as path:
            answer = await self._try(
                *("-c", f"core.attributesFile={path}"),
                *("merge-tree", "--write-tree", "--no-messages", "--name-only", "-z"),
                *(ours, theirs),
            )
        parts = answer.out.decode(errors="replace").split("\0")
        if answer.status == _NO:
            return Merged(None, [part for part in parts[1:] if part])
        self._checked(answer)
        return Merged(await self.commit_tree(parts[0], [ours, theirs], message), [])

    async def commit_tree(self, tree: str, parents: Sequence[str], message: str) -> str:
        """Id of a new commit of ours."""
        named = [part for parent in parents for part in ("-p", parent)]
        out = await self._write("commit-tree", tree, *named, "-m", message)
        return out.decode().strip()

    async def commit_path(self, path: str, message: str) -> None:
        """Commit one path, and nothing else, on the branch that is checked out."""
        await self._write("add", "--", f":(top,literal){path}")
        await self._write(
            "commit", "--quiet", "--only", "-m", message, "--", f":(top,literal){path}"
        )

    async def uncommitted(self, *paths: str) -> list[str]:
        """Paths of what is changed, deleted or untracked and not ignored, from the top of the tree."""
        out = await self._write(
            *("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"),
            *("--ignore-submodules=all", "--"),
            *(f":(top,literal){path}" for path in paths),
        )
        return [os.fsdecode(entry[3:]) for entry in out.split(b"\0") if entry]

    async def restore(self, path: str) -> None:
        """Make one path in the folder what the commit that is checked out has there."""
        if await self.has_file("HEAD", path):
            await self._write("checkout", "--quiet", "HEAD", "--", f":(top,literal){path}")

    async def is_ignored(self, path: str) -> bool:
        """Whether git is told to ignore a path, and does not know it."""
        answer = await self._call("check-ignore", "--quiet", "--", str(self.path / path))
        return answer.status == 0

    async def tree_of_everything(self, without: Sequence[str]) -> str:
        """Id of a tree with everything that is in the folder, but for ignored files and those paths."""
        leave = [f":(top,exclude,literal){path}" for path in without]
        await self._write("add", "--all", "--", ":/", *leave)
        return (await self._write("write-tree")).decode().strip()

    async def tree_with_branch(self, branch: str) -> Path | None:
        """Where a branch is checked out; None where it is nowhere."""
        out = await self._read("worktree", "list", "--porcelain")
        place: Path | None = None
        for line in os.fsdecode(out).splitlines():
            name, _, value = line.partition(" ")
            if name == "worktree":
                place = Path(value)
            elif name == "branch" and value == f"refs/heads/{branch}" and place and place.is_dir():
                return place
        return None

    async def forward(self, commit: str) -> str | None:
        """Move what is checked out here forward to a commit that has all of it; the reason where git refuses.

        Git refuses when a file that would change has changes of its own, or an untracked one is in the way. While
        another git has the index locked it is waited for, for ten seconds.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            answer = await self._try("merge", "--ff-only", "--quiet", "--no-stat", commit)
            if not answer.status:
                return None
            if _LOCKED not in answer.error or time.monotonic() > deadline:
                return answer.error
            await asyncio.sleep(_POLL)

    async def _write(self, *arguments: str) -> bytes:
        return self._checked(await self._try(*arguments))

    async def _try(self, *arguments: str) -> Answer:
        options = [part for option in _OPTIONS for part in ("-c", option)]
        return await call_git(
            *options,
            *await self._without_programs(),
            *arguments,
            path=self.path,
            variables={**AUTHOR, "GIT_EDITOR": "true", **self._variables()},
            time_limit=CHECKOUT_LIMIT,
        )

    async def _without_programs(self) -> list[str]:
        """Options that keep the programs of the repository's own configuration from being run."""
        answer = await self._call(
            *("config", "--null", "--show-scope", "--name-only"),
            *("--get-regexp", r"^(filter\..*|merge\..*\.driver)$"),
        )
        if answer.status == _NO:
            return []
        parts = self._checked(answer).decode(errors="surrogateescape").split("\0")
        names = {
            name.rpartition(".")[0]
            for scope, name in zip(parts[::2], parts[1::2], strict=False)
            if scope in _UNTRUSTED
        }
        options: list[str] = []
        for name in sorted(names):
            if "=" in name:
                raise GitError(f"{self.path}: {name!r} with '=' in its name cannot be switched off")
            filters = ("clean=", "smudge=", "process=", "required=false")
            settings = filters if name.startswith("filter.") else (f"driver={_PLAIN_MERGE}",)
            for setting in settings:
                options += ["-c", f"{name}.{setting}"]
        return options


async def merge_files(ours: Path, base: Path, theirs: Path) -> bytes | None:
    """Three versions of a file joined into one; None where both sides changed the same places.

    Raises:
        GitError: they cannot be read, or are no texts.
    """
    answer = await call_git(
        "merge-file", "--stdout", "--quiet", str(ours), str(base), str(theirs), path=ours.parent
    )
    if answer.status > _MOST_CONFLICTS:
        raise GitError(f"git cannot join {ours} and {theirs}: {answer.error}")
    return None if answer.status else answer.out
