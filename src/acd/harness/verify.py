"""Running a verify command on a clean checkout of a commit, and what it shows.

The command is the user's (or the feature list's), a line for `/bin/sh`. It runs like an agent does: in a process
session of its own, without input, with the variables on the allow-list and the session's mark, so that every process
it starts is found and ended. What it leaves running is killed.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import UUID

from acd.core.errors import GitError
from acd.core.models import Evidence
from acd.core.text import redact, storable
from acd.git import Repository
from acd.harness.checkout import clean_checkout, remove_checkout
from acd.harness.stopping import is_insisted
from acd.harness.strays import end_processes

Result = Literal["passed", "failed", "not_judged", "cannot_run"]
"""`not_judged`: it did not come to an end, or could not begin, for a reason that is not the commit's. `cannot_run`:
there is no such program, so that nobody can say anything before a person changes something."""

OUTPUT_LIMIT = 64 * 1024 * 1024
"""Bytes that a verify command may print."""

_TAIL = 4000
_SEARCHED = 64 * 1024
_POLL = 0.05
_NOT_STARTED = (126, 127)
"""Exit statuses of a shell that found no such program, or may not run it."""

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_KEYWORDS = frozenset(
    (
        *("!", "{", "}", "if", "then", "elif", "else", "fi", "while", "until"),
        *("do", "done", "time"),
    )
)
_BUILTINS = frozenset(
    (
        *(".", ":", "[", "alias", "break", "case", "cd", "command", "continue", "echo"),
        *("esac", "eval", "exec", "exit", "export", "false", "for", "getopts", "hash", "local"),
        *("printf", "pwd", "read", "readonly", "return", "set", "shift", "test", "times", "trap"),
        *("true", "type", "ulimit", "umask", "unalias", "unset", "wait"),
    )
)


class Check(NamedTuple):
    """What came of one command on one commit."""

    result: Result
    evidence: Evidence


Tell = Callable[[str, Check], None]
"""Is told each command, and what came of it."""


@dataclass(frozen=True)
class Verifier:
    """Checks one session's work. `log` is overwritten by each command; `stop` ends the one that runs.

    `place` is where commits are checked out; one at a time.
    """

    session_id: UUID
    repository: Repository
    place: Path
    log: Path
    environment: Mapping[str, str]
    time_limit: float
    stop: asyncio.Event

    async def check(self, commands: Iterable[str], commit: str, tell: Tell) -> None:
        """Run each command on the commit, one after the other, in one checkout; `tell` what came of it at once.

        Without commands only what a harness that was killed had checked out is removed.

        Raises:
            OSError: the machine cannot start a process, or the disk is full.
        """
        waiting = list(dict.fromkeys(commands))
        try:
            if not waiting:
                await remove_checkout(self.repository, self.place)
                return
            async with clean_checkout(self.repository, commit, self.place) as folder:
                while waiting:
                    check = await self._run(waiting[0], commit, folder)
                    tell(waiting.pop(0), check)
        except GitError as error:
            reason = redact(f"the commit cannot be checked out: {error}")
            for command in waiting:
                tell(command, Check("not_judged", Evidence(command, commit, reason=reason)))

    async def _run(self, command: str, commit: str, folder: Path) -> Check:
        if is_insisted(self.stop):
            return Check("not_judged", Evidence(command, commit, reason=_STOPPED))
        if not folder.is_dir():
            return Check(
                "failed", Evidence(command, commit, reason="its folder is not in the commit")
            )
        began = time.monotonic()
        with self.log.open("wb") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**self.environment, "PWD": str(folder)},
                start_new_session=True,
            )
        try:
            reason = await self._wait(process, began)
        finally:
            await asyncio.shield(self._end(process))
        evidence = Evidence(
            command=command,
            commit=commit,
            exit_status=None if reason else process.returncode,
            output_tail=await asyncio.to_thread(tail_of, self.log),
            duration_ms=round((time.monotonic() - began) * 1000),
            reason=reason,
        )
        return Check(self._result(evidence), evidence)

    async def _wait(self, process: subprocess.Popen[bytes], began: float) -> str:
        """Wait for its end; else why it has to be ended."""
        while process.poll() is None:
            if is_insisted(self.stop):
                return _STOPPED
            if time.monotonic() - began > self.time_limit:
                return f"it took longer than {self.time_limit:g} s (verify_timeout)"
            if self.log.stat().st_size > OUTPUT_LIMIT:
                return f"it printed more than {OUTPUT_LIMIT} bytes"
            await asyncio.sleep(_POLL)
        return ""

    async def _end(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        await end_processes(self.session_id, 0)

    def _result(self, evidence: Evidence) -> Result:
        if evidence.reason == _STOPPED:
            return "not_judged"
        if evidence.exit_status == 0:
            return "passed"
        if evidence.exit_status in _NOT_STARTED and not self._has_program(evidence.command):
            return "cannot_run"
        return "failed"

    def _has_program(self, command: str) -> bool:
        """Whether each program that it begins with is one of this machine; one of the repository's own counts as one."""
        path = self.environment.get("PATH")
        return all("/" in word or shutil.which(word, path=path) for word in programs_of(command))


_STOPPED = "acd was asked to stop before it was done"


def programs_of(command: str) -> list[str]:
    """The programs that the parts of a command line begin with, but for the shell's own words; none where that cannot be told."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.wordchars += "$@%+:,{}[]!"
    try:
        words = list(lexer)
    except ValueError:  # a quote does not close
        return []
    programs, begins = [], True
    for word in words:
        if set(word) <= set("();&|"):
            begins = True
        elif begins and not (word in _KEYWORDS or _ASSIGNMENT.match(word)):
            begins = False
            if word not in _BUILTINS and "$" not in word:
                programs.append(word)
    return programs


def words_of(command: str) -> list[str]:
    """The words of a command line, as a shell parts them; as blanks part them where its quotes do not close."""
    try:
        return shlex.split(command, comments=True)
    except ValueError:
        return command.split()


def tail_of(log: Path) -> str:
    """The end of what a command printed: without secrets, fit to be stored."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _SEARCHED))
        text = file.read(_SEARCHED).decode(errors="replace")
    clean = storable(redact(text)).strip()
    return clean if len(clean) <= _TAIL else "…" + clean[-_TAIL + 1 :]
