"""The requests of assistant lines as nearly all of them are written, read in one pass: history is mostly that.

What `assistant_events` does for every line anybody ever wrote, this does for the usual ones at under half the cost: one
decoder that knows its shape (a union has to find `type` first, which stands behind the message), content decoded as
far as the names of its calls, nothing made storable that is so already. A line that is anything else than usual is
nobody's loss: `request_of` gives None, and the reader asks `assistant_events`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from acd.agents.claude_like.content import CALLS, NAME_LIMIT, name_of
from acd.agents.claude_like.messages import KEY_LIMIT, SYNTHETIC
from acd.agents.claude_like.shapes import MessageUsage, first_text
from acd.agents.claude_like.usage import model_name, moment, terms_of, usage_of
from acd.core.events import RequestSeen

# Where the role of an assistant's line stands: in the first keys of its message.
_ROLE = b'"role":"assistant"'
_WITHIN = 600


class _Block(msgspec.Struct, gc=False):
    """What is asked of a block: the tool that it calls."""

    type: str | None = None
    name: Any = None


class _Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    content: list[_Block] | str | None = None
    usage: MessageUsage | None = None


class QuickLine(msgspec.Struct, rename="camel", gc=False):
    """An assistant line with where it was said."""

    type: str | None = None
    message: _Message | None = None
    timestamp: str | None = None
    request_id: str | None = None
    is_sidechain: Any = None
    agent_id: str | None = None
    attribution_agent: str | None = None
    is_api_error_message: Any = None
    session_id: str | None = None
    version: str | None = None
    cwd: str | None = None
    git_branch: str | None = None


_LINE = msgspec.json.Decoder(QuickLine, strict=False)


def request_of(agent: str, line: bytes) -> tuple[QuickLine, RequestSeen] | None:
    """The line's request, the same as `assistant_events` tells; None where the line is not a usual one.

    Args:
        agent: its name, with which the request's key begins.
        line: without its end.
    """
    if line.find(_ROLE, 0, _WITHIN) < 0:
        return None
    try:
        shape = _LINE.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    message = shape.message
    if message is None or shape.type != "assistant" or shape.is_api_error_message:
        return None
    key, model, request_id = message.id, message.model, shape.request_id
    if not key or not model or model == SYNTHETIC or request_id == "":
        return None
    if not _are_plain(key, model, request_id or ""):
        return None
    content = message.content
    blocks = content if isinstance(content, list) else []
    subagent = None
    if shape.is_sidechain:
        subagent = (
            name_of(first_text(shape.is_sidechain, shape.attribution_agent, shape.agent_id)) or None
        )
    return shape, RequestSeen(
        at=moment(shape.timestamp),
        request_key=f"{agent}:{key}",
        model=model_name(model),
        usage=usage_of(message.usage),
        terms=terms_of(message.usage),
        request_id=request_id,
        tools=[name_of(block.name) for block in blocks if block.type in CALLS],
        subagent=subagent,
    )


def _are_plain(key: str, model: str, request_id: str) -> bool:
    """Whether the names can be kept as they are."""
    names = key + model + request_id
    return (
        names.isascii()
        and "\0" not in names
        and len(key) <= KEY_LIMIT
        and len(model) <= NAME_LIMIT
        and len(request_id) <= NAME_LIMIT
    )
