"""Lines of a transcript as history: where each was said comes with it, and what holds nothing to count is passed over.

Tool results make up most of a history's bytes and hold no usage. A line that is one for certain (its first keys say so)
is not decoded: reading 1 GB takes 1.1 s instead of 2.7 s (facts/peers.md).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from acd.agents.claude_like import shapes
from acd.agents.claude_like.content import folder, name_of, optional_name
from acd.agents.claude_like.lines import decode
from acd.agents.claude_like.messages import assistant_events, user_events
from acd.agents.claude_like.quick import QuickLine, request_of
from acd.agents.claude_like.reports import cost_state_events
from acd.agents.claude_like.system import transcript_system_events
from acd.agents.claude_like.usage import moment
from acd.core.errors import UnreadableLine
from acd.core.events import AgentStarted, Event, RequestSeen, Unrecognised

# What begins a user's line, and how far into the line it is looked for.
_USER = b'"type":"user","message":{"role":"user"'
_WITHIN = 800


class PastAssistant(shapes.TranscriptAssistant, tag="assistant", rename="camel"):
    """With where it was said."""

    session_id: Any = None
    version: Any = None
    cwd: Any = None
    git_branch: Any = None


class PastSystem(shapes.TranscriptSystem, tag="system", rename="camel"):
    """With where it was said."""

    session_id: Any = None
    version: Any = None
    cwd: Any = None
    git_branch: Any = None


class _Passed(msgspec.Struct, rename="camel", gc=False):
    """What is asked of the last line that was passed over."""

    timestamp: Any = None
    session_id: Any = None
    version: Any = None
    cwd: Any = None
    git_branch: Any = None


class _Place(NamedTuple):
    """Where lines were said, as they tell it."""

    session_id: object
    version: object
    cwd: object
    git_branch: object


_Placed = PastAssistant | shapes.TranscriptUser | PastSystem | QuickLine
_LINE: msgspec.json.Decoder[
    PastAssistant
    | shapes.TranscriptUser
    | PastSystem
    | shapes.CostState
    | shapes.Attachment
    | shapes.QueueOperation
    | shapes.LastPrompt
    | shapes.ToolsUsed
    | shapes.AtisLatch
    | shapes.ApiRequestShape
] = msgspec.json.Decoder(
    PastAssistant
    | shapes.TranscriptUser
    | PastSystem
    | shapes.CostState
    | shapes.Attachment
    | shapes.QueueOperation
    | shapes.LastPrompt
    | shapes.ToolsUsed
    | shapes.AtisLatch
    | shapes.ApiRequestShape,
    strict=False,
)
_PASSED = msgspec.json.Decoder(_Passed)


class PastReader:
    """Reads a transcript's lines (`acd.agents.history.LineReader`); may begin at any of them."""

    def __init__(
        self, agent: str, *, told: bool, session_id: str | None, subagent: str | None
    ) -> None:
        """`session_id`: of the file, wins over what its lines say; `subagent`: whose file it is."""
        self._agent = agent
        self._told = told
        self._session_id = session_id
        self._subagent = subagent
        self._place: _Place | None = None
        self._passed: bytes | None = None

    def read(self, line: bytes) -> list[Event]:
        """Events of one line; see the protocol."""
        if self._place is not None and not self._told and _is_users(line):
            self._passed = line
            return []
        if not self._told:
            quick = request_of(self._agent, line)
            if quick is not None:
                self._passed = None
                shape, request = quick
                event = request if self._subagent is None else self._of_subagent(request)
                if self._place is not None and _is_at(self._place, shape):
                    return [event]
                return [*self._moved(shape), event]
        return self._read_thoroughly(line)

    def _read_thoroughly(self, line: bytes) -> list[Event]:
        shape = decode(line, _LINE)
        if isinstance(shape, shapes.CostState):
            return cost_state_events(shape)
        if isinstance(shape, PastAssistant):
            self._passed = None
            found = assistant_events(self._agent, shape, line, told=self._told)
        elif isinstance(shape, shapes.TranscriptUser):
            found = [
                event
                for event in user_events(shape, told=self._told)
                if type(event) is not AgentStarted
            ]
        elif isinstance(shape, PastSystem):
            found = [e for e in transcript_system_events(shape) if self._wanted(e)]
        elif isinstance(shape, str):
            return [Unrecognised(line_type=name_of(shape))] if self._told else []
        else:
            return []
        if self._subagent is not None:
            found = [self._of_subagent(event) for event in found]
        return [*self._moved(shape), *found]

    def finish(self) -> list[Event]:
        """The time of the last line that was passed over."""
        line, self._passed = self._passed, None
        if line is None:
            return []
        try:
            shape = decode(line, _PASSED)
        except UnreadableLine:
            return []  # it holds nothing to count; the timeline tells what is wrong with it
        if not isinstance(shape, _Passed):
            return []
        return [self._started(shape)]

    def _wanted(self, event: Event) -> bool:
        return self._told or type(event) is not Unrecognised

    def _moved(self, shape: _Placed) -> list[Event]:
        """Where the session is, with the first line that tells it and wherever it changes."""
        place = _Place(shape.session_id, shape.version, shape.cwd, shape.git_branch)
        # Of a user's line that is read although nothing is told, the time is wanted: it may be the session's first.
        timed = not self._told and isinstance(shape, shapes.TranscriptUser)
        if place == self._place and not timed:
            return []
        self._place = place
        return [self._started(shape)]

    def _started(self, shape: _Placed | _Passed) -> AgentStarted:
        return AgentStarted(
            at=moment(shape.timestamp),
            agent_session_id=self._session_id or name_of(shape.session_id),
            agent_version=optional_name(shape.version),
            cwd=folder(shape.cwd),
            branch=optional_name(shape.git_branch),
        )

    def _of_subagent(self, event: Event) -> Event:
        if isinstance(event, RequestSeen) and event.subagent is None:
            return msgspec.structs.replace(event, subagent=self._subagent)
        return event


def _is_at(place: _Place, shape: QuickLine) -> bool:
    """Whether a line was said where the one before was; nearly every one is, so this makes nothing."""
    return (
        shape.session_id == place.session_id
        and shape.cwd == place.cwd
        and shape.git_branch == place.git_branch
        and shape.version == place.version
    )


def _is_users(line: bytes) -> bool:
    """Whether the line is a user's for certain: the keys stand in the line's own object, not in one inside it."""
    found = line.find(_USER, 0, _WITHIN)
    return (
        found > 0
        and line.count(b"{", 0, found) == 1
        and line.find(b"[", 0, found) < 0
        and line.endswith((b"}", b"}\r"))
    )
