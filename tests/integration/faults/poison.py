"""Lines that harm a careless reader, by name, each with what becomes of it."""

from __future__ import annotations

from typing import NamedTuple, get_args

from acd.testing.scripted_agent.broken import BrokenKind, broken_line

LONG = 7 * 1024 * 1024 - 1000
"""Nearly the longest line that is read at all (`acd.files.lines.LONGEST_LINE`): what is nested in it costs most."""


class Poison(NamedTuple):
    """`reason` is how the reason for leaving the line out begins; None for a line that is read (or is blank)."""

    name: str
    line: bytes
    reason: str | None


_REASONS = {
    "nul": "malformed JSON",
    "nul_escape": None,
    "lone_surrogate": None,
    "invalid_utf8": None,
    "bom": None,
    "cr": None,
    "truncated": "malformed JSON",
    "nan": "malformed JSON",
    "int64": "unexpected shape",
    "deep": "nested too deeply",
    "duplicate_keys": None,
    "unknown_type": None,
    "not_an_object": "not an object",
    "blank": None,
    "long": "longer than",
}


def _request(inside: bytes) -> bytes:
    return b'{"type":"assistant","message":{"id":"m","model":"claude-opus-5-5",%s}}\n' % inside


def _spending(count: bytes) -> bytes:
    return _request(b'"usage":{"input_tokens":%s}' % count)


def small_poisons() -> list[Poison]:
    """Everything that the scripted agent can print, and more; a long line is 9 MB here."""
    sizes = {"deep": 100_000, "long": 9_000_000}
    kinds: tuple[BrokenKind, ...] = get_args(BrokenKind)
    return [
        *(Poison(kind, broken_line(kind, sizes.get(kind, 0)), _REASONS[kind]) for kind in kinds),
        Poison("deep objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n", "nested"),
        Poison("unclosed", b"[" * 100_000 + b"\n", "not an object"),
        Poison("CR for LF", b'{"type":"user"}\r{"type":"user"}\n', "malformed JSON"),
        Poison("two objects", b'{"type":"user"}{"type":"user"}\n', "malformed JSON"),
        Poison("half a token", _spending(b"1.5"), "unexpected shape"),
        Poison("fewer than no tokens", _spending(b"-1"), "unexpected shape"),
        Poison("tokens in words", _spending(b'"many"'), "unexpected shape"),
        Poison("endless tokens", _spending(b"1e999"), "unexpected shape"),
        Poison("last words", b"Killed\n", "malformed JSON"),
    ]


def large_poisons() -> list[bytes]:
    """What costs most memory to read: nearly the longest lines that are, and one of 100 MB that is not."""
    return [
        broken_line("long", 100_000_000),
        _request(b'"content":[{"type":"text","text":"%s"}]' % (b"\\ud800" * (LONG // 6 - 20))),
        _request(b'"content":[%s]' % _many(b'{"type":"text","text":"a"}')),
        _request(b'"content":[%s]' % _many(b'{"type":"tool_use","id":"a","name":"b"}')),
        _request(
            b'"content":[{"type":"tool_use","id":"a","name":"b","input":{"command":[%s]}}]'
            % _many(b"[]")
        ),
        broken_line("long", LONG - 1000).replace(b"xx", "\U0001f600".encode(), 1),
    ]


def _many(part: bytes) -> bytes:
    """`part` as often as a long line has room for it, with commas between."""
    return ((part + b",") * ((LONG - 200) // (len(part) + 1)))[:-1]
