"""Records of a chat → events.

A request is told by up to two records: a `system` record `ui_telemetry` with what the API answered, and the model's
message with the same tokens. The requests of subagents and of those that Qwen Code itself sets to work beside the
conversation (keeping memory) are told by telemetry alone. Whichever of a request's records comes first makes its key by its own id;
a branch copies records with their ids (`forkSession` in qwen-code's source), so copies are the same requests.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from hashlib import sha256

import msgspec

from acd.agents.claude_like.content import folder, name_of, optional_name
from acd.agents.claude_like.lines import decode
from acd.agents.claude_like.usage import moment
from acd.agents.copies import as_copy
from acd.agents.qwen.shapes import Record, UiEvent, UsageMetadata
from acd.agents.qwen.told import called_tools, told_events
from acd.core.errors import UnreadableLine
from acd.core.events import AgentStarted, Event, RequestSeen, Unrecognised
from acd.core.models import Usage

AGENT = "qwen-code"

_RECORD = msgspec.json.Decoder(Record, strict=False)
_KNOWN = frozenset({"user", "assistant", "tool_result", "system"})
_ANSWERED = ".api_response"

# How many requests may lie between a request's two records: those of subagents that work at the same time.
_BETWEEN = 64

_Place = tuple[object, object, object, object]
_Tokens = tuple[int, int, int]


class ChatReader:
    """Reads the lines of one chat in their order.

    Args:
        session_id: the session that the file is named after.
        told: texts and tools are wanted, too.
    """

    def __init__(self, session_id: str, *, told: bool) -> None:
        self._session = session_id
        self._told = told
        self._place: _Place | None = None
        self._passed: datetime | None = None
        self._telemetry: deque[tuple[_Tokens, str]] = deque(maxlen=_BETWEEN)
        self._messages: deque[tuple[_Tokens, str]] = deque(maxlen=_BETWEEN)

    def read(self, line: bytes) -> list[Event]:
        """Events of one line; see `acd.agents.history.LineReader`.

        Raises:
            UnreadableLine: with a short reason.
        """
        record = decode(line, _RECORD)
        if isinstance(record, str):
            raise UnreadableLine("unexpected shape")
        if record is None:
            return []
        kind = name_of(record.type)
        if kind not in _KNOWN:
            return [Unrecognised(line_type=kind or "(no type)")]
        at = moment(record.timestamp)
        if record.forked_from is not None:
            at = as_copy(at)
        events = [*self._moved(record, at), *self._requests(record, at, line)]
        if self._told:
            events += told_events(record, at)
        self._passed = None if events else at
        return events

    def finish(self) -> list[Event]:
        """The time of the last line in which nothing was to count."""
        at, self._passed = self._passed, None
        return [AgentStarted(at=at, agent_session_id=self._session)] if at is not None else []

    def _moved(self, record: Record, at: datetime | None) -> list[Event]:
        """Where the session is, with the first line that tells it and wherever it changes."""
        place = (record.session_id, record.version, record.cwd, record.git_branch)
        if place == self._place:
            return []
        self._place = place
        return [
            AgentStarted(
                at=at,
                agent_session_id=self._session,
                agent_version=optional_name(record.version),
                cwd=folder(record.cwd),
                branch=optional_name(record.git_branch),
            )
        ]

    def _requests(self, record: Record, at: datetime | None, line: bytes) -> list[Event]:
        event = record.system_payload.ui_event if record.system_payload else None
        own = f"{AGENT}:{name_of(record.uuid) or sha256(line.strip()).hexdigest()}"
        if record.type == "system" and event is not None:
            if not name_of(event.name).endswith(_ANSWERED):
                return []
            seen = _telemetry_usage(event)
            subagent = optional_name(event.subagent_name)
            key = own
            if subagent is None:  # no message of a subagent's stands in its session's chat
                key = _paired(_tokens(seen), own, self._messages, self._telemetry)
            return [
                RequestSeen(
                    at=at,
                    request_key=key,
                    model=name_of(event.model) or "unknown",
                    usage=usage_of(seen),
                    request_id=optional_name(event.response_id),
                    subagent=subagent,
                )
            ]
        if record.type == "assistant" and record.usage_metadata is not None:
            seen = record.usage_metadata
            key = _paired(_tokens(seen), own, self._telemetry, self._messages)
            return [
                RequestSeen(
                    at=at,
                    request_key=key,
                    model=name_of(record.model) or "unknown",
                    usage=usage_of(seen),
                    tools=called_tools(record),
                )
            ]
        return []


def usage_of(seen: UsageMetadata) -> Usage:
    """Usage of one request: input less what came from the cache, output with its thoughts."""
    prompt, cached = seen.prompt_token_count or 0, seen.cached_content_token_count or 0
    output, thoughts = seen.candidates_token_count or 0, seen.thoughts_token_count or 0
    outside = thoughts > 0 and seen.total_token_count == prompt + output + thoughts
    output += thoughts if outside else 0
    return Usage(
        input_tokens=max(prompt - cached, 0),
        output_tokens=output,
        cache_read_tokens=cached,
        reasoning_tokens=min(thoughts, output),
    )


def _telemetry_usage(event: UiEvent) -> UsageMetadata:
    return UsageMetadata(
        prompt_token_count=event.prompt,
        candidates_token_count=event.output,
        cached_content_token_count=event.cached,
        thoughts_token_count=event.thoughts,
        total_token_count=event.total,
    )


def _tokens(seen: UsageMetadata) -> _Tokens:
    return (
        seen.prompt_token_count or 0,
        seen.candidates_token_count or 0,
        seen.cached_content_token_count or 0,
    )


def _paired(
    tokens: _Tokens,
    own: str,
    others: deque[tuple[_Tokens, str]],
    waiting: deque[tuple[_Tokens, str]],
) -> str:
    """The key of the other record of the same request where it was read before, else this one's own."""
    for pair in others:
        if pair[0] == tokens:
            others.remove(pair)
            return pair[1]
    waiting.append((tokens, own))
    return own
