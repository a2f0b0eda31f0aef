"""Every git call of acd, hardened: a repository is somebody else's, and its configuration can name programs to run.

Measured (facts/security.md, point 8): `git status` runs the repository's `core.fsmonitor`, `git diff` its
`diff.external`. Further doors that are shut here: hooks, text conversion, clean filters, signature checks
(`log.showSignature` runs `gpg.program`), the pager, and fetching of missing objects in a partial clone (which runs
whatever a remote's address says). What writes to a repository says so.

The system's and the user's own configuration stay in force: they are trusted, and hold things like `safe.directory`.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from acd.core.errors import GitError
from acd.core.models import Commit

TIME_LIMIT = 30.0
"""Seconds that any one git call may take, but for a checkout."""

CHECKOUT_LIMIT = 600.0
"""Seconds that checking a commit out may take."""

OUTPUT_LIMIT = 32 * 1024 * 1024
"""Most bytes that are taken from one git call."""

LONGEST_MESSAGE = 4000
"""Characters of a commit's message that are kept."""

_ERROR_TEXT_LIMIT = 64 * 1024
_INHERITED = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER", "LOGNAME")
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    # Beats every `protocol.*.allow` of the repository; older gits do not know GIT_NO_LAZY_FETCH.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_SSH_COMMAND": "false",
    "GIT_ASKPASS": "false",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
# A clone alone talks to servers: by these ways only (never `ext::`, which names a program), and asks nobody.
_TO_SERVERS = {
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "SSH_ASKPASS_REQUIRE": "never",
}
_FOR_SERVERS = (
    "SSH_AUTH_SOCK",
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
)
_HARDENED = (
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "log.showSignature=false",
)
_UNBORN_OR_DETACHED = 1
_UNSET = 1


class _Answer(NamedTuple):
    status: int
    out: bytes
    error: str


@dataclass(frozen=True)
class Repository:
    """The git repository that `path` lies in. Every method raises `GitError` when git cannot say.

    GitError messages name the folder and repeat what git itself said.
    """

    path: Path

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
        out = await self._read(
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
            after,
            *([f"^{before}"] if before else []),
            "--",
        )
        return _commits_of(out, await self.branch())

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

    async def _read(self, *arguments: str, limit: float = TIME_LIMIT) -> bytes:
        return self._checked(await self._call(*arguments, limit=limit))

    async def _call(self, *arguments: str, limit: float = TIME_LIMIT) -> _Answer:
        return await _git("-C", str(self.path), *arguments, limit=limit)

    def _checked(self, answer: _Answer) -> bytes:
        if answer.status:
            raise GitError(f"git in {self.path}: {answer.error or f'exit {answer.status}'}")
        return answer.out


async def git_version() -> str:
    """What `git --version` says, without the words before the number.

    Raises:
        GitError: there is no git.
    """
    answer = await _git("--version")
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


async def clone(
    address: str, folder: Path, *, time_limit: float, tell: Callable[[str], None]
) -> None:
    """Clone a repository into a folder that does not exist yet; `tell` is given git's own words on how far it is.

    Nothing that the repository says is run: no hooks, no submodules, no `ext::` addresses. Asks nobody: a server that
    wants a login gets what the user's own git is set up with (credential helper, ssh agent), or refuses.

    Raises:
        GitError: it could not be cloned, with what git said. What is in the folder then is of no use.
    """
    reached = f"git clone {address}"
    variables = {name: os.environ[name] for name in _FOR_SERVERS if name in os.environ}
    environment = {**_environment(), **variables, **_TO_SERVERS}
    del environment["GIT_SSH_COMMAND"]
    options = ("--progress", "--no-recurse-submodules")
    process = await _start("clone", *options, "--", address, str(folder), environment=environment)
    assert process.stderr is not None  # noqa: S101 - a pipe, see `_start`
    try:
        async with asyncio.timeout(time_limit):
            said = await _progress(process.stderr, tell)
            status = await process.wait()
    except TimeoutError as error:
        raise GitError(f"{reached} took longer than {time_limit:g} s and was stopped") from error
    finally:
        await _stop(process)
    if status:
        raise GitError(f"{reached}: {said or f'exit {status}'}")


async def _progress(stream: asyncio.StreamReader, tell: Callable[[str], None]) -> str:
    """Tell what git shows of its progress (lines that end with CR); what it says otherwise."""
    said, rest = "", ""
    while chunk := await stream.read(64 * 1024):
        *shown, rest = re.split(r"(?<=[\r\n])", rest + chunk.decode(errors="replace"))
        for line in shown:
            if line.endswith("\r"):
                tell(line.strip())
            elif not line.startswith(("Cloning into", "remote: ")):
                said = (said + line)[-_ERROR_TEXT_LIMIT:]
    return (said + rest).strip()


async def _start(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            "git",
            *_HARDENED,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment() if environment is None else environment,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed, or not on PATH: install it") from error


async def _git(*arguments: str, limit: float = TIME_LIMIT) -> _Answer:
    process = await _start(*arguments)
    try:
        async with asyncio.timeout(limit):
            return await _answer(process)
    except TimeoutError as error:
        raise GitError(
            f"git {' '.join(arguments)} took longer than {limit:g} s and was stopped"
        ) from error
    finally:
        await _stop(process)


async def _answer(process: asyncio.subprocess.Process) -> _Answer:
    assert process.stdout is not None  # noqa: S101 - both are pipes, see above
    assert process.stderr is not None  # noqa: S101
    readers = [
        asyncio.create_task(_take(process.stdout, OUTPUT_LIMIT, refuse_more=True)),
        asyncio.create_task(_take(process.stderr, _ERROR_TEXT_LIMIT, refuse_more=False)),
    ]
    try:
        out, error = await asyncio.gather(*readers)
    finally:
        for reader in readers:  # whoever ends the process reads the pipes empty, and must be alone
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return _Answer(await process.wait(), out, error.decode(errors="replace").strip())


async def _take(stream: asyncio.StreamReader, limit: int, *, refuse_more: bool) -> bytes:
    taken = bytearray()
    while chunk := await stream.read(64 * 1024):
        if len(taken) + len(chunk) > limit and refuse_more:
            raise GitError(f"git printed more than {limit} bytes")
        taken += chunk[: limit - len(taken)]
    return bytes(taken)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):  # it ended just now
        os.killpg(process.pid, signal.SIGKILL)
    await process.communicate()  # empties the pipes, so that nothing of them stays open


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | _ENVIRONMENT


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
