"""Named queries: every statement stands in a file under `sql/`, with a comment that says what it is for.

A file holds queries one after the other:

    -- name: newest
    -- The newest sessions of all targets, as one JSON array.
    SELECT … LIMIT %(limit)s

The query above in `sql/sessions.sql` is called `sessions.newest`. Parameters are psycopg's: `%(name)s`; a literal
per cent sign is written `%%`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from acd.core.errors import DatabaseError

_HEADING = re.compile(r"^-- name:[ \t]*(?P<name>[a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)
_TIME = (
    rb"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random|gen_random_uuid)\s*\("
    rb"|\b(current_timestamp|current_time|localtime|localtimestamp)\b|\bpg_"
)
_COMMENT = re.compile(r"\A(?:--[^\n]*\n)+")
_FOLDER = Path(__file__).parent / "sql"


class Query(NamedTuple):
    """One statement, where it came from and what it is for. `sql` is bytes, as the driver takes it."""

    name: str
    comment: str
    sql: bytes

    @property
    def tells_time(self) -> bool:
        """Whether its answer depends on more than what is stored and what day it is: on the time, chance, the server."""
        return _tells_time(self.sql)


@cache
def _tells_time(sql: bytes) -> bool:
    return re.search(_TIME, sql, re.IGNORECASE) is not None


class Queries(Mapping[str, Query]):
    """All named queries, by `<file stem>.<name>`."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._queries = dict(queries)

    def __getitem__(self, name: str) -> Query:
        """Look a query up.

        Raises:
            DatabaseError: no file holds a query of that name.
        """
        try:
            return self._queries[name]
        except KeyError:
            raise DatabaseError(f"there is no query named {name!r} under database/sql") from None

    def __contains__(self, name: object) -> bool:
        return name in self._queries

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)


def parse_queries(stem: str, text: str) -> Iterator[Query]:
    """Yield the queries of one file.

    Raises:
        DatabaseError: text before the first name, a query without a comment or without a statement, or a name twice.
    """
    headings = list(_HEADING.finditer(text))
    preface = text[: headings[0].start()] if headings else text
    if _statement(preface):
        raise DatabaseError(f"{stem}.sql: there is a statement without a name")
    seen: set[str] = set()
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        name = f"{stem}.{heading['name']}"
        body = text[heading.end() : following.start() if following else None].lstrip("\n")
        comment = _COMMENT.match(body)
        if not comment:
            raise DatabaseError(f"{name}: a comment must say what the query is for")
        sql = body[comment.end() :].strip()
        if not _statement(sql):
            raise DatabaseError(f"{name}: there is no statement")
        if name in seen:
            raise DatabaseError(f"{name}: there are two queries of this name")
        seen.add(name)
        words = " ".join(line.removeprefix("--").strip() for line in comment[0].splitlines())
        yield Query(name, words, sql.encode())


def _statement(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    return any(line and not line.startswith("--") for line in lines)


@cache
def load_queries() -> Queries:
    """Read every file under `sql/`, once a process.

    Raises:
        DatabaseError: a file that is not in the form above.
    """
    found: dict[str, Query] = {}
    for file in sorted(_FOLDER.glob("*.sql")):
        found |= queries_in(file.stem)
    return Queries(found)


def queries_in(stem: str) -> dict[str, Query]:
    """The queries of `sql/<stem>.sql` alone, by their whole names.

    Raises:
        DatabaseError: as `load_queries`.
    """
    text = (_FOLDER / f"{stem}.sql").read_text(encoding="utf-8")
    return {query.name: query for query in parse_queries(stem, text)}
