"""A message's content → what was said, which tools were called, what came back."""

from __future__ import annotations

from typing import Any

import msgspec

from acd.agents.claude_like.shapes import NULL
from acd.core.text import excerpt, shorten, storable

SAID_LIMIT = 500
TOOL_LIMIT = 300
NAME_LIMIT = 200
PATH_LIMIT = 4096

# Fields of a tool's input that tell best what the call was about, best first.
_TELLING = (
    "command",
    "file_path",
    "notebook_path",
    "path",
    "pattern",
    "query",
    "url",
    "skill",
    "description",
    "prompt",
)
CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})


class Block(msgspec.Struct, gc=False):
    """One block of a message's content: text, a tool's call, or a tool's result."""

    type: Any = None
    text: Any = None
    id: Any = None
    name: Any = None
    input: msgspec.Raw = NULL
    tool_use_id: Any = None
    content: Any = None
    is_error: Any = None


_Input = msgspec.defstruct("_Input", [(name, Any, None) for name in _TELLING], gc=False)
_BLOCKS = msgspec.json.Decoder(list[Block] | str | None)
_INPUT = msgspec.json.Decoder(_Input | None)


def blocks_of(content: msgspec.Raw) -> list[Block] | None:
    """The blocks of a content; a plain string is one block of text. None when it is something else."""
    try:
        found = _BLOCKS.decode(content)
    except (msgspec.ValidationError, RecursionError):
        return None
    if isinstance(found, str):
        return [Block(type="text", text=found)]
    return found or []


def is_call(block: Block) -> bool:
    """Whether the block calls a tool, the model's own server's included."""
    return block.type in CALLS if isinstance(block.type, str) else False


def call_text(block: Block) -> str:
    """Short form of a call's input: the command, else the path, the pattern and so on."""
    try:
        given = _INPUT.decode(block.input)
    except msgspec.ValidationError:
        return ""
    for name in _TELLING:
        value = getattr(given, name, None)
        if isinstance(value, str) and value:
            return excerpt(value, TOOL_LIMIT)
    return ""


def result_text(block: Block) -> str:
    """Short form of what a tool gave back; pictures and the like give nothing."""
    found = block.content
    if isinstance(found, list):
        texts = (part.get("text") for part in found if isinstance(part, dict))
        found = next((text for text in texts if isinstance(text, str)), "")
    return excerpt(found, TOOL_LIMIT) if isinstance(found, str) else ""


def name_of(value: Any) -> str:  # noqa: ANN401  # whatever a line may hold there
    """A name or id as a column may hold it; empty when it is no text."""
    if not isinstance(value, str):
        return ""
    if len(value) <= NAME_LIMIT and value.isascii() and "\0" not in value:
        return value  # nearly every name: this is called several times a line
    return storable(shorten(value, NAME_LIMIT))


def optional_name(value: Any) -> str | None:  # noqa: ANN401  # whatever a line may hold there
    """Like `name_of`, with None for no text."""
    return None if value is None else name_of(value) or None


def said(value: Any) -> str:  # noqa: ANN401  # whatever a line may hold there
    """An excerpt as a timeline shows it; empty when it is no text."""
    return excerpt(value, SAID_LIMIT) if isinstance(value, str) else ""


def folder(value: Any) -> str | None:  # noqa: ANN401  # whatever a line may hold there
    """A working directory as it is, never redacted: sessions are told apart by it. None when it is no path."""
    if not isinstance(value, str) or not 0 < len(value) <= PATH_LIMIT:
        return None
    return storable(value)
