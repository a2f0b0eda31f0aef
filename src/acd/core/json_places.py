"""Where the parts of a JSON text stand in it, so that one can be replaced without touching a byte of the rest. Pure.

The text is known to be JSON: whoever calls has read it before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

BLANK = " \t\n\r"
_DECODER = json.JSONDecoder()


class Member(NamedTuple):
    """A member of an object: where its key and its value begin and end in the text."""

    name: str
    key: slice
    value: slice


def members_of(text: str, start: int) -> Iterator[Member]:
    """The members of the object that begins at `start`, in order; a name may come twice (then the last counts)."""
    place = skip_blank(text, start + 1)
    while text[place] != "}":
        name, key_end = _DECODER.raw_decode(text, place)
        value_start = skip_blank(text, skip_blank(text, key_end) + 1)
        _, value_end = _DECODER.raw_decode(text, value_start)
        yield Member(name, slice(place, key_end), slice(value_start, value_end))
        place = skip_blank(text, value_end)
        if text[place] == ",":
            place = skip_blank(text, place + 1)


def items_of(text: str, start: int) -> Iterator[slice]:
    """The items of the array that begins at `start`, in order."""
    place = skip_blank(text, start + 1)
    while text[place] != "]":
        _, end = _DECODER.raw_decode(text, place)
        yield slice(place, end)
        place = skip_blank(text, end)
        if text[place] == ",":
            place = skip_blank(text, place + 1)


def skip_blank(text: str, place: int) -> int:
    """The first place from `place` on that is not blank."""
    while text[place] in BLANK:
        place += 1
    return place


def with_member(text: str, start: int, name: str, value: str) -> str:
    """The text with a member of the object at `start` given the (JSON) value; a new one is written as the last one is."""
    members = list(members_of(text, start))
    known = [member.value for member in members if member.name == name]
    if known:
        return text[: known[-1].start] + value + text[known[-1].stop :]
    if not members:
        return f"{text[: start + 1]}{json.dumps(name)}: {value}{text[start + 1 :]}"
    # As the last member is written: what stands before its key, and between its key and its value.
    last = members[-1]
    before = text[: last.key.start]
    blank = before[len(before.rstrip(BLANK)) :]
    between = text[last.key.stop : last.value.start]
    added = f",{blank}{json.dumps(name)}{between}{value}"
    return text[: last.value.stop] + added + text[last.value.stop :]
