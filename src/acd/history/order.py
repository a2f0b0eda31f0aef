"""In which order files are imported, and which of them at the same time by several processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from acd.history.looking import Found

Share = list[Found]
"""Files that one process imports, one after the other."""

Sessions = Mapping[Path, str | None]
"""Whose session each file is of, as far as that is known."""


def in_order(changed: Sequence[Found], sessions: Sessions) -> list[Found]:
    """A session's files together, its main one first, sessions of one folder together; those of unknown sessions last."""
    folders: dict[str | None, str] = {}
    for one in changed:
        file, session = one.file, sessions[one.file.path]
        folder = str(file.path.parent)
        if not file.subagent or session not in folders:
            folders[session] = folder

    def place(found: Found) -> tuple[bool, str, str, bool, str]:
        file, session = found.file, sessions[found.file.path]
        return (session is None, folders[session], session or "", file.subagent, str(file.path))

    return sorted(changed, key=place)


def stages_of(
    ordered: Sequence[Found], sessions: Sessions, *, processes: int, many_bytes: int
) -> list[list[Share]]:
    """What is imported at the same time, and what after it.

    Much of one agent's is shared out, whole sessions in their order, so that two processes rarely meet in one target. Of
    different agents nothing is: whose session is first in a folder says whose target it becomes. Nor are files that
    do not tell whose session they are of: where it belongs is settled by those that do.

    Args:
        ordered: as `in_order` has them.
        sessions: whose they are.
        processes: at most so many shares at a time.
        many_bytes: from so many bytes on a process more pays.

    Returns:
        Stages, one after the other, each of at least one share.
    """
    by_agent: dict[str, Share] = {}
    for one in ordered:
        if sessions[one.file.path] is not None:
            by_agent.setdefault(one.history.name, []).append(one)
    stages: list[list[Share]] = []
    for share in by_agent.values():
        count = min(processes, size_of(share) // max(many_bytes, 1))
        _append(stages, shares_of(share, sessions, count))
    if rest := [one for one in ordered if sessions[one.file.path] is None]:
        _append(stages, [rest])
    return stages


def shares_of(ordered: Share, sessions: Sessions, count: int) -> list[Share]:
    """About equal shares by bytes, cut between sessions; fewer than `count` where there are fewer sessions, one at least."""
    shares: list[Share] = [[]]
    size, before = size_of(ordered), 0
    for place, one in enumerate(ordered):
        is_border = place and sessions[one.file.path] != sessions[ordered[place - 1].file.path]
        if is_border and before * count >= size * len(shares) and len(shares) < count:
            shares.append([])
        shares[-1].append(one)
        before += one.waiting
    return shares


def _append(stages: list[list[Share]], shares: list[Share]) -> None:
    """As a stage of its own, but two stages of one share are one."""
    if len(shares) > 1 or not stages or len(stages[-1]) > 1:
        stages.append(shares)
    else:
        stages[-1][0] += shares[0]


def size_of(files: Sequence[Found]) -> int:
    """Bytes to read, about."""
    return sum(one.waiting for one in files)
