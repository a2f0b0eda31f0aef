"""Correcting a feature list's text: what is wrong is replaced in place, and not a byte of anything else changes. Pure.

The file is the user's: its form (a list, or an object with `features`), unknown keys, order, indentation and the names
of the flags stay as they are. Correcting a text that is correct already gives the same text, so that it can be done again.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import NamedTuple

from acd.core.errors import FeatureListError
from acd.core.json_places import BLANK, items_of, members_of, skip_blank, with_member
from acd.core.models import Feature
from acd.harness.feature_entries import WORKING_STATE, features_of

_BOM = b"\xef\xbb\xbf"
_FLAGS = ("passes", "completed")


class _Entry(NamedTuple):
    """An entry: what stands between the one before it and it, its own text, and what it says."""

    gap: str
    text: str
    feature: Feature


class _ListText(NamedTuple):
    """A list's text in parts; `head` ends with the array's bracket, `tail` begins behind its last entry."""

    head: str
    entries: list[_Entry]
    tail: str

    @classmethod
    def of(cls, data: bytes) -> _ListText:
        """Take a list apart.

        Raises:
            FeatureListError: it is none.
        """
        features = features_of(data)
        text = data.removeprefix(_BOM).decode()
        start = skip_blank(text, 0)
        if text[start] == "{":
            start = [each for each in members_of(text, start) if each.name == "features"][-1][
                2
            ].start
        entries, end = [], start + 1
        for place, feature in zip(items_of(text, start), features, strict=True):
            entries.append(_Entry(text[end : place.start], text[place], feature))
            end = place.stop
        return cls(text[: start + 1], entries, text[end:])

    def together(self) -> str:
        return self.head + "".join(each.gap + each.text for each in self.entries) + self.tail


def corrected(
    current: bytes, before: bytes | None, *, withdrawn: Collection[str], guarded: bool
) -> bytes:
    """The list as it has to be.

    Args:
        current: the file as it is.
        before: the file as it was before the session; None: there was none.
        withdrawn: keys of the features that must not count as passing.
        guarded: whether nothing but flags and notes may differ from `before`. Then what is missing or reworded in
            `current` comes back as it was, and a list that cannot be read comes back whole.

    Raises:
        FeatureListError: `current` is no feature list, and there is nothing that could be put in its place.
    """
    guard = _entries_by_key(before) if guarded and before is not None else {}
    try:
        parts = _ListText.of(current)
    except FeatureListError:
        if not guard or before is None:
            raise
        current, parts = before, _ListText.of(before)
    entries = [
        _corrected_entry(each, guard.get(each.feature.key), withdrawn) for each in parts.entries
    ]
    if lost := set(guard) - {each.feature.key for each in entries}:
        if not entries and before is not None:
            return corrected(before, None, withdrawn=withdrawn, guarded=False)
        entries = _with_lost(entries, guard, lost, withdrawn)
    if entries == parts.entries:
        return current
    bom = _BOM if current.startswith(_BOM) else b""
    return bom + parts._replace(entries=entries).together().encode()


def is_set_aside(old: Feature, new: Feature) -> bool:
    """Whether a feature was taken out of what is to be done."""
    return new.skipped and not old.skipped


def _entries_by_key(data: bytes) -> dict[str, _Entry]:
    return {each.feature.key: each for each in _ListText.of(data).entries}


def _corrected_entry(entry: _Entry, before: _Entry | None, withdrawn: Collection[str]) -> _Entry:
    text = entry.text
    if before is not None:
        old, new = before.feature, entry.feature
        if is_set_aside(old, new):
            text = _restored(before.text, text, WORKING_STATE - {"status"})
        elif old.content_sha256 != new.content_sha256:
            text = _restored(before.text, text, WORKING_STATE)
    if entry.feature.key in withdrawn:
        text = _not_passing(text, before)
    return entry._replace(text=text)


def _restored(before: str, current: str, kept: Collection[str]) -> str:
    """The entry as it was, with the state (flags, notes) that it has now."""
    text = before
    for member in members_of(current, 0):
        if member.name in kept:
            text = with_member(text, 0, member.name, current[member.value])
    return text


def _not_passing(text: str, before: _Entry | None) -> str:
    """The entry with its flag set back, under the name that it has; what does not pass stays as it is."""
    values = {each.name: json.loads(text[each.value]) for each in members_of(text, 0)}
    for name in _FLAGS:
        if values.get(name) is not None:
            return with_member(text, 0, name, "false") if values[name] else text
    if values.get("status") is None:
        return text
    old = "pending"
    if before is not None and not before.feature.passes:
        written = [each.value for each in members_of(before.text, 0) if each.name == "status"]
        old = json.loads(before.text[written[-1]]) if written else old
    elif not features_of(f"[{text}]".encode())[0].passes:
        return text
    return with_member(text, 0, "status", json.dumps(old, ensure_ascii=False))


def _with_lost(
    entries: list[_Entry],
    guard: dict[str, _Entry],
    lost: Collection[str],
    withdrawn: Collection[str],
) -> list[_Entry]:
    """The entries with the lost ones behind those that they stood behind before, in the gaps that the list has."""
    lead = entries[0].gap
    blank = lead[len(lead.rstrip(BLANK)) :]
    between = entries[1].gap if len(entries) > 1 else f",{blank or ' '}"
    behind: dict[str | None, list[_Entry]] = {}
    there = {each.feature.key for each in entries}
    anchor: str | None = None
    for key, entry in guard.items():
        if key in lost:
            behind.setdefault(anchor, []).append(_corrected_entry(entry, entry, withdrawn))
        elif key in there:
            anchor = key
    order = [*behind.get(None, ())]
    for each in entries:
        order += [each, *behind.get(each.feature.key, ())]
    known = {each.feature.key: each.gap for each in entries[1:]}
    return [
        each._replace(gap=known.get(each.feature.key, between) if place else lead)
        for place, each in enumerate(order)
    ]
