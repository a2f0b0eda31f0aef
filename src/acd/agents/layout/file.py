"""A file of an agent's history, as its name and place tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple


class HistoryFile(NamedTuple):
    """One file that an agent left.

    `agent_session_id`: the agent's own id of the session that it belongs to, where path or layout tell it; None: the first
    `AgentStarted` in it does, else the file's stem is taken. A store holds many sessions; its entries name them.
    `name` is the file as seen from its session, the same in every copy of the folder: keys of errors come from it.
    `left_out` says why it is not read and what to do, where its name alone tells that: it was packed, as `name` says,
    from a file of that name. It is never opened; one whose file was imported before it was packed lacks nothing.
    """

    path: Path
    name: str
    agent_session_id: str | None = None
    subagent: bool = False
    form: Literal["lines", "store"] = "lines"
    left_out: str | None = None
