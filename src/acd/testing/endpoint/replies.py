"""What a script says: replies and refusals, and the request they answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from acd.testing.prices import Count, Tokens

Json = dict[str, Any]
_MARK = re.compile(r"SCRIPT:([A-Za-z0-9_-]+)")


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that can be written in a scenario file."""


class Text(Strict, frozen=True, tag_field="type", tag="text"):
    """A text block."""

    text: str


class Thinking(Strict, frozen=True, tag_field="type", tag="thinking"):
    """A thinking block."""

    thinking: str


class ToolUse(Strict, frozen=True, tag_field="type", tag="tool_use"):
    """A tool call: `name` as the agent knows it (Bash, Write, Edit, Read, Agent)."""

    name: str
    input: dict[str, Any]


Block = Text | Thinking | ToolUse


class Limit(Strict, frozen=True):
    """A subscription's limit, told in headers (facts: claude-code.md, section 9). `resets_in`: seconds."""

    status: Literal["allowed", "allowed_warning", "rejected"]
    window: Literal["five_hour", "seven_day"] = "five_hour"
    utilization: float = 1.0
    resets_in: float = 3600


class Refusal(Strict, frozen=True):
    """An error instead of a reply, the first `times` times (None: always), to requests for one of `models` (None: any).

    `error_type` and `message` default to what the API says with that `status`; status 0 closes the connection.
    """

    status: int
    error_type: str | None = None
    message: str | None = None
    headers: dict[str, str] = {}
    limit: Limit | None = None
    times: Count | None = None
    models: list[str] | None = None


class Reply(Strict, frozen=True):
    """A message. `model`: another than the one asked for; `delay`: seconds before anything is sent.

    `cut`: the stream breaks off, by an SSE `error` event, by closing the connection or (`stall`) by sending nothing but pings
    for ever, in the middle of the first content block or (`cut_after_block`) after it; `cut_times`: how often (then it is
    sent in full). A request that does not stream is always answered in full.
    """

    blocks: list[Block] = []
    usage: Tokens = Tokens(10, 10)
    stop_reason: str | None = None
    model: str | None = None
    delay: float = 0
    limit: Limit | None = None
    cut: Literal["error", "close", "stall"] | None = None
    cut_after_block: bool = False
    cut_times: Count = 1
    refusals: list[Refusal] = []


class Request(msgspec.Struct, frozen=True):
    """A request for a message. `script`: the name under which it was looked up."""

    script: str
    body: Json
    headers: dict[str, str] = {}

    @property
    def model(self) -> str:
        """The model asked for, as asked."""
        return str(self.body["model"])

    @property
    def turn(self) -> int:
        """How many replies this conversation has had so far; a request that is tried again has the same turn."""
        return sum(message["role"] == "assistant" for message in self.body["messages"])

    @property
    def prompt(self) -> str:
        """All text of the conversation's first message: what its user (or the main agent) asked for."""
        return _text_of(self.body["messages"][0]["content"])

    @property
    def session_id(self) -> str:
        """The agent's session, as it says in a header; empty where it says none (seen in 2.1.330, subagents included)."""
        return self.headers.get("x-claude-code-session-id", "")

    @property
    def conversation(self) -> str:
        """A name for the conversation, the same for each of its requests."""
        user = str(self.body.get("metadata", {}).get("user_id", ""))
        return f"{self.script}|{user}|{self.prompt}"

    def tool_calls(self) -> list[Json]:
        """The `tool_use` blocks so far, in order."""
        return [b for b in self._blocks("assistant") if b.get("type") == "tool_use"]

    def tool_results(self) -> list[tuple[str, bool]]:
        """The tools' results so far, in order: text, and whether it is an error."""
        results = [b for b in self._blocks("user") if b.get("type") == "tool_result"]
        return [(_text_of(b.get("content", "")), b.get("is_error") is True) for b in results]

    def _blocks(self, role: str) -> list[Json]:
        spoken = [m["content"] for m in self.body["messages"] if m["role"] == role]
        return [block for content in spoken if isinstance(content, list) for block in content]


Brain = Callable[[Request], Reply | Refusal]
"""A script that thinks: its state is the conversation."""

Script = list[Reply] | Brain
"""Replies by turn (the last one repeats), or something that makes them up."""


def script_named_in(prompt: str) -> str | None:
    """The script that a prompt asks for by `SCRIPT:name`: how a subagent's conversation is told apart."""
    found = _MARK.search(prompt)
    return found[1] if found else None


def _text_of(content: str | list[Json]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block.get("type") == "text")
