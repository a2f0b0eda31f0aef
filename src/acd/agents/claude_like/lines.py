"""Bytes of one line → one of the shapes.

Tolerated: a byte order mark, spaces and carriage returns around the object, duplicate keys (the last wins), halves
of surrogate pairs and bytes that are not UTF-8 (become U+FFFD), whole numbers written as `3.0`.
Everything else that is not one JSON object with the shape of its type is an `UnreadableLine`, whose message never
quotes the line: it goes into logs and counts by reason.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from acd.agents.claude_like.shapes import Head
from acd.core.errors import UnreadableLine

# Far above any line with usage in it (those hold one block of a reply); reading a line may cost a few times its size.
LONGEST = 16 * 1024**2

_HEAD = msgspec.json.Decoder(Head)
_BOM = b"\xef\xbb\xbf"
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)",
    re.DOTALL,
)
_LONE_SURROGATE_SIZE = len(rb"\ud800")

T = TypeVar("T")


def decode(line: bytes, decoder: msgspec.json.Decoder[T]) -> T | str | None:
    """The line's shape; its `type` when that is not one that `decoder` knows; None for a blank line.

    Raises:
        UnreadableLine: with a short reason.
    """
    if len(line) > LONGEST:
        raise UnreadableLine(f"longer than {LONGEST} bytes")
    line = line.removeprefix(_BOM).strip(b" \t\r\n")
    if not line:
        return None
    try:
        return _decode(_as_utf8(line), decoder)
    except RecursionError:
        raise UnreadableLine("nested too deeply") from None


def _as_utf8(line: bytes) -> bytes:
    """What is not UTF-8 in a text costs those characters and not the line: tokens stand in ASCII beside it."""
    if line.isascii():
        return line
    try:
        line.decode()
    except UnicodeDecodeError:
        return line.decode(errors="replace").encode()
    return line


def _decode(line: bytes, decoder: msgspec.json.Decoder[T]) -> T | str:
    try:
        return decoder.decode(line)
    except msgspec.ValidationError as error:
        message = str(error)
        if " - at `$" in message and not message.endswith("at `$.type`"):
            raise UnreadableLine(f"unexpected shape: {message}") from None
        return _unknown_type(line)
    except msgspec.DecodeError:
        repaired = _without_lone_surrogates(line)
        if repaired != line:
            return _decode(repaired, decoder)
        raise UnreadableLine("malformed JSON") from None


def _unknown_type(line: bytes) -> str:
    try:
        found = _HEAD.decode(line).type
    except msgspec.ValidationError:
        raise UnreadableLine("not an object") from None
    except msgspec.DecodeError:
        raise UnreadableLine("malformed JSON") from None
    return found if isinstance(found, str) and found else "(no type)"


def _without_lone_surrogates(line: bytes) -> bytes:
    r"""JavaScript writes half a pair as `\ud83d` (a text cut inside an emoji); the decoder calls that truncated."""
    return _ESCAPE.sub(lambda m: rb"\ufffd" if len(m[0]) == _LONE_SURROGATE_SIZE else m[0], line)
