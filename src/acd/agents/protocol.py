"""What acd needs to know of an agent: the whole extension surface.

An adapter is an object that fits `Adapter`, registered under the entry point group `acd.agents` by its name.
It starts no process and knows no database. Check yours with `acd.testing.conformance`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from uuid import UUID

import msgspec

from acd.core.events import Event
from acd.core.models import SessionType
from acd.core.permissions import Permissions
from acd.core.settings import Settings


class Binary(msgspec.Struct, frozen=True):
    """An agent's program: how to call it, and its version where it tells one."""

    argv: list[str]
    version: str | None = None


class Launch(msgspec.Struct, frozen=True):
    """Everything that a command line is made from. `model` is the name to hand to the agent (a family alias or full)."""

    session_id: UUID
    session_type: SessionType
    prompt: str
    model: str
    workspace: Path
    session_dir: Path
    fallback_model: str | None = None
    budget_usd: float | None = None
    max_turns: int | None = None
    permissions: Permissions = Permissions()


class Adapter(Protocol):
    """One agent. All methods but `find` are pure functions of their arguments and of the file system's state."""

    name: str
    """As in the column `agent`, the queue file's `agent` and the entry point: `claude-code`."""

    provider: str
    """Provider id of genai-prices under which the models of this agent are priced: `anthropic`."""

    environment_names: tuple[str, ...]
    """Names (or prefixes ending in `*`) of environment variables that this agent may inherit, beyond the common ones."""

    minimum_version: str | None
    """The oldest version whose output can be read (`2.1.197`); None when its version need not be asked for."""

    own_settings: tuple[str, ...]
    """Files of a repository by which it could make this agent do more than work: settings, hooks, servers. Patterns as
    for `fnmatch`, relative to a repository's folder; one that begins with `!` takes files out again."""

    def find(self, settings: Settings) -> Binary:
        """The program on this machine, located only: no process is started, so `version` may still be None.

        Whoever may start processes runs `[*argv, "--version"]` and hands its output to `acd.agents.version.checked`.

        Raises:
            AgentMissing: with what to install.
        """
        ...

    def parse_version(self, text: str) -> str | None:
        """The version in what the program's `--version` printed; None when there is none."""
        ...

    def command(self, binary: Binary, launch: Launch, settings: Settings) -> list[str]:
        """The argument vector that starts a session; the prompt is in it, stdin stays closed."""
        ...

    def session_files(self, launch: Launch, settings: Settings) -> Mapping[str, bytes]:
        """Files that the command line names, to be written into `launch.session_dir` before the agent starts, by name."""
        ...

    def environment(self, launch: Launch, settings: Settings) -> Mapping[str, str]:
        """Variables to set for the agent beside those it inherits by allow-list."""
        ...

    def transcripts(self, agent_session_id: str, workspace: Path, settings: Settings) -> list[Path]:
        """Files that the agent itself has written about this session so far, the main one first."""
        ...

    def read_stream(self, line: bytes) -> list[Event]:
        """Events of one line of the agent's stdout (without its line end).

        Raises:
            UnreadableLine: with a short reason.
        """
        ...

    def read_transcript(self, line: bytes, *, mirror: bool = False) -> list[Event]:
        """Events of one line of such a file; same rules.

        Args:
            line: without its end.
            mirror: the same session's stream is read, too, and tells what was said and done: only what counts is
                wanted (requests, reports, who the agent is, failures), the rest may be left out to save the time.
        """
        ...
