"""Records of a chat → events.

A message's id makes the key of its request: the message is written again whenever it grows, a compression writes all
that are left anew, and a chat of an old version is copied into a new file when it is resumed; each stays one request.
What was taken back (`$rewindTo`) has been paid for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from acd.agents.claude_like.content import TOOL_LIMIT, folder, name_of, said
from acd.agents.claude_like.lines import decode
from acd.agents.claude_like.usage import moment
from acd.agents.gemini.shapes import Message, Record, Tokens, ToolCall
from acd.core.errors import UnreadableLine
from acd.core.events import (
    AgentFailed,
    AgentStarted,
    Event,
    RequestSeen,
    TextSaid,
    ToolEnded,
    ToolUsed,
    Unrecognised,
)
from acd.core.models import Usage
from acd.core.text import excerpt

AGENT = "gemini-cli"

_RECORD = msgspec.json.Decoder(Record)
_MESSAGE = msgspec.json.Decoder(Message, strict=False)

_TELLING = ("command", "file_path", "path", "pattern", "query", "prompt", "url")
_OUTCOMES: dict[str, Literal["error", "denied"]] = {"error": "error", "cancelled": "denied"}
_NOT_COUNTED = frozenset({"user", "info", "warning"})


class ChatReader:
    """Reads the lines of one chat in their order.

    Args:
        session_id: the session that the file belongs to where its place tells it; else its head does.
        cwd: the project's folder, where the files beside it tell it.
        subagent: whose chat it is; None for the main one.
        told: texts and tools are wanted, too.
    """

    def __init__(
        self, session_id: str | None, cwd: str | None, *, subagent: str | None, told: bool
    ) -> None:
        self._session = session_id or ""
        self._fixed = session_id is not None
        self._cwd = cwd
        self._subagent = subagent
        self._told = told
        self._passed: datetime | None = None
        self._said: set[str] = (
            set()
        )  # messages and calls that are told: both are written again and again

    def read(self, line: bytes) -> list[Event]:
        """Events of one line; see `acd.agents.history.LineReader`.

        Raises:
            UnreadableLine: with a short reason.
        """
        record = decode(line, _RECORD)
        if isinstance(record, str):
            raise UnreadableLine("unexpected shape")
        if record is None or record.rewind_to is not None:
            return []
        if record.changes is not None:
            return self._changed(record)
        if record.id is not None:
            return self._message(_as_message(line))
        if record.session_id is not None:
            return [self.started(record.session_id, record.start_time, record.directories)]
        return [Unrecognised(line_type=name_of(record.type) or "(no type)")]

    def finish(self) -> list[Event]:
        """The time of the last line in which nothing was to count."""
        at, self._passed = self._passed, None
        return [AgentStarted(at=at, agent_session_id=self._session)] if at is not None else []

    def started(self, session_id: object, start: object, directories: object) -> AgentStarted:
        """Who the agent is, by the chat's head."""
        if not self._fixed:
            self._session = name_of(session_id) or self._session
        if self._cwd is None and isinstance(directories, list) and directories:
            self._cwd = folder(directories[0])
        return AgentStarted(at=moment(start), agent_session_id=self._session, cwd=self._cwd)

    def message(self, raw: msgspec.Raw) -> list[Event]:
        """Events of one message.

        Raises:
            UnreadableLine: with a short reason.
        """
        return self._message(_decoded(raw))

    def _changed(self, record: Record) -> list[Event]:
        changes = record.changes
        if changes is None:
            return []
        return [event for raw in changes.messages or () for event in self.message(raw)]

    def _message(self, message: Message) -> list[Event]:
        at = moment(message.timestamp)
        if message.type == "error":
            text = _text(message.content)
            return [AgentFailed(at=at, error_type="unknown", message=text or "error", output=text)]
        if message.type == "gemini":
            counted = self._request(at, message)
            said_and_done = self._answer(at, message) if self._told else []
        elif name_of(message.type) in _NOT_COUNTED:
            counted = []
            said_and_done = self._prompt(at, message) if self._told else []
        else:
            return [Unrecognised(at=at, line_type=name_of(message.type) or "(no type)")]
        self._passed = None if counted else at
        return [*counted, *said_and_done]

    def _request(self, at: datetime | None, message: Message) -> list[Event]:
        name = name_of(message.id)
        if message.tokens is None or not name:
            return []
        return [
            RequestSeen(
                at=at,
                request_key=f"{AGENT}:{name}",
                model=name_of(message.model) or "unknown",
                usage=usage_of(message.tokens),
                tools=[name_of(call.name) for call in message.tool_calls or ()],
                subagent=self._subagent,
            )
        ]

    def _prompt(self, at: datetime | None, message: Message) -> list[Event]:
        text = self._new_text(message) if message.type == "user" else ""
        if not text or text.startswith("<session_context>"):
            return []  # what the agent itself says to the model, or a tool's result: its call tells it
        return [TextSaid(at=at, role="user", text=text, subagent=self._subagent)]

    def _answer(self, at: datetime | None, message: Message) -> list[Event]:
        events: list[Event] = []
        text = self._new_text(message)
        if text:
            events.append(TextSaid(at=at, role="agent", text=text, subagent=self._subagent))
        for call in message.tool_calls or ():
            if self._is_new(f"call {name_of(call.id)}"):
                events += self._call(at, call)
        return events

    def _new_text(self, message: Message) -> str:
        text = _text(message.content)
        return text if text and self._is_new(f"text {name_of(message.id)}") else ""

    def _is_new(self, name: str) -> bool:
        if name in self._said:
            return False
        self._said.add(name)
        return True

    def _call(self, at: datetime | None, call: ToolCall) -> list[Event]:
        name = name_of(call.id)
        shown = call.result_display if isinstance(call.result_display, str) else ""
        return [
            ToolUsed(
                at=at,
                tool_use_id=name,
                name=name_of(call.name),
                text=_telling(call.args),
                subagent=self._subagent,
            ),
            ToolEnded(
                at=moment(call.timestamp) or at,
                tool_use_id=name,
                outcome=_outcome(call.status),
                text=excerpt(shown, TOOL_LIMIT),
                subagent=self._subagent,
            ),
        ]


def usage_of(tokens: Tokens) -> Usage:
    """Usage of one request: input less what came from the cache, output with its thoughts."""
    cached, thoughts = tokens.cached or 0, tokens.thoughts or 0
    return Usage(
        input_tokens=max((tokens.input or 0) - cached, 0) + (tokens.tool or 0),
        output_tokens=(tokens.output or 0) + thoughts,
        cache_read_tokens=cached,
        reasoning_tokens=thoughts,
    )


def _as_message(line: bytes) -> Message:
    found = decode(line, _MESSAGE)
    if not isinstance(found, Message):
        raise UnreadableLine("unexpected shape")
    return found


def _decoded(raw: msgspec.Raw) -> Message:
    try:
        return _MESSAGE.decode(raw)
    except msgspec.ValidationError as error:
        raise UnreadableLine(f"unexpected shape: {error}") from None
    except RecursionError:
        raise UnreadableLine("nested too deeply") from None


def _text(content: object) -> str:
    if isinstance(content, str):
        return said(content)
    parts = content if isinstance(content, list) else [content]
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return next((said(text) for text in texts if isinstance(text, str)), "")


def _telling(args: object) -> str:
    if not isinstance(args, dict):
        return ""
    values = (args.get(name) for name in _TELLING)
    found = next((value for value in values if isinstance(value, str) and value), "")
    return excerpt(found, TOOL_LIMIT)


def _outcome(status: object) -> Literal["ok", "error", "denied"]:
    return _OUTCOMES.get(status, "ok") if isinstance(status, str) else "ok"
