"""What was said and done: a record's parts → texts, calls of tools and their results."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from acd.agents.claude_like.content import TOOL_LIMIT, name_of, said
from acd.agents.qwen.shapes import FunctionResponse, Part, Record
from acd.core.events import Event, TextSaid, ToolEnded, ToolUsed
from acd.core.text import excerpt

_TELLING = ("command", "file_path", "absolute_path", "path", "pattern", "query", "prompt", "url")
_ROLES: dict[str, Literal["agent", "user"]] = {"assistant": "agent", "user": "user"}


def called_tools(record: Record) -> list[str]:
    """Names of the tools that a message calls."""
    return [name_of(part.function_call.name) for part in _parts(record) if part.function_call]


def told_events(record: Record, at: datetime | None) -> list[Event]:
    """Texts and tools of one record; those of type `system` tell none."""
    if record.type == "system":
        return []
    role = _ROLES.get(name_of(record.type))
    events: list[Event] = []
    for part in _parts(record):
        text = "" if part.thought is True else said(part.text)
        if text and role is not None:
            events.append(TextSaid(at=at, role=role, text=text))
        if part.function_call is not None:
            call = part.function_call
            events.append(
                ToolUsed(
                    at=at,
                    tool_use_id=name_of(call.id),
                    name=name_of(call.name),
                    text=_telling(call.args),
                )
            )
        if part.function_response is not None:
            events.append(_ended(record, at, part.function_response))
    return events


def _ended(record: Record, at: datetime | None, result: FunctionResponse) -> ToolEnded:
    status = record.tool_call_result.status if record.tool_call_result else None
    given = result.response if isinstance(result.response, dict) else {}
    text = given.get("output", given.get("error"))
    return ToolEnded(
        at=at,
        tool_use_id=name_of(result.id),
        outcome="denied" if status == "cancelled" else "error" if status == "error" else "ok",
        text=excerpt(text, TOOL_LIMIT) if isinstance(text, str) else "",
    )


def _parts(record: Record) -> list[Part]:
    return (record.message.parts if record.message else None) or []


def _telling(args: object) -> str:
    if not isinstance(args, dict):
        return ""
    values = (args.get(name) for name in _TELLING)
    found = next((value for value in values if isinstance(value, str) and value), "")
    return excerpt(found, TOOL_LIMIT)
