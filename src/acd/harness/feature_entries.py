"""From the text of a feature list, in either of its known forms, to `Feature`s. Pure.

Known forms: a list of entries, or an object whose `features` is one. An entry has `id` or `key`; `name`, `title` or
`description`; `passes`, `completed` or `status`; a priority that is a number or "P1"; all but a name are optional.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from acd.core.errors import FeatureListError
from acd.core.models import Feature
from acd.core.text import shorten, storable

_LONGEST_NAME = 200
WORKING_STATE = frozenset({"passes", "completed", "status", "notes", "note"})
"""What a session may change in an entry; everything else is the feature's wording."""

_PASSING = {"passing", "passed", "pass", "passes", "completed", "complete", "done", "implemented"}
_SKIPPED = {"skipped", "skip", "wontfix", "deferred"}
_PRIORITY_WORDS: Mapping[str, int] = {"critical": 0, "high": 1, "medium": 2, "low": 3}

Entry = dict[str, Any]


def features_of(data: bytes) -> list[Feature]:
    """The features of a list, in its order.

    Raises:
        FeatureListError: it is no such list; names the entry by its place and key, and what is wrong with it.
    """
    features: list[Feature] = []
    places: dict[str, int] = {}
    for place, entry in enumerate(_entries(data), start=1):
        feature = _feature(entry, place)
        if feature.key in places:
            raise FeatureListError(
                f'entries {places[feature.key]} and {place} have the same key "{feature.key}"'
            )
        places[feature.key] = place
        features.append(feature)
    return features


def _entries(data: bytes) -> list[object]:
    try:
        document = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FeatureListError(f"no valid JSON: {error}") from error
    entries = document.get("features") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise FeatureListError('expected a list of features, or an object with a list "features"')
    return entries


def _feature(entry: object, place: int) -> Feature:
    if not isinstance(entry, dict):
        raise FeatureListError(f"entry {place}: expected an object, not {_kind(entry)}")
    reader = _EntryReader(entry, f"entry {place}")
    description = reader.text("description")
    name = reader.text("name", "title") or description
    key = reader.key() or (hashlib.sha256(name.encode()).hexdigest()[:16] if name else "")
    if not key or not name:
        raise reader.error('has neither "name", "title" nor "description"')
    passes, skipped = reader.state()
    return Feature(
        key=key,
        name=shorten(name, _LONGEST_NAME),
        passes=passes,
        description=description,
        category=reader.text("category") or None,
        priority=reader.priority(),
        steps=reader.steps(),
        skipped=skipped,
        verify=reader.text("verify") or None,
        content_sha256=_wording_sha256(entry),
    )


class _EntryReader:
    """One entry, with errors that name it."""

    def __init__(self, entry: Entry, where: str) -> None:
        self._entry = entry
        self._where = where
        if key := self.key():
            self._where = f'{where} ("{key}")'

    def error(self, problem: str) -> FeatureListError:
        return FeatureListError(f"{self._where} {problem}")

    def key(self) -> str:
        for name in ("id", "key"):
            value = self._entry.get(name)
            if isinstance(value, bool) or not isinstance(value, str | int | None):
                raise self._wrong(name, value, "a text or a number")
            if value not in (None, ""):
                return storable(str(value))
        return ""

    def text(self, *names: str) -> str:
        for name in names:
            value = self._entry.get(name)
            if not isinstance(value, str | None):
                raise self._wrong(name, value, "a text")
            if value and value.strip():
                return storable(value.strip())
        return ""

    def state(self) -> tuple[bool, bool]:
        """Whether the feature passes, and whether it is left out; `passes` decides where several names are given."""
        status = self.text("status").lower()
        skipped = status in _SKIPPED or self._truth("skipped") is True
        for name in ("passes", "completed"):
            if (value := self._truth(name)) is not None:
                return value, skipped
        return status in _PASSING, skipped

    def priority(self) -> int | None:
        value = self._entry.get("priority")
        if value is None or value == "":
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._bounded(value)
        if isinstance(value, str):
            word = value.strip().lower()
            if found := re.fullmatch(r"p?(-?\d{1,9})", word):
                return int(found.group(1))
            if word in _PRIORITY_WORDS:
                return _PRIORITY_WORDS[word]
        raise self._wrong("priority", value, 'a whole number, "P1" or the like')

    def steps(self) -> list[str]:
        value = self._entry.get("steps")
        if value is None:
            return []
        if isinstance(value, str):
            return [storable(value)]
        if not isinstance(value, list):
            raise self._wrong("steps", value, "a list of texts")
        return [storable(self._step(step)) for step in value]

    def _step(self, step: object) -> str:
        """Steps that are objects keep their words, as compact JSON."""
        return step if isinstance(step, str) else msgspec.json.encode(step).decode()

    def _truth(self, name: str) -> bool | None:
        value = self._entry.get(name)
        if not isinstance(value, bool | None):
            raise self._wrong(name, value, "true or false")
        return value

    def _bounded(self, value: int) -> int:
        if abs(value) > 999_999_999:
            raise self._wrong("priority", value, "a smaller number")
        return value

    def _wrong(self, name: str, value: object, expected: str) -> FeatureListError:
        return self.error(f'"{name}" must be {expected}, not {_kind(value)}')


_KINDS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (str, lambda value: f'"{shorten(value, 40)}"'),
    (dict, lambda _: "an object"),
    (list, lambda _: "a list"),
)


def _kind(value: object) -> str:
    for kind, describe in _KINDS:
        if isinstance(value, kind):
            return describe(value)
    return "null" if value is None else shorten(str(value), 40)


def _wording_sha256(entry: Entry) -> str:
    wording = {name: value for name, value in entry.items() if name not in WORKING_STATE}
    return hashlib.sha256(msgspec.json.encode(wording, order="sorted")).hexdigest()
