"""One line of a Claude-like stream or transcript → events. Pure functions; nothing is kept between lines."""

from __future__ import annotations

import msgspec

from acd.agents.claude_like import shapes
from acd.agents.claude_like.content import name_of
from acd.agents.claude_like.lines import decode
from acd.agents.claude_like.messages import assistant_events, user_events
from acd.agents.claude_like.reports import cost_state_events, limit_events, result_events
from acd.agents.claude_like.system import stream_system_events, transcript_system_events
from acd.core.events import Event, Unrecognised

# Lax: takes `3.0` for 3, which a double may become on its way through other programs.
_STREAM: msgspec.json.Decoder[shapes.StreamLine] = msgspec.json.Decoder(
    shapes.StreamLine, strict=False
)
_TRANSCRIPT: msgspec.json.Decoder[shapes.TranscriptLine] = msgspec.json.Decoder(
    shapes.TranscriptLine, strict=False
)


def stream_events(agent: str, line: bytes) -> list[Event]:
    """Events of one line of the agent's stdout. `agent`: its name, with which every request key begins.

    Raises:
        UnreadableLine: with a short reason.
    """
    match decode(line, _STREAM):
        case shapes.StreamAssistant() as shape:
            return assistant_events(agent, shape, line)
        case shapes.StreamUser() as shape:
            return user_events(shape)
        case shapes.StreamSystem() as shape:
            return stream_system_events(shape)
        case shapes.Result() as shape:
            return result_events(shape)
        case shapes.RateLimitEvent() as shape:
            return limit_events(shape)
        case str() as line_type:
            return [Unrecognised(line_type=name_of(line_type))]
        case _:
            return []


def transcript_events(agent: str, line: bytes, *, mirror: bool = False) -> list[Event]:
    """Events of one line of a transcript, a subagent's included; otherwise like `stream_events`.

    `mirror`: texts and tools are left out, the stream tells them.

    Raises:
        UnreadableLine: with a short reason.
    """
    match decode(line, _TRANSCRIPT):
        case shapes.TranscriptAssistant() as shape:
            return assistant_events(agent, shape, line, told=not mirror)
        case shapes.TranscriptUser() as shape:
            return user_events(shape, told=not mirror)
        case shapes.TranscriptSystem() as shape:
            return transcript_system_events(shape)
        case shapes.CostState() as shape:
            return cost_state_events(shape)
        case str() as line_type:
            return [Unrecognised(line_type=name_of(line_type))]
        case _:
            return []
