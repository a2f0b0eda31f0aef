"""Session folders as Claude Code 2.1.330 leaves them, generated: the same seed gives the same bytes.

The mix is that of recorded sessions (tests/data/claude-code) with results of the size that real work has: a stream line
and a transcript line for every block of a reply and every tool result, tool results twice in a transcript line (`message` and
`toolUseResult`), attachments and bookmarks between them. One request has about 9 kB of stream and transcript together.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from acd.core.facts import Ended, Started
from acd.core.models import Target
from acd.files.folder import SessionFolder
from acd.testing.prices import Tokens
from acd.testing.scripted_agent.wire import (
    Assistant,
    Spent,
    model_usage,
    stream_message,
    transcript_message,
)

MODEL = "claude-opus-5-5"
CWD = "/srv/shop"
BEGIN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

_WORDS = (
    *("the", "value", "of", "each", "order", "is", "checked", "before", "it", "was", "written"),
    *("def", "async", "return", "await", "self", "import", "from", "class", "for", "in", "not"),
    *("src/shop/orders.py", "tests/test_orders.py", "assert", "==", "42", "path=/srv/shop"),
)
# Most text is ASCII without a word that a search for secrets stops at.
_OTHER_WORDS: tuple[tuple[tuple[str, ...], int], ...] = (
    ((), 14),
    (("über", "naïve", "—", "注文", "✓"), 5),
    (("API_TOKEN=", "KEY"), 1),
)
_MEDIAN_RESULT = 2500
_SPREAD = 1.0
_LARGEST_RESULT = 60_000

Json = dict[str, Any]


@dataclass
class History:
    """Writes the lines of one session, request by request."""

    session_id: UUID
    seed: int = 0
    _number: int = 0
    _spent: Spent = field(default_factory=Spent)
    at: datetime = BEGIN

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed} {self.session_id}")
        self._texts = [
            " ".join(self._chance.choices([*_WORDS, *others], k=20_000))
            for others, share in _OTHER_WORDS
            for _ in range(share)
        ]

    def opening(self) -> tuple[list[Json], list[Json]]:
        """The first lines of stream and transcript."""
        prompt = {"role": "user", "content": self._words(2000)}
        stream = {
            "type": "system",
            "subtype": "init",
            "cwd": CWD,
            "model": MODEL,
        } | self._stream_ids()
        transcript = {"parentUuid": None, "type": "user", "message": prompt} | self._ids()
        return [stream], [transcript, *self._bookmarks()]

    def request(self) -> tuple[list[Json], list[Json]]:
        """Lines of one request: a thought in every third, a tool's call, the tool's result."""
        self._number += 1
        self.at += timedelta(milliseconds=self._chance.randint(900, 9000))
        said = self._said()
        call_id = f"toolu_{self.session_id.hex[:8]}{self._number:06}"
        blocks: list[Json] = [self._call(call_id)]
        if self._number % 3 == 0:
            blocks.insert(0, {"type": "text", "text": self._words(300)})
        stream: list[Json] = []
        transcript: list[Json] = []
        for block in blocks:
            stream.append(
                {
                    "type": "assistant",
                    "message": stream_message(said, block),
                    "parent_tool_use_id": None,
                    "request_id": said.request_id,
                }
                | self._stream_ids()
            )
            transcript.append(
                {"type": "assistant", "message": transcript_message(said, block)}
                | {"requestId": said.request_id, "requestedModel": MODEL, "effort": "medium"}
                | self._ids()
            )
        self._add_result(call_id, stream, transcript)
        if self._number % 5 == 0:
            transcript.extend(self._bookmarks())
        return stream, transcript

    def requests(self, count: int) -> tuple[list[Json], list[Json]]:
        """Lines of `count` requests."""
        parts = [self.request() for _ in range(count)]
        return [line for part in parts for line in part[0]], [
            line for part in parts for line in part[1]
        ]

    def closing(self) -> tuple[list[Json], list[Json]]:
        """The last lines: the final report."""
        models = {MODEL: self._spent}
        result = {
            "type": "result",
            "subtype": "success",
            "is_error": False,
            "result": self._words(400),
            "num_turns": self._number,
            "duration_ms": 1_000_000,
            "duration_api_ms": 900_000,
            "total_cost_usd": 1.5,
            "modelUsage": model_usage(models, full=True),
        }
        state = {"type": "cost-state", "modelUsage": model_usage(models, full=False)}
        return [result | self._stream_ids()], [state | {"sessionId": str(self.session_id)}]

    def _said(self) -> Assistant:
        chance = self._chance
        tokens = Tokens(
            input_tokens=chance.randint(1, 900),
            output_tokens=chance.randint(20, 4000),
            cache_read_tokens=chance.randint(10_000, 150_000),
            cache_write_5m_tokens=chance.randint(0, 9000),
        )
        self._spent.tokens += tokens
        name = f"{self.session_id.hex[:8]}{self._number:06}"
        return Assistant(f"msg_{name}", f"req_{name}", MODEL, tokens, "tool_use")

    def _call(self, call_id: str) -> Json:
        if self._number % 2:
            given = {"command": f"pytest -q tests/test_{self._number}.py", "description": "Test"}
            return {"type": "tool_use", "id": call_id, "name": "Bash", "input": given}
        given = {"file_path": f"{CWD}/src/f{self._number}.py", "content": self._words(1500)}
        return {"type": "tool_use", "id": call_id, "name": "Write", "input": given}

    def _add_result(self, call_id: str, stream: list[Json], transcript: list[Json]) -> None:
        size = int(self._chance.lognormvariate(0, _SPREAD) * _MEDIAN_RESULT)
        text = self._words(min(size, _LARGEST_RESULT))
        block = {"type": "tool_result", "tool_use_id": call_id, "content": text}
        message = {"role": "user", "content": [block]}
        decision = {"decision": "accept", "source": "config"}
        stream.append(
            {"type": "user", "message": message, "parent_tool_use_id": None}
            | {"tool_use_result": {"stdout": text, "stderr": "", "interrupted": False}}
            | {"tool_result_meta": [{"id": call_id, "permission_decision": decision}]}
            | self._stream_ids()
        )
        transcript.append(
            {"type": "user", "message": message}
            | {"toolUseResult": {"stdout": text, "stderr": "", "interrupted": False}}
            | {"permissionDecision": decision}
            | self._ids()
        )

    def _bookmarks(self) -> list[Json]:
        own = {"sessionId": str(self.session_id)}
        reminder = {"type": "text_reminder", "content": self._words(400)}
        return [
            {"type": "attachment", "attachment": reminder} | self._ids(),
            {"type": "last-prompt", "lastPrompt": self._words(100)} | own,
            {"type": "atis-latch", "atis": ""} | own,
        ]

    def _words(self, size: int) -> str:
        text = self._chance.choice(self._texts)
        start = self._chance.randrange(len(text) - size)
        return text[start : start + size]

    def _uuid(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128), version=4))

    def _time(self) -> str:
        return self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _stream_ids(self) -> Json:
        return {
            "session_id": str(self.session_id),
            "uuid": self._uuid(),
            "timestamp": self._time(),
        }

    def _ids(self) -> Json:
        return {
            "parentUuid": self._uuid(),
            "isSidechain": False,
            "uuid": self._uuid(),
            "timestamp": self._time(),
            "userType": "external",
            "entrypoint": "sdk-cli",
            "cwd": CWD,
            "sessionId": str(self.session_id),
            "version": "2.1.330",
            "gitBranch": "main",
        }


def begin_session(
    sessions: Path, session_id: UUID, *, repo_id: str = "shop", number: int = 1
) -> SessionFolder:
    """A session's folder whose journal holds its first fact."""
    folder = SessionFolder(sessions / str(session_id))
    folder.create()
    folder.journal.append(
        Started(
            at=BEGIN,
            session_id=session_id,
            target=Target(repo_id=repo_id, name=repo_id.title(), path=f"/srv/{repo_id}"),
            session_number=number,
            session_type="coding",
            origin="harness",
            agent="claude-code",
            model="opus",
            host="bench",
        )
    )
    return folder


def write_session(sessions: Path, session_id: UUID, size: int) -> SessionFolder:
    """A whole session with about `size` bytes of stream and transcript together."""
    folder = begin_session(sessions, session_id)
    history = History(session_id)
    append(folder, *history.opening())
    while folder.stream.stat().st_size + transcript_of(folder).stat().st_size < size:
        append(folder, *history.requests(50))
    append(folder, *history.closing())
    folder.journal.append(Ended(at=history.at, status="completed", duration_ms=1))
    return folder


def append(folder: SessionFolder, stream: list[Json], transcript: list[Json]) -> None:
    """Append lines to a session's files, as its agent would."""
    for path, lines in ((folder.stream, stream), (transcript_of(folder), transcript)):
        with path.open("ab") as file:
            file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def transcript_of(folder: SessionFolder) -> Path:
    """The session's main transcript."""
    return folder.transcripts / f"{folder.path.name}.jsonl"
