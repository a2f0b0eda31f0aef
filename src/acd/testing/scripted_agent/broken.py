"""Lines that no reader likes, by name. None stands for a request: acd may count nothing from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

BrokenKind = Literal[
    "nul",
    "nul_escape",
    "lone_surrogate",
    "invalid_utf8",
    "bom",
    "cr",
    "truncated",
    "nan",
    "int64",
    "deep",
    "duplicate_keys",
    "unknown_type",
    "not_an_object",
    "blank",
    "long",
]

_HEAD = b'{"type":"user","message":{"role":"user","content":[{"type":"text","text":"'
_TAIL = b'"}]},"parent_tool_use_id":null}'


def _saying(text: bytes) -> bytes:
    return _HEAD + text + _TAIL


def _huge_number() -> bytes:
    usage = b'{"input_tokens":1%s,"output_tokens":1}' % (b"0" * 30)
    message = b'{"id":"msg_broken_int64","role":"assistant","model":"claude-opus-5-5","content":[]'
    return b'{"type":"assistant","message":%s,"usage":%s}}' % (message, usage)


def _deep(size: int) -> bytes:
    nested = b"[" * size + b"]" * size
    return b'{"type":"user","message":{"role":"user","content":%s}}' % nested


_LINES: Mapping[str, Callable[[int], bytes]] = MappingProxyType(
    {
        "nul": lambda _: _saying(b"a\x00b"),
        "nul_escape": lambda _: _saying(b"a\\u0000b"),
        "lone_surrogate": lambda _: _saying(b"a\\ud800b"),
        "invalid_utf8": lambda _: _saying(b"a\xff\xfe\xc3b"),
        "bom": lambda _: b"\xef\xbb\xbf" + _saying(b"after a BOM"),
        "cr": lambda _: _saying(b"before a CR") + b"\r",
        "truncated": lambda _: _saying(b"half of a line")[:60],
        "nan": lambda _: b'{"type":"user","message":{"role":"user","content":[]},"score":NaN}',
        "int64": lambda _: _huge_number(),
        "deep": _deep,
        "duplicate_keys": lambda _: b'{"type":"user",' + _saying(b"twice")[1:],
        "unknown_type": lambda _: b'{"type":"holiday","subtype":"carnival"}',
        "not_an_object": lambda _: b"[1, 2, 3]",
        "blank": lambda _: b"",
        "long": lambda size: _saying(b"x" * size),
    }
)


def broken_line(kind: BrokenKind, size: int) -> bytes:
    """The line with its line end. `size`: depth of `deep`, bytes of `long`."""
    return _LINES[kind](size) + b"\n"
