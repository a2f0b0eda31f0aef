"""What an import did, and how far it is."""

from __future__ import annotations

import msgspec


class Progress(msgspec.Struct):
    """How far an import is. Bytes are those of files that hold something new."""

    files: int = 0
    files_done: int = 0
    bytes: int = 0
    bytes_done: int = 0
    requests: int = 0


class Unread(msgspec.Struct, frozen=True, rename="camel"):
    """A file that could not be imported, and why."""

    path: str
    reason: str


class Imported(msgspec.Struct, rename="camel"):
    """What an import did. `requests` counts each as often as a file told it; `left` are files that acd records itself.

    `unread` could not be read, which is a failure; `passed_over` are not read by their kind.
    """

    files: int = 0
    changed: int = 0
    bytes: int = 0
    lines: int = 0
    left_out: int = 0
    requests: int = 0
    sessions: int = 0
    targets: int = 0
    left: int = 0
    unread: list[Unread] = []
    passed_over: list[Unread] = []
