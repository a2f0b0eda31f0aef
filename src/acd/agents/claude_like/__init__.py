"""What Claude Code's stream and transcript share with those of agents modelled on it.

An adapter of such an agent calls `stream_events` and `transcript_events` with its own name (both are pure functions
of one line), `find_transcripts` with its configuration folder, and `prompt_argument` for its command line.
Every rule was measured with Claude Code 2.1.330 and 2.1.197 (samples in tests/data/claude-code).

    lines.py    bytes → one of the shapes, with what is tolerated and what is unreadable
    shapes.py   the fields that are read, once for the stream (snake_case) and once for the transcript (camelCase)
    events.py   a line → events, by type: messages.py, system.py, reports.py
    content.py  blocks of a message and short forms of them
    usage.py    tokens, money, times
    failures.py fields of a failure → our error type
    history.py  where transcripts of one session lie
    past.py     its lines as history, for `acd import`; where that lies: acd.agents.layout.transcripts
    launch.py   what a command line takes
"""

from acd.agents.claude_like.events import stream_events, transcript_events
from acd.agents.claude_like.history import find_transcripts
from acd.agents.claude_like.launch import prompt_argument

__all__ = ["find_transcripts", "prompt_argument", "stream_events", "transcript_events"]
