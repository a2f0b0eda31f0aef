"""The quick way through usual lines tells the same as the thorough one, or leaves the line to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from acd.agents.claude_like.events import transcript_events
from acd.agents.claude_like.quick import request_of
from acd.core.events import RequestSeen

SAMPLES = Path(__file__).parent.parent / "data" / "claude-code"
USAGE: dict[str, Any] = {
    "input_tokens": 7,
    "output_tokens": 5,
    "cache_creation": {"ephemeral_1h_input_tokens": 3},
    "server_tool_use": {"web_search_requests": 1},
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "role": "assistant",
    "model": "claude-opus-4-8[1m]",
    "content": [{"type": "text", "text": "so"}, {"type": "tool_use", "name": "Bash"}],
    "usage": USAGE,
}
LINE: dict[str, Any] = {
    "isSidechain": False,
    "message": MESSAGE,
    "requestId": "req_1",
    "type": "assistant",
    "timestamp": "2026-11-22T20:00:00.000Z",
}
# More than JSON that an agent writes: other types, other texts, other depths in every place.
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["tool_use", "<synthetic>", "assistant", "x" * 300, "naïve", "a\0b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "name", "id"]), inner, max_size=3)
    ),
    max_leaves=4,
)
NAMES = (*LINE, "agentId", "attributionAgent", "isApiErrorMessage", "error", "uuid")


def both(line: bytes) -> tuple[RequestSeen | None, list[RequestSeen]]:
    """What the quick way tells, and what the thorough one does; None where the former passes."""
    quick = request_of("claude-code", line)
    if quick is None:
        return None, []
    found = transcript_events("claude-code", line, mirror=True)
    return quick[1], [event for event in found if isinstance(event, RequestSeen)]


def test_recorded_lines_are_usual() -> None:
    lines = [
        line
        for path in SAMPLES.glob("*.transcript*.jsonl")
        for line in path.read_bytes().splitlines()
        if b'"role":"assistant"' in line and b"<synthetic>" not in line
    ]
    assert len(lines) > 30
    for line in lines:
        quick, thorough = both(line)
        assert [quick] == thorough


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=2),
    st.dictionaries(st.sampled_from(tuple(MESSAGE)), ANYTHING, max_size=2),
    st.dictionaries(st.sampled_from(tuple(USAGE)), ANYTHING, max_size=2),
)
def test_whatever_stands_in_a_line(
    top: dict[str, Any], message: dict[str, Any], usage: dict[str, Any]
) -> None:
    whole = LINE | {"message": MESSAGE | {"usage": USAGE | usage} | message} | top
    quick, thorough = both(json.dumps(whole, separators=(",", ":")).encode())
    assert thorough == ([] if quick is None else [quick])


def test_what_is_not_usual_is_left_to_the_other() -> None:
    def passed(**changes: object) -> bool:
        return request_of("x", json.dumps(LINE | changes, separators=(",", ":")).encode()) is None

    assert not passed()
    assert passed(type="user")
    assert passed(isApiErrorMessage=True)
    assert passed(message=MESSAGE | {"id": None})
    assert passed(message=MESSAGE | {"model": "<synthetic>"})
    assert passed(message=MESSAGE | {"usage": {"input_tokens": -1}})
