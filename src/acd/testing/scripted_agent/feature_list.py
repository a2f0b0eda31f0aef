"""Reading and changing a feature list the way an agent does: in the file's own form, touching nothing else.

Knows both forms (a list, or an object with `features`) and the synonyms `id|key`, `passes|completed|status`. It is
the agent's own code: acd has another reader, and neither may hide a mistake of the other.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_LINE = re.compile(r"^\W*Feature list:\s*`?(?P<path>.+?)`?\s*$", re.MULTILINE)
_DONE = frozenset({"passing", "passed", "done", "complete", "completed"})
_OUT = frozenset({"blocked", "skipped", "removed"})

FeatureEntry = dict[str, Any]


def path_in_prompt(prompt: str) -> str | None:
    """The path that the prompt names in its line `Feature list: <path>`."""
    found = _LINE.search(prompt)
    return found["path"] if found else None


def key_of(entry: FeatureEntry) -> str:
    """The entry's id, else its name."""
    for field in ("id", "key", "name", "title", "description"):
        if field in entry:
            return str(entry[field])
    return ""


def is_passing(entry: FeatureEntry) -> bool:
    """Whether the entry claims to work."""
    if "passes" in entry:
        return entry["passes"] is True
    if "completed" in entry:
        return entry["completed"] is True
    return str(entry.get("status", "")).lower() in _DONE


def set_passing(entry: FeatureEntry, passes: bool) -> None:
    """Set the flag in whichever field the entry uses."""
    if "passes" not in entry and "completed" in entry:
        entry["completed"] = passes
    elif "passes" not in entry and "status" in entry:
        entry["status"] = "passing" if passes else "pending"
    else:
        entry["passes"] = passes


def _priority(entry: FeatureEntry) -> int:
    digits = re.search(r"-?\d+", str(entry.get("priority", "")))
    return int(digits[0]) if digits else 99


class FeatureList:
    """A feature list file held in memory; `save` writes it back with the indentation that it had."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = path.read_text(encoding="utf-8")
        indent = re.search(r"\n([ \t]+)\S", text)
        self._indent = indent[1] if indent else None
        self._document = json.loads(text)

    @property
    def entries(self) -> list[FeatureEntry]:
        """The entries themselves; changing them changes what `save` writes."""
        document = self._document
        entries: list[FeatureEntry] = (
            document if isinstance(document, list) else document["features"]
        )
        return entries

    def find(self, key: str) -> FeatureEntry | None:
        """The entry with that key."""
        return next((entry for entry in self.entries if key_of(entry) == key), None)

    def next_pending(self) -> FeatureEntry | None:
        """The most important entry that does not pass yet, in the file's order among equals."""
        pending = [e for e in self.entries if not is_passing(e) and e.get("status") not in _OUT]
        return min(pending, key=_priority, default=None)

    def text(self) -> str:
        """The file as it is going to be."""
        return json.dumps(self._document, indent=self._indent, ensure_ascii=False) + "\n"

    def save(self) -> None:
        """Write the file."""
        self.path.write_text(self.text(), encoding="utf-8")


def create(path: Path, features: list[FeatureEntry], *, as_object: bool = False) -> None:
    """Write a new list in one of the two forms."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"features": features} if as_object else features
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
