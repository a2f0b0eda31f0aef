"""What acd needs to know of the history that an agent keeps in its own folders: the extension surface of `acd import`.

A history is an object that fits `History`, registered under the entry point group `acd.histories` by the agent's name.
It starts no process and knows no database; files are only ever opened for reading. An agent may have a history
without an adapter, and the other way round.

Two kinds of files are told apart by `HistoryFile.form`:

    lines   one JSON document a line, appended to: read by a `LineReader` from a remembered offset. Everything but the
            last line without its end is read; the importer counts lines, and those left out with the reason.
    store   a database, or a document that is written anew: read by `History.entries`, entry by entry, each with a
            key that stays the same however often it is read.

What is imported of an event (the rules are those of `core/events.py`):

    AgentStarted   where the session is: `cwd`, `branch`, `agent_version`, `model` hold until the next one of the same
                   file. A reader yields one with the first line that tells any of them and at each change. Of a file
                   whose `agent_session_id` is None, the first one names the session.
    RequestSeen    a ledger row. `request_key` begins with the agent's name and is the same wherever the same answer of
                   the model is met again: in another file, a fork, a resumed session's copy. Of several snapshots the
                   greatest counts. Tokens are normalised (`core/models.py`, Usage): input without what was cached.
    Reported       running totals of the agent, by which the ledger balances. Not for sums of the very requests that
                   the same file tells.
    Retried, AgentFailed, PermissionDenied   errors.
    TextSaid, ToolUsed, ToolEnded, …   the timeline: wanted only where `told`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from acd.agents.layout.file import HistoryFile
from acd.core.events import Event
from acd.core.settings import Settings

__all__ = ["Entry", "History", "HistoryFile", "LineReader"]


class Entry(msgspec.Struct, frozen=True):
    """One thing in a store. `key` names it for ever within its store.

    `events` are all that it tells; empty with a `left_out` that says why it could not be read. `mark` is how far the
    store has been read with it: handed back to `entries` as `after` when the store has changed. `of_session`: how many
    entries the store holds of this session now; a store without marks need not tell it, all of them are given.
    """

    key: str
    agent_session_id: str
    events: list[Event]
    left_out: str | None = None
    mark: str = ""
    of_session: int = 0


class LineReader(Protocol):
    """Reads the lines of one file in their order; may keep what it needs to understand the next one."""

    def read(self, line: bytes) -> list[Event]:
        """Events of one line (without its line end; never longer than `acd.files.lines.LONGEST_LINE`, never blank).

        Where nothing is `told`, lines that hold nothing to count may be passed over unread, to save the time.

        Raises:
            UnreadableLine: with a short reason that does not quote the line.
        """
        ...

    def finish(self) -> list[Event]:
        """Called when the lines that are there now are read: what they still owe; more lines may come later.

        When a session ended is told by its last line, whatever that holds: of the last one that was passed over an
        `AgentStarted` with its time is due here. The first line that tells a time is never passed over.
        """
        ...


class History(Protocol):
    """The history of one agent. All methods depend on their arguments and the file system only."""

    name: str
    """The agent, as in the column `agent`: `claude-code`, `codex`."""

    provider: str
    """Provider id of genai-prices under which its models are priced where the model's name does not tell."""

    from_anywhere: bool
    """Whether a reader may begin in the middle of a file. Where not, the importer feeds it the lines before, and
    drops their events."""

    def roots(self, settings: Settings, environ: Mapping[str, str]) -> list[Path]:
        """Folders in which this agent keeps history on this machine, those that are there or could be."""
        ...

    def files(self, root: Path) -> Iterable[HistoryFile]:
        """Its files at or below a folder or file (one of `roots`, or what the user named), in a stable order.

        Called at every import, so by names and layout alone: nothing is opened. Files of other agents are not its own.
        A folder that may not be read or vanishes meanwhile is passed over. Symbolic links to files are not followed.
        """
        ...

    def reader(self, file: HistoryFile, *, told: bool) -> LineReader:
        """A reader for a file of lines.

        Args:
            file: one of `files`.
            told: what was said and done is wanted, too (the timeline); else only what counts.
        """
        ...

    def entries(
        self, file: HistoryFile, after: str, *, told: bool, only: str | None = None
    ) -> Iterable[Entry]:
        """The entries of a store that came or changed after a mark (all of them after ""), oldest first.

        Reading one again that was read before does no harm. An agent that has no stores gives none. `only`: of this
        session alone, where the store can tell them without reading the others; else whoever asks chooses.

        Raises:
            UnreadableLine: the store as a whole cannot be read (damaged, locked, of an unknown version).
        """
        ...
