"""Lines of Claude Code's transcripts with just what counting depends on, to be bent as a case needs it."""

from __future__ import annotations

import json
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

AT = "2026-10-07T12:00:00.000Z"
CWD = "/srv/history/shop"
USAGE: dict[str, Any] = {
    "input_tokens": 1000,
    "cache_creation_input_tokens": 3000,
    "cache_read_input_tokens": 40000,
    "output_tokens": 200,
    "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 2000},
    "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
    "service_tier": "standard",
    "inference_geo": "global",
    "speed": "standard",
}

Json = dict[str, Any]


def session(name: str) -> str:
    """The agent's id of a session of a case."""
    return str(uuid5(NAMESPACE_DNS, name))


def usage(**changes: object) -> Json:
    """The usual counts (44,200 tokens, 0.034 USD with claude-opus-5-5), changed."""
    return USAGE | changes


def only(**counts: object) -> Json:
    """Nothing but these counts."""
    return counts


def reply(of: str, message_id: str | None = None, **changes: object) -> Json:
    """An assistant line of session `of`. Names with `__` change what is nested: `message__model`."""
    message: Json = {
        "id": message_id or f"msg_{of}",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": [{"type": "text", "text": "Done."}],
        "stop_reason": "end_turn",
        "usage": USAGE,
    }
    line: Json = {
        "parentUuid": None,
        "isSidechain": False,
        "message": message,
        "requestId": f"req_{message['id']}",
        "type": "assistant",
        "uuid": session(f"{of} {message_id} {sorted(changes.items())}"),
        "timestamp": AT,
        "cwd": CWD,
        "sessionId": session(of),
        "version": "2.1.330",
        "gitBranch": "main",
    }
    for name, value in changes.items():
        if name.startswith("message__"):
            message[name.removeprefix("message__")] = value
        else:
            line[name] = value
    return line


def without(line: Json, *names: str) -> Json:
    """A line that lacks fields; those of its message as `message.id`."""
    message = {k: v for k, v in line["message"].items() if f"message.{k}" not in names}
    return {k: v for k, v in line.items() if k not in names} | {"message": message}


def packed(*lines: Json) -> bytes:
    """A file with these lines, as the agent writes it."""
    return b"".join(pack(line) + b"\n" for line in lines)


def pack(line: Json) -> bytes:
    """One line without its end."""
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode()


def spaced(line: Json) -> bytes:
    """A file with one line, with a space after each colon and comma."""
    return json.dumps(line).encode() + b"\n"
