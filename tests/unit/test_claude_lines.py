"""Lines as they should not be: what is tolerated, what is unreadable, and that nothing else happens."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.agents.claude_like import stream_events, transcript_events
from acd.agents.claude_like.lines import LONGEST
from acd.core.errors import UnreadableLine
from acd.core.events import (
    AgentStarted,
    Event,
    LimitSeen,
    Reported,
    RequestSeen,
    TextSaid,
    ToolUsed,
    Unrecognised,
)
from acd.core.models import Usage

Reader = Callable[[str, bytes], list[Event]]
READERS = pytest.mark.parametrize("read", [stream_events, transcript_events])

SAMPLES = Path(__file__).parent.parent / "data" / "claude-code"
GOLDEN = [
    line
    for path in sorted(SAMPLES.glob("[abcmnq]_*.jsonl"))
    for line in path.read_bytes().splitlines()
]


def assistant(*content: Any, usage: Any = None, **fields: Any) -> bytes:  # noqa: ANN401
    message = {"id": "msg_1", "model": "claude-opus-5-5", "content": content, "usage": usage}
    return json.dumps({"type": "assistant", "message": message, **fields}).encode()


def request_of(line: bytes) -> RequestSeen:
    event = stream_events("claude-code", line)[0]
    assert isinstance(event, RequestSeen)
    return event


UNREADABLE = {
    "words": (b"Segmentation fault", "malformed JSON"),
    "cut": (assistant()[:-9], "malformed JSON"),
    "two in one": (assistant() + assistant(), "malformed JSON"),
    "NUL": (b"\x00\x00\x00\x00", "malformed JSON"),
    "NUL in a string": (
        assistant({"type": "text", "text": "a?b"}).replace(b"?", b"\0"),
        "malformed JSON",
    ),
    "array": (b"[1]", "not an object"),
    "number": (b"17", "not an object"),
    "NaN": (b'{"type": "assistant", "x": NaN}', "malformed JSON"),
    "NaN after an unknown type": (b'{"type": "new", "x": NaN}', "malformed JSON"),
    "over int64": (assistant(usage={"input_tokens": 2**63}), "unexpected shape"),
    "far over int64": (assistant(usage={"output_tokens": 10**40}), "unexpected shape"),
    "more than a double counts": (assistant(usage={"input_tokens": 2**53 + 1}), "unexpected shape"),
    "negative tokens": (assistant(usage={"input_tokens": -1}), "unexpected shape"),
    "part of a token": (assistant(usage={"input_tokens": 1.5}), "unexpected shape"),
    "usage is a list": (assistant(usage=[1]), "unexpected shape"),
    "infinite cost": (b'{"type": "result", "total_cost_usd": 1e999}', "unexpected shape"),
    "deep array": (b'{"type": "user", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "deep object": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested"),
    "too long": (b'{"type": "user", "x": "' + b"x" * LONGEST + b'"}', "longer than"),
}


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_unreadable(name: str) -> None:
    line, reason = UNREADABLE[name]
    with pytest.raises(UnreadableLine, match=reason) as caught:
        stream_events("claude-code", line)
    assert len(str(caught.value)) < 200
    assert "Segmentation" not in str(caught.value)


@READERS
@pytest.mark.parametrize("opening", [b'{"a":', b"[", b'{"type":"user","message":{"content":['])
def test_a_nesting_bomb_costs_neither_stack_nor_time(read: Reader, opening: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(UnreadableLine):
        read("claude-code", opening * 100_000)
    assert time.process_time() - begun < 1


def test_a_line_of_100_mb_costs_no_memory() -> None:
    line = b'{"type":"user","message":{"content":"' + b"x" * 100_000_000 + b'"}}'
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableLine, match="longer than"):
            stream_events("claude-code", line)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@READERS
@pytest.mark.parametrize("line", [b"", b" ", b"\r", b"\xef\xbb\xbf", b" \t \r"])
def test_a_blank_line_is_nothing(read: Reader, line: bytes) -> None:
    assert read("claude-code", line) == []


@pytest.mark.parametrize(
    "dress",
    [
        lambda line: b"\xef\xbb\xbf" + line,
        lambda line: line + b"\r",
        lambda line: line + b"\r\n",
        lambda line: b"  \t" + line + b"  ",
    ],
)
def test_what_stands_around_the_object_changes_nothing(dress: Callable[[bytes], bytes]) -> None:
    line = assistant({"type": "text", "text": "hello"}, usage={"input_tokens": 3})
    assert stream_events("claude-code", dress(line)) == stream_events("claude-code", line)


@READERS
def test_bytes_that_are_no_utf8_cost_their_characters_and_not_the_usage(read: Reader) -> None:
    line = assistant({"type": "text", "text": "a?b"}, usage={"input_tokens": 3})
    request, text = read("claude-code", line.replace(b"?", b"\xff\xed\xa0\x80"))
    assert isinstance(request, RequestSeen)
    assert request.usage.input_tokens == 3
    assert isinstance(text, TextSaid)
    assert (text.text[0], text.text[-1]) == ("a", "b")
    assert read("claude-code", b'{"type": "attachment", "x": "\xff"}') in (
        [],
        [Unrecognised(line_type="attachment")],
    )


def test_half_a_surrogate_pair_costs_one_character_and_not_the_usage() -> None:
    line = assistant(
        {"type": "text", "text": "cut \ud83d here \\ud83d 😀"}, usage={"input_tokens": 3}
    )
    request, text = stream_events("claude-code", line)
    assert isinstance(request, RequestSeen)
    assert request.usage.input_tokens == 3
    assert isinstance(text, TextSaid)
    assert text.text == "cut \ufffd here \\ud83d 😀"


def test_an_escaped_nul_is_replaced() -> None:
    events = stream_events("claude-code", assistant({"type": "text", "text": "a\0b"}))
    assert isinstance(events[1], TextSaid)
    assert events[1].text == "a\ufffdb"


def test_of_two_equal_keys_the_last_wins() -> None:
    line = assistant(usage={"input_tokens": 3}).replace(b"3}", b'3, "input_tokens": 4}')
    assert request_of(line).usage.input_tokens == 4


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, Usage()),
        ({}, Usage()),
        ({"input_tokens": None, "output_tokens": 7.0}, Usage(output_tokens=7)),
        ({"input_tokens": 2**53}, Usage(input_tokens=2**53)),
        ({"cache_creation_input_tokens": 9}, Usage(cache_write_tokens=9)),
        (
            {"cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3}},
            Usage(cache_write_tokens=5, cache_write_5m_tokens=2, cache_write_1h_tokens=3),
        ),
        (
            {
                "cache_creation_input_tokens": 9,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 2,
                    "ephemeral_1h_input_tokens": None,
                },
            },
            Usage(cache_write_tokens=9, cache_write_5m_tokens=2),
        ),
        (
            {"server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 5}},
            Usage(web_searches=2),
        ),
        (
            {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}},
            Usage(output_tokens=9, reasoning_tokens=4),
        ),
    ],
)
def test_usage(usage: Any, expected: Usage) -> None:  # noqa: ANN401
    assert request_of(assistant(usage=usage)).usage == expected


def test_the_key_is_the_message_else_the_uuid_else_a_hash() -> None:
    def key(message_id: object, uuid: object) -> str:
        message = {"id": message_id, "model": "m"}
        line = json.dumps({"type": "assistant", "message": message, "uuid": uuid}).encode()
        return request_of(line).request_key

    assert key("msg_1", "u-1") == "claude-code:msg_1"
    assert key(None, "u-1") == "claude-code:u-1"
    assert key("x" * 10_000, "u-1") == "claude-code:u-1"
    assert key("a\0", 5) != key("a\ufffd", None) == "claude-code:a\ufffd"
    hashed = key(None, None)
    assert len(hashed) == len("claude-code:") + 64
    assert hashed != key(None, 7)


def test_the_mark_of_the_long_context_is_no_part_of_a_models_name() -> None:
    message = {"id": "m", "model": "claude-opus-4-8[1m]"}
    assert request_of(json.dumps({"type": "assistant", "message": message}).encode()).model == (
        "claude-opus-4-8"
    )
    usage = {"inputTokens": 1, "costUSD": 0.1}
    models = {"claude-opus-4-8[1m]": usage, "claude-opus-4-8": usage}
    line = json.dumps({"type": "result", "subtype": "success", "modelUsage": models}).encode()
    (report,) = stream_events("claude-code", line)
    assert isinstance(report, Reported)
    assert {name: r.usage.input_tokens for name, r in report.models.items()} == {
        "claude-opus-4-8": 2
    }
    assert str(report.models["claude-opus-4-8"].cost_usd) == "0.2"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0.016560000000000002", "0.01656"),
        ("0.0036559999999999995", "0.003656"),
        ("0.00044800000000000005", "0.000448"),
        ("1e-8", "0.00000001"),
        ("0", "0"),
        ("100", "100"),
        ("1234.5", "1234.5"),
    ],
)
def test_money_has_no_noise(written: str, read: str) -> None:
    line = f'{{"type": "result", "subtype": "success", "total_cost_usd": {written}}}'.encode()
    (report,) = stream_events("claude-code", line)
    assert isinstance(report, Reported)
    assert report.cost_usd is not None
    assert f"{report.cost_usd:f}" == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-22T20:25:49.470Z", "2026-11-22T20:25:49.470000+00:00"),
        ("2026-11-22T21:25:49+01:00", "2026-11-22T20:25:49+00:00"),
        ("2026-11-22T20:25:49", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        (1795379148761, None),
        (None, None),
        ({}, None),
    ],
)
def test_a_bad_time_costs_the_time_only(written: object, read: str | None) -> None:
    at = request_of(assistant(timestamp=written)).at
    assert (at.isoformat() if at else None) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("/home/me/sk-abcdefgh12/repo", "/home/me/sk-abcdefgh12/repo"),
        ("/" + "d" * 600, "/" + "d" * 600),
        ("/" + "d" * 5000, None),
        ("", None),
        (7, None),
    ],
)
def test_the_working_directory_is_kept_as_it_is(written: object, read: str | None) -> None:
    init = {"type": "system", "subtype": "init", "session_id": "s", "cwd": written}
    first = {"type": "user", "sessionId": "s", "cwd": written}
    for event in (
        stream_events("claude-code", json.dumps(init).encode())[0],
        transcript_events("claude-code", json.dumps(first).encode())[0],
    ):
        assert isinstance(event, AgentStarted)
        assert event.cwd == read


@pytest.mark.parametrize("resets_at", [None, "soon", 1e30, -1e30, True, {}])
def test_a_bad_reset_costs_the_reset_only(resets_at: object) -> None:
    info = {"status": "rejected", "resetsAt": resets_at, "rateLimitType": "seven_day"}
    line = json.dumps({"type": "rate_limit_event", "rate_limit_info": info}).encode()
    assert stream_events("claude-code", line) == [LimitSeen(status="rejected", window="seven_day")]


@pytest.mark.parametrize(
    ("given_input", "text"),
    [
        ({"description": "d", "command": "ls -la"}, "ls -la"),
        ({"content": "x", "file_path": "/a/b"}, "/a/b"),
        ({"pattern": "TODO", "output_mode": "count"}, "TODO"),
        ({"description": "look around", "prompt": "p"}, "look around"),
        ({"command": "curl -H 'Authorization: Bearer abcdefgh1234'"}, "curl -H 'Authorization: Bearer [redacted]'"),
        ({"command": "x" * 5_000}, "x" * 299 + "…"),
        ({"command": 5}, ""),
        ({}, ""),
        (["not", "an", "object"], ""),
        (None, ""),
    ],
)  # fmt: skip
def test_short_form_of_a_call(given_input: object, text: str) -> None:
    block = {"type": "tool_use", "id": "t", "name": "Any", "input": given_input}
    request, call = stream_events("claude-code", assistant(block))
    assert isinstance(request, RequestSeen)
    assert request.tools == ["Any"]
    assert call == ToolUsed(tool_use_id="t", name="Any", text=text)


@READERS
@pytest.mark.parametrize(
    ("line", "line_type"),
    [
        ({"type": "brand-new", "x": 1}, "brand-new"),
        ({"type": "system", "subtype": "brand_new"}, "system/brand_new"),
        ({"x": 1}, "(no type)"),
        ({"type": None}, "(no type)"),
        ({"type": 7}, "(no type)"),
        ({"type": "x" * 9_000}, "x" * 199 + "…"),
        ({"type": "assistant"}, "assistant without message"),
        ({"type": "assistant", "message": {"model": "<synthetic>", "content": 7}}, "assistant content"),
        ({"type": "user", "message": {"content": 7}}, "user content"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_kept_as_such(
    read: Reader, line: dict[str, Any], line_type: str
) -> None:
    assert read("claude-code", json.dumps(line).encode()) == [Unrecognised(line_type=line_type)]


def test_a_limit_of_unknown_status_is_unrecognised() -> None:
    line = b'{"type": "rate_limit_event", "rate_limit_info": {"status": "paused"}}'
    assert stream_events("claude-code", line) == [Unrecognised(line_type="rate_limit_event/paused")]


def test_strange_content_costs_the_content_and_not_the_usage() -> None:
    line = assistant(usage={"input_tokens": 3}).replace(b'"content": []', b'"content": {"a": 1}')
    request, rest = stream_events("claude-code", line)
    assert isinstance(request, RequestSeen)
    assert request.usage.input_tokens == 3
    assert isinstance(rest, Unrecognised)


def check_nothing_but_events_or_unreadable(read: Reader, line: bytes) -> None:
    reason, events = "", []
    try:
        events = read("claude-code", line)
    except UnreadableLine as error:
        reason = str(error)
    assert len(reason) < 200
    assert all(isinstance(event, Event) for event in events)


@READERS
@given(line=st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes(read: Reader, line: bytes) -> None:
    check_nothing_but_events_or_unreadable(read, line)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@READERS
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_genuine_line_with_any_value_in_any_place(read: Reader, data: st.DataObject) -> None:
    line = json.loads(data.draw(st.sampled_from(GOLDEN)))
    place = line
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not (isinstance(place[key], dict) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = data.draw(JSON_VALUES)
    check_nothing_but_events_or_unreadable(read, json.dumps(line).encode())


@READERS
@given(line=st.sampled_from(GOLDEN), position=st.integers(0, 5_000), noise=st.binary(max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_genuine_line_with_damage(read: Reader, line: bytes, position: int, noise: bytes) -> None:
    position %= len(line)
    damaged = line[:position] + noise + line[position + len(noise) :]
    check_nothing_but_events_or_unreadable(read, damaged)
