"""Lines of one rollout file → events, with what has to be remembered from line to line.

A request is told by a `token_usage_record`, in older versions by a `token_count` alone; both hold the thread's running
total. Traps, each seen in real files (github.com/ccusage/ccusage, issues 897, 1349, 1371 and 1460):

- `token_count` comes again with an unchanged total whenever the account's limits are news, and as a turn begins;
- the total is cumulative: only `last_token_usage` is the request's own;
- a fork's file (a subagent's, too) begins with copies of its parent's lines, their times as they were or as of the
  copying. What a copy keeps is the turn's id and the total: they make the key, so a copy is the same request again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from acd.agents.claude_like.content import folder, name_of, optional_name
from acd.agents.claude_like.lines import decode
from acd.agents.claude_like.usage import moment
from acd.agents.codex.failures import failure_of
from acd.agents.codex.shapes import (
    EventMsg,
    Line,
    ResponseItem,
    SessionMeta,
    TokenUsage,
    TokenUsageRecord,
    TurnContext,
)
from acd.agents.codex.told import call_name, failed_calls, is_answer, is_call, item_events
from acd.agents.codex.usage import mark_of, usage_of
from acd.agents.copies import as_copy
from acd.core.errors import UnreadableLine
from acd.core.events import AgentStarted, Event, RequestSeen, Unrecognised

AGENT = "codex"

_LINE = msgspec.json.Decoder(Line)
_META = msgspec.json.Decoder(SessionMeta)
_TURN = msgspec.json.Decoder(TurnContext)
_RECORD = msgspec.json.Decoder(TokenUsageRecord, strict=False)
_EVENT = msgspec.json.Decoder(EventMsg, strict=False)
_ITEM = msgspec.json.Decoder(ResponseItem)

# Known, and nothing in them to count: context that is kept for a resume, and copies of what other lines tell.
_SILENT = frozenset({"world_state", "compacted", "inter_agent_communication", "ghost_snapshot"})


class Rollout:
    """Reads the lines of one file in their order.

    Args:
        thread: the thread's id as the file's name tells it; the first `session_meta` knows better.
        told: texts and tools are wanted, too.
    """

    def __init__(self, thread: str, *, told: bool = True) -> None:
        self._told = told
        self._session = thread
        self._thread = thread
        self._lineage = thread  # whose lines these are; in a fork's copies the ancestor's
        self._passed: datetime | None = None
        self._begun = False
        self._turn = ""
        self._model = ""
        self._subagent: str | None = None
        self._total = ""
        self._has_records = False
        self._answered = False
        self._failed: set[str] = set()
        self._tools: list[str] = []
        self._readers: dict[str, Callable[[datetime | None, msgspec.Raw], list[Event]]] = {
            "session_meta": self._meta,
            "turn_context": self._turn_context,
            "token_usage_record": self._record,
            "event_msg": self._event,
            "response_item": self._item,
        }

    def read(self, line: bytes) -> list[Event]:
        """Events of one line; see `acd.agents.history.LineReader`.

        Raises:
            UnreadableLine: with a short reason.
        """
        found = decode(line, _LINE)
        if isinstance(found, str):
            raise UnreadableLine("unexpected shape")
        if found is None:
            return []
        at = moment(found.timestamp)
        if self._lineage != self._thread:
            at = as_copy(at)
        events = self._events(found, at)
        self._passed = None if events else at
        return events

    def finish(self) -> list[Event]:
        """The time of the last line in which nothing was to count."""
        at, self._passed = self._passed, None
        return [AgentStarted(at=at, agent_session_id=self._session)] if at is not None else []

    def _events(self, line: Line, at: datetime | None) -> list[Event]:
        kind = name_of(line.type)
        reader = self._readers.get(kind)
        if reader is None:
            return [] if kind in _SILENT else [Unrecognised(at=at, line_type=kind or "(no type)")]
        try:
            return reader(at, line.payload)
        except msgspec.ValidationError as error:
            raise UnreadableLine(f"unexpected shape of {kind}: {error}"[:200]) from None
        except RecursionError:
            raise UnreadableLine("nested too deeply") from None

    def _meta(self, at: datetime | None, payload: msgspec.Raw) -> list[Event]:
        meta = _META.decode(payload)
        thread = name_of(meta.id)
        self._lineage = thread or self._lineage
        if self._begun:
            return []  # an ancestor's, copied; or the thread's own again, with more about it
        self._begun = True
        self._thread = self._lineage
        self._subagent = _subagent(meta)
        self._session = _session(meta) or thread or self._session
        return [
            AgentStarted(
                at=moment(meta.timestamp) or at,
                agent_session_id=self._session,
                agent_version=optional_name(meta.cli_version),
                cwd=folder(meta.cwd),
                branch=optional_name(meta.git.branch) if meta.git else None,
            )
        ]

    def _turn_context(self, at: datetime | None, payload: msgspec.Raw) -> list[Event]:
        turn = _TURN.decode(payload)
        self._turn = name_of(turn.turn_id)
        self._model = name_of(turn.model) or self._model
        return []

    def _record(self, at: datetime | None, payload: msgspec.Raw) -> list[Event]:
        record = _RECORD.decode(payload)
        self._has_records = True
        if record.usage is None:
            return []
        turn = name_of(record.turn_id)
        mark = mark_of(record.thread_token_usage) if record.thread_token_usage else ""
        response = optional_name(record.response_id)
        return self._request(at, turn, mark or response or "", record.usage, response)

    def _event(self, at: datetime | None, payload: msgspec.Raw) -> list[Event]:
        event = _EVENT.decode(payload)
        match event.type:
            case "token_count":
                return self._token_count(at, event)
            case "task_started" | "turn_started":
                self._turn = name_of(event.turn_id)
            case "error":
                return [failure_of(at, event)]
            case "item_completed" if self._told and event.item is not None:
                self._failed |= failed_calls(event.item)
        return []  # the other forty: what the screen shows, which response items tell, too

    def _token_count(self, at: datetime | None, event: EventMsg) -> list[Event]:
        info = event.info
        if self._has_records or info is None or info.last_token_usage is None:
            return []
        last = mark_of(info.last_token_usage)
        mark = mark_of(info.total_token_usage) if info.total_token_usage else last
        before, self._total = self._total, mark
        if mark == before or (not before and not self._answered and mark != last):
            return []  # told again; or told of requests that stand in the file of the fork's parent
        return self._request(at, self._turn, mark, info.last_token_usage, None)

    def _request(
        self,
        at: datetime | None,
        turn: str,
        mark: str,
        seen: TokenUsage,
        response: str | None,
    ) -> list[Event]:
        usage = usage_of(seen)
        tools, self._tools = self._tools, []
        if not usage.total:
            return []  # an estimate of how full the context is, or a request that failed
        return [
            RequestSeen(
                at=at,
                request_key=f"{AGENT}:{turn or self._lineage}:{mark}",
                model=self._model or "unknown",
                usage=usage,
                request_id=response,
                tools=tools,
                subagent=self._subagent,
            )
        ]

    def _item(self, at: datetime | None, payload: msgspec.Raw) -> list[Event]:
        item = _ITEM.decode(payload)
        if is_call(item):
            self._tools.append(call_name(item))
        self._answered = self._answered or is_answer(item)
        return item_events(at, item, self._subagent, self._failed) if self._told else []


def _session(meta: SessionMeta) -> str:
    """The session that a thread belongs to: a subagent's is its parent's."""
    return name_of(meta.session_id) or _parent(meta)


def _parent(meta: SessionMeta) -> str:
    spawn = _spawn(meta)
    return name_of(spawn.get("parent_thread_id")) if spawn else ""


def _subagent(meta: SessionMeta) -> str | None:
    """What kind of subagent a thread is (`explorer`, `review`, …); None for one that a person began."""
    source = meta.source.get("subagent") if isinstance(meta.source, dict) else None
    if source is None:
        return None
    spawn = _spawn(meta) or {}
    role = spawn.get("agent_role") or meta.agent_role
    return optional_name(role) or optional_name(source) or "subagent"


def _spawn(meta: SessionMeta) -> dict[str, Any] | None:
    source = meta.source.get("subagent") if isinstance(meta.source, dict) else None
    spawn = source.get("thread_spawn") if isinstance(source, dict) else None
    return spawn if isinstance(spawn, dict) else None
