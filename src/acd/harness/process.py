"""The agent's process: started by us, or found alive after the harness that had started it died."""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil

from acd.core.errors import AgentMissing
from acd.files.folder import SessionFolder

_PR_SET_DUMPABLE = 4
_DYING = 5.0
_POLL = 0.02


class AgentProcess(Protocol):
    """An agent that runs, or did."""

    pid: int
    """Its process id, and the id of its process group and session."""

    def exited(self) -> bool:
        """Whether it is gone; a zombie is."""
        ...

    @property
    def exit_code(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs or when nobody can know."""
        ...


class ChildProcess:
    """An agent that we started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self.created: float = psutil.Process(process.pid).create_time()

    def exited(self) -> bool:
        """Whether it is gone; this also reaps it."""
        return self._process.poll() is not None

    @property
    def exit_code(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._process.poll()


class FoundProcess:
    """An agent whose parent died; its exit status cannot be had (facts/claude-code.md, section 8)."""

    exit_code: int | None = None

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.pid: int = process.pid

    def exited(self) -> bool:
        """Whether it is gone; a zombie is."""
        return not is_alive(self._process)


def start_process(
    argv: Sequence[str],
    folder: SessionFolder,
    workspace: Path,
    environment: Mapping[str, str],
    *,
    keep_open: Sequence[int] = (),
) -> ChildProcess:
    """Start an agent: in a process session of its own, without input, its output appended to the folder's files.

    Args:
        argv: the agent's command line.
        folder: where `stream.jsonl` and `stderr.log` are.
        workspace: its working directory.
        environment: all of its environment.
        keep_open: file descriptors that it inherits, so that it holds the locks on them as long as it lives.

    Raises:
        AgentMissing: the program or the workspace is not there, or may not be used.
        OSError: the machine cannot start it now.
    """
    with folder.stream.open("ab") as stream, folder.stderr.open("ab") as stderr:
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stderr,
                cwd=workspace,
                env=dict(environment),
                start_new_session=True,
                pass_fds=list(keep_open),
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise AgentMissing(f"{argv[0]} cannot be started in {workspace}: {error}") from error
    return ChildProcess(process)


async def exit_code_of(process: AgentProcess) -> int | None:
    """Exit status of an agent that is dead or dying; None when nobody can know.

    A program with several threads looks dead as soon as its first one is, but has no status before its last one is
    gone (seen with Claude Code after TERM).
    """
    deadline = time.monotonic() + _DYING
    while not process.exited() and time.monotonic() < deadline:
        await asyncio.sleep(_POLL)
    return process.exit_code


def is_alive(process: psutil.Process) -> bool:
    """Whether the process still does something. Where process 1 does not reap, the dead stay as zombies."""
    try:
        return process.is_running() and process.status() not in {
            psutil.STATUS_ZOMBIE,
            psutil.STATUS_DEAD,
        }
    except psutil.NoSuchProcess:
        return False


def hide_from_children() -> None:
    """Keep other processes of the same user from reading this one's memory and environment (Linux; else nothing).

    Raises:
        OSError: the kernel refuses.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
