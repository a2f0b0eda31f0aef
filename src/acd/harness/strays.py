"""Every process of a session, wherever it moved, by its mark; and the end of all of them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

import psutil

from acd.harness.environment import MARK
from acd.harness.process import is_alive

_POLL = 0.02
_LOOKS = 25
_KILL_PATIENCE = 10.0


def marked_processes(session_id: UUID) -> list[psutil.Process]:
    """Living processes that carry the session's mark in their environment, whatever their parent, group or session.

    Only a process that wiped its environment escapes; processes of other users cannot be looked into and are not ours.
    """
    return [process for process in psutil.process_iter() if _is_marked(process, str(session_id))]


def leader_of(processes: Iterable[psutil.Process]) -> psutil.Process | None:
    """The agent itself among a session's processes: the oldest that leads a process session."""
    leaders = [process for process in processes if _leads_session(process)]
    return min(leaders, key=lambda process: process.create_time(), default=None)


async def end_processes(session_id: UUID, grace: float) -> list[int]:
    """End every process of a session: TERM to their groups, KILL to what is left after `grace` seconds.

    Returns:
        Ids of processes that even KILL did not end in time (they hang in the kernel); empty when all is well.
    """
    if grace > 0 and await _signal_until_gone(session_id, signal.SIGTERM, grace):
        return []
    await _signal_until_gone(session_id, signal.SIGKILL, _KILL_PATIENCE)
    return [process.pid for process in marked_processes(session_id)]


async def _signal_until_gone(session_id: UUID, number: signal.Signals, patience: float) -> bool:
    """Signal once each process that shows up, until none is left; whether that came true in time."""
    deadline = time.monotonic() + patience
    signalled: set[psutil.Process] = set()
    while living := await _living(session_id):
        for group in {_group_of(process) for process in living - signalled} - {None, os.getpgrp()}:
            _signal_group(group, number)
        signalled |= living
        if time.monotonic() > deadline:
            return False
        await _watch_die(living)
    return True


async def _living(session_id: UUID) -> set[psutil.Process]:
    """The session's living processes. None must be true twice: a process that just calls exec shows no environment."""
    for _ in range(2):
        if living := set(marked_processes(session_id)):
            return living
        await asyncio.sleep(_POLL)
    return set()


async def _watch_die(living: set[psutil.Process]) -> None:
    """Wait until they are gone, for half a second at most: looking at a few is cheap, looking for all is not."""
    for _ in range(_LOOKS):
        await asyncio.sleep(_POLL)
        if not any(is_alive(process) for process in living):
            return


def _signal_group(group: int | None, number: signal.Signals) -> None:
    """A group of a marked process has only processes of that session in it: the agent began its own process session."""
    if group is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        os.killpg(group, signal.SIGCONT)  # one that was stopped could not act on TERM


def _is_marked(process: psutil.Process, value: str) -> bool:
    try:
        found: str | None = process.environ().get(MARK)
    except (psutil.Error, OSError):
        return False
    return found == value and is_alive(process)


def _leads_session(process: psutil.Process) -> bool:
    pid: int = process.pid
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def _group_of(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return None
