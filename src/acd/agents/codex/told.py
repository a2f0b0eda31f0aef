"""What was said and done: `response_item` and finished commands → texts, calls of tools and their results."""

from __future__ import annotations

from datetime import datetime

import msgspec

from acd.agents.claude_like.content import TOOL_LIMIT, name_of, said
from acd.agents.codex.shapes import Item, ResponseItem
from acd.core.events import Event, TextSaid, ToolEnded, ToolUsed
from acd.core.text import excerpt

_CALLS = frozenset(
    {"function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call"}
)
_RESULTS = frozenset({"function_call_output", "custom_tool_call_output"})
_TELLING = ("cmd", "command", "path", "query", "input")

# Prompts that Codex writes itself stand in tags: `<environment_context>`, `<user_instructions>`, …
_OWN_WORDS = "<"


def call_name(item: ResponseItem) -> str:
    """The tool that a call calls; those of the model's own server have no other name than the item's type."""
    return name_of(item.name) or name_of(item.type).removesuffix("_call")


def item_events(
    at: datetime | None, item: ResponseItem, subagent: str | None, failed: set[str]
) -> list[Event]:
    """One item: a message, a tool's call or its result; the rest (reasoning, pictures) tells nothing.

    `failed`: calls whose commands are known to have failed.
    """
    if item.type == "message":
        return _message(at, item, subagent)
    if is_call(item):
        call = ToolUsed(
            at=at,
            tool_use_id=name_of(item.call_id),
            name=call_name(item),
            text=_call_text(item),
            subagent=subagent,
        )
        return [call]
    if name_of(item.type) in _RESULTS:
        return [_result(at, item, subagent, name_of(item.call_id) in failed)]
    return []


def is_call(item: ResponseItem) -> bool:
    """Whether the item calls a tool."""
    return name_of(item.type) in _CALLS


def is_answer(item: ResponseItem) -> bool:
    """Whether the model made it."""
    return is_call(item) or item.type == "reasoning" or item.role == "assistant"


def failed_calls(item: Item) -> set[str]:
    """The call of a finished command that failed. Its result, which went to the model, says that in words only."""
    failed = item.type == "CommandExecution" and item.exit_code not in (0, None)
    return {name_of(item.id)} if failed else set()


def _message(at: datetime | None, item: ResponseItem, subagent: str | None) -> list[Event]:
    if item.role not in ("user", "assistant"):
        return []
    by_user = item.role == "user"
    texts = [said(part.text) for part in item.content or ()]
    return [
        TextSaid(at=at, role="user" if by_user else "agent", text=text, subagent=subagent)
        for text in texts
        if text and not (by_user and text.startswith(_OWN_WORDS))
    ]


def _call_text(item: ResponseItem) -> str:
    given = item.arguments if isinstance(item.arguments, str) else item.input
    if isinstance(given, str):
        return excerpt(_telling(given), TOOL_LIMIT)
    return excerpt(_first(item.action), TOOL_LIMIT)


def _telling(arguments: str) -> str:
    try:
        return _first(msgspec.json.decode(arguments)) or arguments
    except (msgspec.DecodeError, RecursionError):
        return arguments  # a patch, or a script: not JSON


def _first(given: object) -> str:
    if not isinstance(given, dict):
        return ""
    for name in _TELLING:
        value = given.get(name)
        if isinstance(value, list):
            value = " ".join(str(word) for word in value)
        if isinstance(value, str) and value:
            return value
    return ""


def _result(
    at: datetime | None, item: ResponseItem, subagent: str | None, known_failed: bool
) -> ToolEnded:
    text, failed = _output(item.output)
    return ToolEnded(
        at=at,
        tool_use_id=name_of(item.call_id),
        outcome="error" if failed or known_failed else "ok",
        text=excerpt(text, TOOL_LIMIT),
        subagent=subagent,
    )


def _output(given: object) -> tuple[str, bool]:
    """Text and failure of a result. Older versions wrote JSON with the exit status into the text."""
    if isinstance(given, list):
        texts = (part.get("text") for part in given if isinstance(part, dict))
        given = next((text for text in texts if isinstance(text, str)), "")
    if not isinstance(given, str):
        return "", False
    if not given.startswith('{"output"'):
        return given, False
    try:
        found = msgspec.json.decode(given)
    except (msgspec.DecodeError, RecursionError):
        return given, False
    text = found.get("output")
    metadata = found.get("metadata")
    status = metadata.get("exit_code") if isinstance(metadata, dict) else None
    return (text if isinstance(text, str) else ""), status not in (0, None)
