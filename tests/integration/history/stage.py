"""A stage for imports: transcripts written by hand, histories read from where a test put them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from acd.agents.claude_code import HISTORY
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.history.done import Imported
from acd.history.importing import Importer
from acd.ledger.price import PriceList

PRICES = PriceList()
OPUS = "claude-opus-5-5"


def session_name(number: int) -> str:
    """An agent's session id that comes from a number."""
    return str(UUID(int=number, version=4))


class Transcript:
    """Writes one transcript, line by line. `cwd` and `branch` are what further lines tell."""

    def __init__(
        self, path: Path, session: str, *, cwd: str | None = "/srv/shop", branch: str = "main"
    ) -> None:
        self.path = path
        self.session = session
        self.cwd = cwd
        self.branch = branch
        self.subagent: str | None = None
        path.parent.mkdir(parents=True, exist_ok=True)

    def line(self, kind: str, at: int, **fields: Any) -> Transcript:  # noqa: ANN401
        """Any line; `at` is seconds after eight o'clock."""
        hours, rest = divmod(at, 3600)
        time = (
            f"2026-11-{20 + hours // 16:02}T{8 + hours % 16:02}:{rest // 60:02}:{rest % 60:02}.000Z"
        )
        place: dict[str, Any] = {
            "timestamp": time,
            "cwd": self.cwd,
            "sessionId": self.session,
            "version": "2.1.330",
            "gitBranch": self.branch,
            "uuid": f"{self.path.stem}-{at}-{fields.get('n', 0)}",
        }
        if self.subagent:
            place |= {"isSidechain": True, "agentId": self.subagent}
        document = {"parentUuid": None, "type": kind} | fields | place
        return self.raw(json.dumps(document, separators=(",", ":")).encode() + b"\n")

    def raw(self, data: bytes) -> Transcript:
        """Bytes as they are."""
        with self.path.open("ab") as file:
            file.write(data)
        return self

    def says(self, at: int, text: str = "please") -> Transcript:
        """A prompt."""
        return self.line("user", at, message={"role": "user", "content": text})

    def asks(
        self,
        at: int,
        message_id: str | None,
        *,
        output: int = 10,
        model: str = OPUS,
        tool: str | None = None,
        usage: dict[str, Any] | None = None,
        **fields: Any,  # noqa: ANN401
    ) -> Transcript:
        """A request's answer."""
        content = [{"type": "tool_use", "id": f"t{at}", "name": tool, "input": {}}] if tool else []
        spent = usage or {
            "input_tokens": 100,
            "output_tokens": output,
            "cache_read_input_tokens": 1000,
            "cache_creation_input_tokens": 50,
        }
        message = {"id": message_id, "role": "assistant", "model": model, "content": content}
        return self.line("assistant", at, message=message | {"usage": spent}, **fields)


def claude(folder: Path) -> Path:
    """Where a Claude folder keeps its projects."""
    return folder / "projects"


async def import_from(database: Database, settings: Settings, folders: Iterable[Path]) -> Imported:
    """Import Claude Code's history from some folders or files."""
    return await Importer(database, settings, PRICES).run([(HISTORY, list(folders))])
