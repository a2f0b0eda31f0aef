"""A call: a request and how to read its answer, apart from sending it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

T = TypeVar("T")
RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Call(Generic[T]):
    """What is asked. Every call may be repeated: doing it again changes nothing more.

    `read` makes the result of the answer's body; it raises msgspec.ValidationError where the server is one of another kind.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def raw(self) -> Call[bytes]:
        """The same, with the bytes of `data` as PostgreSQL made them in place of types."""
        return Call(self.method, self.path, _raw, self.query, self.body)


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """Rows, and the call for those that follow; None after the last ones. `data` is the array as PostgreSQL made it."""

    rows: list[RowT]
    next: Call[Page[RowT]] | None
    data: bytes


class _Data(msgspec.Struct, rename="camel"):
    data: msgspec.Raw
    next_cursor: str | None = None


def getting(path: str, kind: type[T] | Any, **query: object) -> Call[T]:  # noqa: ANN401 - also list[Row]
    """A reading call whose `data` is of one type. What is None is left out of the query."""
    return Call("GET", path, reader(kind), written(query))


def paging(path: str, row: type[RowT], **query: object) -> Call[Page[RowT]]:
    """A reading call whose rows come in pages."""
    return _page(Call("GET", path, _raw, written(query)), row)


def changing(method: str, path: str, kind: type[T] | Any, body: object = None) -> Call[T]:  # noqa: ANN401 - as above
    """A call that changes something; `body` becomes JSON."""
    encoded = None if body is None else msgspec.json.encode(body)
    return Call(method, path, reader(kind), {}, encoded)


def reader(kind: type[T] | Any) -> Callable[[bytes], T]:  # noqa: ANN401 - as above
    """What reads `data` as a type."""

    def read(body: bytes) -> T:
        found: T = msgspec.json.decode(_raw(body), type=kind)
        return found

    return read


def quoted(part: str) -> str:
    """A part of a path. Slashes stay: ids of targets may have them."""
    return quote(part, safe="/")


def written(query: Mapping[str, object]) -> dict[str, str]:
    """Values as the API reads them; those that are None are left out."""
    return {name: _text(value) for name, value in query.items() if value is not None}


def _page(call: Call[bytes], row: type[RowT]) -> Call[Page[RowT]]:
    def read(body: bytes) -> Page[RowT]:
        found = msgspec.json.decode(body, type=_Data)
        rows: list[RowT] = msgspec.json.decode(found.data, type=list[row])  # type: ignore[valid-type]
        if found.next_cursor is None:
            return Page(rows, None, bytes(found.data))
        following = replace(call, query={**call.query, "cursor": found.next_cursor})
        return Page(rows, _page(following, row), bytes(found.data))

    return Call(call.method, call.path, read, call.query)


def _raw(body: bytes) -> bytes:
    return bytes(msgspec.json.decode(body, type=_Data).data)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value.value if isinstance(value, Enum) else value)
