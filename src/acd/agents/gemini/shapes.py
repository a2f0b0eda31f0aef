"""The fields that we read of a chat's records; whatever else they hold is skipped undecoded.

Source: `chatRecordingTypes.ts` and `chatRecordingService.ts` of github.com/google-gemini/gemini-cli, and files that
gemini-cli 0.61.0 wrote. Only what figures depend on has a strict type.
"""

from __future__ import annotations

from typing import Any

import msgspec

from acd.agents.claude_like.shapes import Count


class Tokens(msgspec.Struct, gc=False):
    """`tokens` of a message: what the Gemini API counted.

    `input` (promptTokenCount) includes `cached`; `thoughts` are outside `output`; `tool` (toolUsePromptTokenCount, what
    the model's own tools read) is outside `input`; `total` is input, output, thoughts and tool.
    """

    input: Count = None
    output: Count = None
    cached: Count = None
    thoughts: Count = None
    tool: Count = None


class ToolCall(msgspec.Struct, rename="camel", gc=False):
    """A tool's call with its result."""

    id: Any = None
    name: Any = None
    args: Any = None
    status: Any = None
    timestamp: Any = None
    result_display: Any = None


class Message(msgspec.Struct, rename="camel", gc=False):
    """A message; it is written again, with the same id, whenever something is added to it."""

    id: Any = None
    timestamp: Any = None
    type: Any = None
    content: Any = None
    tokens: Tokens | None = None
    model: Any = None
    tool_calls: list[ToolCall] | None = None


class Changes(msgspec.Struct, rename="camel", gc=False):
    """`$set`: fields of the chat that changed; after a compression all messages anew."""

    messages: list[msgspec.Raw] | None = None


class Record(msgspec.Struct, gc=False):
    """Any line: the chat's head, a change of its fields, a message, or a step back (`$rewindTo`)."""

    session_id: Any = msgspec.field(name="sessionId", default=None)
    project_hash: Any = msgspec.field(name="projectHash", default=None)
    start_time: Any = msgspec.field(name="startTime", default=None)
    changes: Changes | None = msgspec.field(name="$set", default=None)
    rewind_to: Any = msgspec.field(name="$rewindTo", default=None)
    directories: Any = None
    id: Any = None
    type: Any = None


class Chat(msgspec.Struct, rename="camel", gc=False):
    """A whole chat in one document, as versions before 0.40 or so wrote it (`session-….json`)."""

    session_id: Any = None
    project_hash: Any = None
    start_time: Any = None
    directories: Any = None
    messages: list[msgspec.Raw] = []
