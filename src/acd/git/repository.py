"""Reading a repository. What writes to it says so; see `acd.git.calls` for what is guarded against."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from acd.core.errors import GitError
from acd.core.models import Commit
from acd.git.calls import CHECKOUT_LIMIT, Answer, call_git

LONGEST_MESSAGE = 4000
"""Characters of a commit's message that are kept."""

_DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all")
_LOG = (
    "log",
    "--format=tformat:%x00%H%x00%an <%ae>%x00%ct%x00%B%x00",
    "--encoding=UTF-8",
    "--reverse",
    "--topo-order",
    "--numstat",
    "--diff-merges=off",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--ignore-submodules=all",
)
_UNBORN_OR_DETACHED = 1
_UNSET = 1


class ChangedLines(NamedTuple):
    """Lines of a file that came and that went between two commits, without their signs."""

    added: list[str]
    removed: list[str]


@dataclass(frozen=True)
class Repository:
    """The git repository that `path` lies in. Every method raises `GitError` when git cannot say.

    GitError messages name the folder and repeat what git itself said.
    """

    path: Path
    ceiling: Path | None = None
    """A folder above which git does not look for the repository: what an agent took apart must not become another one."""

    async def common_dir(self) -> Path:
        """The folder that all worktrees of the repository share, resolved."""
        out = await self._read("rev-parse", "--git-common-dir")
        return (self.path / os.fsdecode(out.rstrip(b"\n"))).resolve()

    async def head(self) -> str | None:
        """Full id of the commit that is checked out; None when there is no commit yet."""
        answer = await self._call("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if answer.status == _UNBORN_OR_DETACHED:
            return None
        return self._checked(answer).decode().strip()

    async def branch(self) -> str | None:
        """Name of the branch that is checked out (also one without a commit); None when HEAD is detached."""
        answer = await self._call("symbolic-ref", "--quiet", "--short", "HEAD")
        if answer.status == _UNBORN_OR_DETACHED:
            return None
        return self._checked(answer).decode(errors="replace").strip()

    async def is_dirty(self) -> bool:
        """Whether anything is changed, staged or untracked (submodules are not looked into).

        Clean filters are switched off, because they are programs; with them off, a file that a filter such as LFS
        changed and that was touched since the checkout counts as changed.
        """
        out = await self._read(
            *await self._without_filters(),
            "status",
            "--porcelain",
            "-z",
            "--untracked-files=normal",
            "--ignore-submodules=all",
        )
        return bool(out)

    async def commits(self, before: str | None, after: str | None) -> list[Commit]:
        """Commits that `after` has and `before` has not, oldest first; None for `before` means all of them.

        Sizes are those of `git log --numstat`: merges count no files, binary files no lines.
        """
        if after is None or before == after:
            return []
        out = await self._read(*_LOG, after, *([f"^{before}"] if before else []), "--")
        return _commits_of(out, await self.branch())

    async def commits_between(self, branch: str, since: datetime, until: datetime) -> list[Commit]:
        """Commits of a branch by their time, oldest first; none where there is no such branch (any more)."""
        name = f"refs/heads/{branch}"
        answer = await self._call("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        if answer.status:
            return []
        span = (f"--since=@{int(since.timestamp()) - 1}", f"--until=@{int(until.timestamp()) + 1}")
        out = await self._read(*_LOG, *span, "--end-of-options", name, "--")
        return _commits_of(out, branch)

    async def prefix(self) -> str:
        """`path` as seen from the root of its working tree: empty for the root itself, else it ends with a slash."""
        return os.fsdecode((await self._read("rev-parse", "--show-prefix")).rstrip(b"\n"))

    async def add_worktree(self, place: Path, commit: str) -> None:
        """Check a commit out in a new folder, with no branch. Writes to the repository: it knows of the folder then."""
        await self._read(
            *await self._without_filters(),
            *("worktree", "add", "--quiet", "--force", "--detach", str(place), commit),
            limit=CHECKOUT_LIMIT,
        )

    async def forget_worktree(self, place: Path) -> None:
        """Forget such a folder, which is gone already. Writes to the repository; one that it does not know is none."""
        known = await self._read("worktree", "list", "--porcelain")
        if os.fsencode(f"worktree {place.resolve()}") in known.split(b"\n"):
            await self._read("worktree", "remove", "--force", "--force", str(place))

    async def changed_files(self, before: str, after: str) -> list[tuple[str, str]]:
        """Files that differ between two commits: git's letter (A, M, D, R, …) and the name, of a renamed file the old one."""
        out = await self._read(*_DIFF, "--find-renames", "--name-status", "-z", before, after, "--")
        words = iter(os.fsdecode(out).split("\0"))
        files = []
        for letter in words:
            if letter:
                files.append((letter[0], next(words)))
                if letter[0] in "RC":
                    next(words)
        return files

    async def changed_lines(self, before: str, after: str, path: str) -> ChangedLines:
        """The lines that a file has in one of two commits only; `path` as seen from the repository's root."""
        out = await self._read(*_DIFF, "--unified=0", before, after, "--", f":(top,literal){path}")
        lines = out.decode(errors="replace").splitlines()
        return ChangedLines(
            added=[each[1:] for each in lines if each[:1] == "+" and not each.startswith("+++ ")],
            removed=[each[1:] for each in lines if each[:1] == "-" and not each.startswith("--- ")],
        )

    async def text_files(self, commit: str) -> list[str]:
        """Files of a commit at or below `path`, as seen from there, that git takes for text."""
        nothing = (await self._read("hash-object", "-t", "tree", "/dev/null")).decode().strip()
        out = await self._read(
            *(*_DIFF, "--numstat", "-z", "--no-renames", "--relative", nothing, commit, "--", ".")
        )
        sizes = [line.split("\t", 2) for line in os.fsdecode(out).split("\0") if line]
        return [name for added, _, name in sizes if added not in ("-", "0")]

    async def blame(self, commit: str, name: str) -> bytes:
        """What `git blame --incremental` says of a file; `name` as seen from `path`.

        Commits that the configuration would pass over (`blame.ignoreRevsFile`) count as any other: who works in the repository
        could have theirs counted for somebody else. Where the file that names them is missing git fails.
        """
        every = "--ignore-revs-file="
        return await self._read(
            "blame", every, "--incremental", "--no-textconv", commit, "--", name
        )

    async def is_shallow(self) -> bool:
        """Whether commits before some are missing here, as `git clone --depth` leaves them out."""
        return (await self._read("rev-parse", "--is-shallow-repository")).strip() == b"true"

    async def is_tracked(self, file: Path) -> bool:
        """Whether the file is one that the repository keeps."""
        answer = await self._call("ls-files", "--error-unmatch", "--", str(file))
        return answer.status == 0

    async def is_staged(self, file: Path) -> bool:
        """Whether a change of the file waits in the index for the next commit."""
        answer = await self._call(*_DIFF, "--cached", "--quiet", "--", str(file))
        return answer.status == 1

    async def has_identity(self) -> bool:
        """Whether somebody told git who makes commits here; a name that git would guess does not count."""
        for variable in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            answer = await self._call("-c", "user.useConfigOnly=true", "var", variable)
            if answer.status:
                return False
        return True

    async def _without_filters(self) -> list[str]:
        answer = await self._call("config", "--null", "--name-only", "--get-regexp", r"^filter\.")
        if answer.status == _UNSET:
            return []
        names = self._checked(answer).decode(errors="surrogateescape").split("\0")
        drivers = sorted({name.rpartition(".")[0] for name in names if name})
        options: list[str] = []
        for driver in drivers:
            if "=" in driver:
                raise GitError(f"{self.path}: a filter with '=' in its name cannot be switched off")
            for setting in ("clean=", "smudge=", "process=", "required=false"):
                options += ["-c", f"{driver}.{setting}"]
        return options

    async def _read(self, *arguments: str, limit: float | None = None) -> bytes:
        return self._checked(await self._call(*arguments, limit=limit))

    async def _call(self, *arguments: str, limit: float | None = None) -> Answer:
        return await call_git(
            *arguments, path=self.path, variables=self._variables(), time_limit=limit
        )

    def _variables(self) -> dict[str, str]:
        return {} if self.ceiling is None else {"GIT_CEILING_DIRECTORIES": str(self.ceiling)}

    def _checked(self, answer: Answer) -> bytes:
        if answer.status:
            raise GitError(f"git in {self.path}: {answer.error or f'exit {answer.status}'}")
        return answer.out


async def git_version() -> str:
    """What `git --version` says, without the words before the number.

    Raises:
        GitError: there is no git.
    """
    answer = await call_git("--version")
    return answer.out.decode().strip().removeprefix("git version ")


async def is_repository(path: Path) -> bool:
    """Whether `path` lies in a git repository.

    Raises:
        GitError: there is no git, or it refuses to look (a repository that belongs to somebody else).
    """
    repository = Repository(path)
    answer = await repository._call("rev-parse", "--git-dir")
    if answer.status and ("not a git repository" in answer.error or not path.is_dir()):
        return False
    repository._checked(answer)
    return True


_FIELDS = 5  # id, author, time, message, and the lines of --numstat


def _commits_of(log: bytes, branch: str | None) -> list[Commit]:
    parts = log.decode(errors="replace").split("\0")[1:]
    return [
        _commit(*parts[start : start + _FIELDS], branch=branch)
        for start in range(0, len(parts) - _FIELDS + 1, _FIELDS)
    ]


def _commit(
    sha: str, author: str, seconds: str, message: str, sizes: str, *, branch: str | None
) -> Commit:
    lines = [line.split("\t") for line in sizes.splitlines() if line]
    return Commit(
        sha=sha,
        message=message.strip()[:LONGEST_MESSAGE],
        author=author,
        committed_at=_time(seconds),
        files_changed=len(lines),
        additions=sum(int(added) for added, *_ in lines if added != "-"),
        deletions=sum(int(deleted) for _, deleted, *_ in lines if deleted != "-"),
        branch=branch,
    )


def _time(seconds: str) -> datetime:
    """A commit can claim any date; one that no calendar has becomes the epoch, as git itself shows it."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
