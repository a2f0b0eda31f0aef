"""What Claude Code's stream and transcript share with those of agents modelled on it.

An adapter of such an agent calls `stream_events` and `transcript_events` with its own name; both are pure functions
of one line. Facts behind every rule: measured with Claude Code 2.1.330 and 2.1.197 (samples in tests/data/claude-code).

    lines.py    bytes → one of the shapes, with what is tolerated and what is unreadable
    shapes.py   the fields that are read, once for the stream (snake_case) and once for the transcript (camelCase)
    events.py   a shape → events
    content.py  a message's content → events of text and tools
    usage.py    tokens, money, times
    failures.py fields of a failure → our error type
"""

from acd.agents.claude_like.events import stream_events, transcript_events

__all__ = ["stream_events", "transcript_events"]
