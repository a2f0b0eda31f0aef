"""Where lines go: the stream on stdout, and one transcript a conversation under the agent's own folder."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import msgspec

from acd.testing.scripted_agent.wire import VERSION, Json

STDOUT = 1
_LONGEST_FOLDER = 200


def project_folder(config_dir: Path, cwd: str) -> Path:
    """Claude Code's folder for the history of a working directory: everything but letters and digits becomes `-`."""
    return config_dir / "projects" / re.sub(r"[^A-Za-z0-9]", "-", cwd)[:_LONGEST_FOLDER]


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`; `os.write` may be short."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class Subagent(msgspec.Struct, frozen=True):
    """Who a side chain is."""

    agent_id: str
    agent_type: str
    tool_use_id: str
    description: str


class Chain:
    """A conversation: the main one, or a subagent's. `context` is how many tokens of it are cached so far."""

    def __init__(self, transcript: Path, subagent: Subagent | None = None) -> None:
        transcript.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(transcript, flags, 0o600)
        self.subagent = subagent
        self.last_uuid: str | None = None
        self.context = 0

    def keep(self, line: Json) -> None:
        """Append a line to the transcript."""
        write_all(self._fd, msgspec.json.encode(line) + b"\n")

    def stream_fields(self) -> Json:
        """What the stream says of the conversation a line belongs to."""
        if self.subagent is None:
            return {"parent_tool_use_id": None}
        return {
            "parent_tool_use_id": self.subagent.tool_use_id,
            "agent_id": self.subagent.agent_id,
            "subagent_type": self.subagent.agent_type,
            "task_description": self.subagent.description,
        }


class Recorder:
    """Prints and keeps lines; their uuids follow from the session's id, so that a session can be played again."""

    def __init__(self, session_id: UUID, cwd: str, config_dir: Path, branch: str) -> None:
        self.session_id = str(session_id)
        self._namespace = session_id
        self._cwd = cwd
        self._branch = branch
        self._counter = 0
        self._folder = project_folder(config_dir, cwd)
        self.main = Chain(self._folder / f"{session_id}.jsonl")

    def side_chain(self, subagent: Subagent) -> Chain:
        """A subagent's conversation with its transcript."""
        name = f"agent-{subagent.agent_id}.jsonl"
        return Chain(self._folder / self.session_id / "subagents" / name, subagent)

    def next_uuid(self) -> str:
        """The next line's uuid."""
        self._counter += 1
        return str(uuid5(self._namespace, str(self._counter)))

    def print_raw(self, data: bytes) -> None:
        """Print bytes as they are."""
        write_all(STDOUT, data)

    def print(self, line: Json) -> None:
        """Print a line that belongs to no conversation."""
        named = {"session_id": self.session_id, "uuid": self.next_uuid()}
        self.print_raw(msgspec.json.encode(line | named) + b"\n")

    def keep(self, line: Json) -> None:
        """Keep a line of the main transcript that has no place in the chain of messages."""
        self.main.keep(line | {"sessionId": self.session_id})

    def message(self, chain: Chain, kept: Json, printed: Json | None) -> None:
        """Keep a line of a conversation and, unless None, print its counterpart, under one uuid."""
        uuid, now = self.next_uuid(), _now()
        line = {"parentUuid": chain.last_uuid, "isSidechain": chain.subagent is not None} | kept
        if chain.subagent is not None:
            line["agentId"] = chain.subagent.agent_id
            if kept["type"] == "assistant":
                line["attributionAgent"] = chain.subagent.agent_type
        chain.keep(line | {"uuid": uuid, "timestamp": now} | self._origin())
        chain.last_uuid = uuid
        if printed is not None:
            named = {"session_id": self.session_id, "uuid": uuid, "timestamp": now}
            self.print_raw(msgspec.json.encode(printed | chain.stream_fields() | named) + b"\n")

    def _origin(self) -> Json:
        return {
            "userType": "external",
            "entrypoint": "sdk-cli",
            "cwd": self._cwd,
            "sessionId": self.session_id,
            "version": VERSION,
            "gitBranch": self._branch,
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
