"""Changing one value of one entry of the queue file, and not a byte of anything else.

The file belongs to its owner: order, unknown keys, indentation, line ends and a byte order mark stay as they are. So the
value's place in the text is found and only that is replaced; the file is never written out anew from what was
understood. A reader sees the old file or the new one, never a part.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from acd.core.errors import ConfigError, QueueFileError
from acd.queue.file import QueueFile, parse_queue_file, read_queue_file

Name = Literal["priority", "enabled"]
Value = int | bool

_DECODER = json.JSONDecoder()
_BLANK = " \t\n\r"
_BOM = b"\xef\xbb\xbf"
_PRIORITY = re.compile(r"\s*([Pp]?)[+-]?\d{1,9}\s*")
_ATTEMPTS = 5


class NotInFile(ConfigError):
    """The queue file has no such entry any more."""


class Member(NamedTuple):
    """A member of an object: where its key and its value begin and end in the text."""

    name: str
    key: slice
    value: slice


def change_entry(path: Path, repo_id: str, name: Name, value: Value) -> QueueFile:
    """Give an entry's key a value, in the file; what it says then. Callers exclude each other by a lock.

    Raises:
        NotInFile: no usable entry has that id.
        QueueFileError: it is no queue file (any more), or somebody else keeps changing it.
        ConfigError: it cannot be written.
    """
    for _ in range(_ATTEMPTS):
        queue = read_queue_file(path)
        before = _stamp(queue.path)
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
    start = _skip(text, 0)
    repos = [member for member in members_of(text, start) if member.name == "repos"][-1]
    place = _skip(text, repos.value.start + 1)
    while text[place] != "]":
        _, end = _DECODER.raw_decode(text, place)
        yield slice(place, end)
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)


def members_of(text: str, start: int) -> Iterator[Member]:
    """The members of the object that begins at `start`, in order; a name may come twice (then the last counts)."""
    place = _skip(text, start + 1)
    while text[place] != "}":
        name, key_end = _DECODER.raw_decode(text, place)
        value_start = _skip(text, _skip(text, key_end) + 1)
        _, value_end = _DECODER.raw_decode(text, value_start)
        yield Member(name, slice(place, key_end), slice(value_start, value_end))
        place = _skip(text, value_end)
        if text[place] == ",":
            place = _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    while text[place] in _BLANK:
        place += 1
    return place


def _id_of(text: str, entry: slice) -> object:
    if text[entry.start] != "{":
        return None
    found = [member for member in members_of(text, entry.start) if member.name == "id"]
    return json.loads(text[found[-1].value]) if found else None


def _with_value(text: str, entry: slice, name: str, value: Value) -> str:
    members = list(members_of(text, entry.start))
    known = [member.value for member in members if member.name == name]
    if known:
        place = known[-1]
        return text[: place.start] + _as_before(text[place], value) + text[place.stop :]
    # As the last member is written: what stands before its key, and between its key and its value.
    last = members[-1]
    before = text[: last.key.start]
    blank = before[len(before.rstrip(_BLANK)) :]
    between = text[last.key.stop : last.value.start]
    added = f",{blank}{json.dumps(name)}{between}{json.dumps(value)}"
    return text[: last.value.stop] + added + text[last.value.stop :]


def _as_before(old: str, value: Value) -> str:
    """The value in the form of the one before: `"P1"` becomes `"P3"`."""
    written = json.loads(old)
    form = _PRIORITY.fullmatch(written) if isinstance(written, str) else None
    if form is None or isinstance(value, bool):
        return json.dumps(value)
    return json.dumps(f"{form[1]}{value}")


_Stamp = tuple[int, int, int]


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _replace(path: Path, content: bytes, before: _Stamp) -> bool:
    """Put the content in the file's place, with its permissions; False where it was changed meanwhile.

    Raises:
        ConfigError: the folder or the disk does not let us.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        with draft.open("xb") as file:
            _take_after(path, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if _stamp(path) != before:
            return False
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise ConfigError(f"{path} cannot be changed: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return True


def _take_after(path: Path, descriptor: int) -> None:
    """Mode and owner of the file that is replaced; another owner only where we may give files away."""
    status = path.stat()
    os.fchmod(descriptor, status.st_mode & 0o7777)
    with suppress(PermissionError):
        os.fchown(descriptor, status.st_uid, status.st_gid)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
