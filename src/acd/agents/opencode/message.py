"""A message with its parts → events.

Each step of a message was one request; since 0.15 or so a message has one step. A fork copies messages under new ids
(`Session.fork`), so an id does not tell that a request is the same one: when the message was made, its model and its
tokens do. A copy is older than the session that holds it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec

from acd.agents.claude_like.content import (
    TOOL_LIMIT,
    folder,
    name_of,
    optional_name,
    said,
)
from acd.agents.claude_like.usage import epoch_moment
from acd.agents.copies import as_copy
from acd.agents.opencode.failures import failure_of
from acd.agents.opencode.shapes import Info, Message, Part, Tokens
from acd.core.errors import UnreadableLine
from acd.core.events import AgentStarted, Event, RequestSeen, TextSaid, ToolEnded, ToolUsed
from acd.core.models import Usage
from acd.core.text import excerpt

AGENT = "opencode"

_INFO = msgspec.json.Decoder(Info)
_MESSAGE = msgspec.json.Decoder(Message, strict=False)
_PART = msgspec.json.Decoder(Part, strict=False)
# Ids of models.dev, which OpenCode uses, that genai-prices knows by other names; what neither knows is priced by the
# model's name alone.
_PROVIDERS = {
    "amazon-bedrock": "aws",
    "cloudflare-workers-ai": "cloudflare",
    "fireworks-ai": "fireworks",
    "google-vertex": "google",
    "google-vertex-anthropic": "anthropic",
    "togetherai": "together",
    "xai": "x-ai",
}
_PROVIDER = re.compile(r"[\w.-]{1,60}", re.ASCII)
_TELLING = ("command", "filePath", "path", "pattern", "query", "url", "description", "prompt")


class Place(NamedTuple):
    """The session that a message stands in. `root` is the one that a person began; `created` in ms since 1970."""

    root: str
    subagent: bool = False
    directory: str | None = None
    version: str | None = None
    created: object = None


def info_of(data: bytes | str) -> Info:
    """A session as its file tells it.

    Raises:
        UnreadableLine: with a short reason.
    """
    return _decoded(_INFO, data)


def message_events(
    place: Place, message_id: str, data: bytes | str, parts: Sequence[bytes | str], *, told: bool
) -> list[Event]:
    """Events of one message.

    Args:
        place: where it stands.
        message_id: its own id.
        data: the message.
        parts: its parts in their order.
        told: texts and tools are wanted, too.

    Raises:
        UnreadableLine: with a short reason.
    """
    message = _decoded(_MESSAGE, data)
    found = [_decoded(_PART, part) for part in parts]
    created = message.time.created if message.time else None
    at = _milliseconds(created)
    if _is_copy(created, place.created):
        at = as_copy(at)
    subagent = _subagent(place, message)
    events: list[Event] = [_started(place, message, at)]
    if message.role == "assistant":
        events += _requests(message, message_id, found, at, subagent)
        if message.error is not None:
            events.append(failure_of(at, message.error))
    if told:
        role = "agent" if message.role == "assistant" else "user"
        for part in found:
            events += _told(part, role, at, subagent)
    return events


def usage_of(tokens: Tokens) -> Usage:
    """Usage of one request: output with its reasoning."""
    cache, reasoning = tokens.cache, tokens.reasoning or 0
    return Usage(
        input_tokens=tokens.input or 0,
        output_tokens=(tokens.output or 0) + reasoning,
        cache_read_tokens=(cache.read or 0) if cache else 0,
        cache_write_tokens=(cache.write or 0) if cache else 0,
        reasoning_tokens=reasoning,
    )


def _started(place: Place, message: Message, at: datetime | None) -> AgentStarted:
    cwd = message.path.get("cwd") if isinstance(message.path, dict) else None
    return AgentStarted(
        at=at,
        agent_session_id=place.root,
        agent_version=optional_name(place.version),
        cwd=folder(cwd) or folder(place.directory),
    )


def _requests(
    message: Message,
    message_id: str,
    parts: list[Part],
    at: datetime | None,
    subagent: str | None,
) -> list[Event]:
    events: list[Event] = []
    for step, (tokens, tools) in enumerate(_steps(message, parts)):
        usage = usage_of(tokens)
        if usage.total:
            events.append(
                RequestSeen(
                    at=at,
                    request_key=_key(message, usage, step),
                    model=name_of(message.model_id) or "unknown",
                    usage=usage,
                    request_id=optional_name(message_id),
                    tools=tools,
                    subagent=subagent,
                    terms=_terms(message.provider_id),
                )
            )
    return events


def _terms(provider: object) -> str:
    """Who sold the request, as `RequestSeen.terms`."""
    if not isinstance(provider, str) or not _PROVIDER.fullmatch(provider):
        return ""
    return f"from:{_PROVIDERS.get(provider, provider)}"


def _steps(message: Message, parts: list[Part]) -> list[tuple[Tokens, list[str]]]:
    """The tokens of each step, and the tools that it called."""
    steps: list[tuple[Tokens, list[str]]] = []
    tools: list[str] = []
    for part in parts:
        if part.type == "tool":
            tools.append(name_of(part.tool))
        elif part.type == "step-finish" and part.tokens is not None:
            steps.append((part.tokens, tools))
            tools = []
    if not steps and message.tokens is not None:
        return [(message.tokens, tools)]
    return steps


def _key(message: Message, usage: Usage, step: int) -> str:
    created = message.time.created if message.time else None
    tokens = "-".join(
        str(part)
        for part in (
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
        )
    )
    return f"{AGENT}:{created}:{name_of(message.model_id)}:{tokens}:{step}"


def _told(part: Part, role: str, at: datetime | None, subagent: str | None) -> list[Event]:
    if part.type == "text" and part.synthetic is not True and said(part.text):
        speaker = "agent" if role == "agent" else "user"
        return [
            TextSaid(
                at=at,
                role="agent" if speaker == "agent" else "user",
                text=said(part.text),
                subagent=subagent,
            )
        ]
    if part.type != "tool":
        return []
    name = name_of(part.call_id)
    state = part.state
    used = ToolUsed(
        at=at,
        tool_use_id=name,
        name=name_of(part.tool),
        text=_telling(state.input if state else None),
        subagent=subagent,
    )
    if state is None or state.status not in ("completed", "error"):
        return [used]
    output = state.error if state.status == "error" else state.output
    ended = ToolEnded(
        at=at,
        tool_use_id=name,
        outcome="error" if state.status == "error" or _exit(state.metadata) else "ok",
        text=excerpt(output, TOOL_LIMIT) if isinstance(output, str) else "",
        subagent=subagent,
    )
    return [used, ended]


def _exit(metadata: object) -> bool:
    """Whether a command failed: the tool itself did not, it ran it."""
    return isinstance(metadata, dict) and metadata.get("exit") not in (0, None)


def _telling(given: object) -> str:
    if not isinstance(given, dict):
        return ""
    values = (given.get(name) for name in _TELLING)
    found = next((value for value in values if isinstance(value, str) and value), "")
    return excerpt(found, TOOL_LIMIT)


def _subagent(place: Place, message: Message) -> str | None:
    if not place.subagent:
        return None
    return optional_name(message.agent) or optional_name(message.mode) or "subagent"


def _is_copy(created: object, session_created: object) -> bool:
    return (
        isinstance(created, int) and isinstance(session_created, int) and created < session_created
    )


def _milliseconds(value: object) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return epoch_moment(value / 1000)


T = TypeVar("T")


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes | str) -> T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise UnreadableLine(f"unexpected shape: {error}"[:200]) from None
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise UnreadableLine("malformed JSON") from None
    except RecursionError:
        raise UnreadableLine("nested too deeply") from None
