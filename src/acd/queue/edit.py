"""Changing one value of one entry of the queue file, and not a byte of anything else.

The file belongs to its owner: order, unknown keys, indentation, line ends and a byte order mark stay as they are. So the
value's place in the text is found and only that is replaced; the file is never written out anew from what was
understood. A reader sees the old file or the new one, never a part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from acd.core.errors import ConfigError, QueueFileError
from acd.core.json_places import items_of, members_of, skip_blank, with_member
from acd.files.replacing import Stamp, replace_file, stamp_of
from acd.queue.file import QueueFile, parse_queue_file, read_queue_file

Name = Literal["priority", "enabled"]
Value = int | bool

_BOM = b"\xef\xbb\xbf"
_PRIORITY = re.compile(r"\s*([Pp]?)[+-]?\d{1,9}\s*")
_ATTEMPTS = 5


class NotInFile(ConfigError):
    """The queue file has no such entry any more."""


def change_entry(path: Path, repo_id: str, name: Name, value: Value) -> QueueFile:
    """Give an entry's key a value, in the file; what it says then. Callers exclude each other by a lock.

    Raises:
        NotInFile: no usable entry has that id.
        QueueFileError: it is no queue file (any more), or somebody else keeps changing it.
        ConfigError: it cannot be written.
    """
    for _ in range(_ATTEMPTS):
        queue = read_queue_file(path)
        before = stamp_of(queue.path)
        raw = queue.path.read_bytes()
        text = raw.removeprefix(_BOM).decode()
        if text != queue.text:
            continue  # it was changed between the two looks
        changed = changed_text(queue, repo_id, name, value)
        if changed.text == text:
            return changed
        bom = _BOM if raw.startswith(_BOM) else b""
        if _replace(queue.path, bom + changed.text.encode(), before):
            return changed
    raise QueueFileError(f"{path}: somebody else is changing it all the time; try again")


def changed_text(queue: QueueFile, repo_id: str, name: Name, value: Value) -> QueueFile:
    """The file with an entry's key changed; nothing is written.

    Raises:
        NotInFile: no usable entry has that id.
        QueueFileError: the change of that one value would change more than that.
    """
    now = {target.repo_id: target for target in queue.targets}
    if repo_id not in now:
        raise NotInFile(f"{queue.path}: no usable entry has the id {repo_id!r}")
    now[repo_id] = msgspec.structs.replace(now[repo_id], **{name: value})
    for entry in entries_of(queue.text):
        if _id_of(queue.text, entry) != repo_id:
            continue
        changed = parse_queue_file(_with_value(queue.text, entry, name, value), queue.path)
        # Several entries may claim an id: the one that counts is that whose change changes this target and no more.
        same = changed.problems == queue.problems
        if same and {target.repo_id: target for target in changed.targets} == now:
            return changed
    raise QueueFileError(
        f"{queue.path}: the entry {repo_id!r} cannot be changed alone; edit the file"
    )


def entries_of(text: str) -> Iterator[slice]:
    """Where the entries of `repos` stand in the text of a queue file (which is known to be one)."""
    start = skip_blank(text, 0)
    repos = [member for member in members_of(text, start) if member.name == "repos"][-1]
    yield from items_of(text, repos.value.start)


def _id_of(text: str, entry: slice) -> object:
    if text[entry.start] != "{":
        return None
    found = [member for member in members_of(text, entry.start) if member.name == "id"]
    return json.loads(text[found[-1].value]) if found else None


def _with_value(text: str, entry: slice, name: str, value: Value) -> str:
    known = [member.value for member in members_of(text, entry.start) if member.name == name]
    written = _as_before(text[known[-1]], value) if known else json.dumps(value)
    return with_member(text, entry.start, name, written)


def _as_before(old: str, value: Value) -> str:
    """The value in the form of the one before: `"P1"` becomes `"P3"`."""
    written = json.loads(old)
    form = _PRIORITY.fullmatch(written) if isinstance(written, str) else None
    if form is None or isinstance(value, bool):
        return json.dumps(value)
    return json.dumps(f"{form[1]}{value}")


def _replace(path: Path, content: bytes, before: Stamp) -> bool:
    """Put the content in the file's place; False where it was changed meanwhile.

    Raises:
        ConfigError: the folder or the disk does not let us.
    """
    try:
        return replace_file(path, content, before)
    except OSError as error:
        raise ConfigError(f"{path} cannot be changed: {error.strerror}") from error
