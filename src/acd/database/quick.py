"""A named query without the driver: libpq, which comes with it, called by way of ctypes.

Loading psycopg takes 100 ms of processor time, libpq alone 5. For a command that asks one or two questions and is gone
that is most of what it costs, so `acd import` with nothing new and `acd usage` try this first. It reads only, and it
never explains: whatever is not as it should be is `NotQuick`, and the ordinary way (`connection`) says what is wrong.
"""

from __future__ import annotations

import ctypes
import os
import re
import select
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count

from acd.core.errors import DatabaseError, NotQuick
from acd.database.conninfo import OLDEST_SERVER, pinned
from acd.database.queries import queries_in
from acd.database.revisions import known_revisions

_PATIENCE = 2.0
"""Seconds for everything: what takes longer is not for the quick way."""

_STATEMENT_TIMEOUT = str(int(_PATIENCE * 1000))
"""In ms: what nobody waits for any more ends by itself."""

_PARAMETER = re.compile(r"%\((\w+)\)s")
_SYSTEM_LIBRARY = "libpq.so.5"

# libpq's own numbers (libpq-fe.h): ConnStatusType, PostgresPollingStatusType, ExecStatusType.
_CONNECTION_BAD = 1
_POLLING_FAILED, _POLLING_READING, _POLLING_WRITING, _POLLING_OK = 0, 1, 2, 3
_TUPLES_OK = 2


class _Option(ctypes.Structure):
    """`PQconninfoOption` of libpq-fe.h; an array of them ends with one without a keyword."""

    _fields_ = (
        ("keyword", ctypes.c_char_p),
        ("envvar", ctypes.c_char_p),
        ("compiled", ctypes.c_char_p),
        ("val", ctypes.c_char_p),
        ("label", ctypes.c_char_p),
        ("dispchar", ctypes.c_char_p),
        ("dispsize", ctypes.c_int),
    )


_Texts = ctypes.POINTER(ctypes.c_char_p)
_Receiver = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
_SIGNATURES = (
    ("PQconninfoParse", ctypes.POINTER(_Option), (ctypes.c_char_p, ctypes.c_void_p)),
    ("PQconninfoFree", None, (ctypes.POINTER(_Option),)),
    ("PQconnectStart", ctypes.c_void_p, (ctypes.c_char_p,)),
    ("PQconnectPoll", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQstatus", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQserverVersion", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQsocket", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQsetNoticeReceiver", ctypes.c_void_p, (ctypes.c_void_p, _Receiver, ctypes.c_void_p)),
    (
        "PQsendQueryParams",
        ctypes.c_int,
        (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, *([ctypes.c_void_p] * 4), ctypes.c_int),
    ),
    ("PQconsumeInput", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQisBusy", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQgetResult", ctypes.c_void_p, (ctypes.c_void_p,)),
    ("PQresultStatus", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQntuples", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQnfields", ctypes.c_int, (ctypes.c_void_p,)),
    ("PQgetisnull", ctypes.c_int, (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)),
    ("PQgetvalue", ctypes.c_char_p, (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)),
    ("PQclear", None, (ctypes.c_void_p,)),
    ("PQfinish", None, (ctypes.c_void_p,)),
)


class Quick:
    """A connection for one command, on which named queries are asked. Made by `opened_quickly`.

    `timezone` is the one that the database counts days in.
    """

    def __init__(self, library: ctypes.CDLL, url: str, application: str) -> None:
        self._pq = library
        self._deadline = time.monotonic() + _PATIENCE
        self._receiver = _Receiver(_pass_over)
        self._connection = library.PQconnectStart(_conninfo(library, url, application))
        self.timezone = ""

    def begin(self) -> None:
        """Wait for the connection, set the session up as every one of ours, and see that the schema is this program's.

        Raises:
            NotQuick: any of it is not as it should be.
        """
        pq, connection = self._pq, self._connection
        if not connection or pq.PQstatus(connection) == _CONNECTION_BAD:
            raise NotQuick("no connection")
        pq.PQsetNoticeReceiver(connection, self._receiver, None)
        state = _POLLING_WRITING  # what libpq's documentation wants to be taken for the state before the first call
        while state != _POLLING_OK:
            if state == _POLLING_FAILED:
                raise NotQuick("no connection")
            self._wait(select.POLLIN if state == _POLLING_READING else select.POLLOUT)
            state = pq.PQconnectPoll(connection)
        if pq.PQserverVersion(connection) < OLDEST_SERVER * 10_000:
            raise NotQuick("an old server")
        revision, timezone, *_ = self.row("schema.begin_session", statement_timeout=_STATEMENT_TIMEOUT)  # fmt: skip
        if revision != known_revisions()[-1] or timezone is None:
            raise NotQuick("another schema")
        self.timezone = timezone

    def row(self, name: str, /, **params: str | None) -> tuple[str | None, ...]:
        """The first row of a named query, each value in PostgreSQL's own text form.

        Raises:
            NotQuick: it failed, gave no row or took too long.
        """
        sql, values = _numbered(name, params)
        texts = (ctypes.c_char_p * len(values))(*values)
        pq, connection = self._pq, self._connection
        if not pq.PQsendQueryParams(connection, sql, len(values), None, texts, None, None, 0):
            raise NotQuick("nothing can be sent")
        while pq.PQisBusy(connection):
            self._wait(select.POLLIN)
            if not pq.PQconsumeInput(connection):
                raise NotQuick("the connection was lost")
        result = pq.PQgetResult(connection)
        try:
            found = self._first(result)
        finally:
            pq.PQclear(result)
        while rest := pq.PQgetResult(connection):
            pq.PQclear(rest)
        return found

    def close(self) -> None:
        """End the connection."""
        if self._connection:
            self._pq.PQfinish(self._connection)
            self._connection = None

    def _first(self, result: int | None) -> tuple[str | None, ...]:
        pq = self._pq
        if pq.PQresultStatus(result) != _TUPLES_OK or not pq.PQntuples(result):
            raise NotQuick("no row")
        return tuple(
            None if pq.PQgetisnull(result, 0, column) else pq.PQgetvalue(result, 0, column).decode()
            for column in range(pq.PQnfields(result))
        )

    def _wait(self, event: int) -> None:
        left = self._deadline - time.monotonic()
        poll = select.poll()
        poll.register(self._pq.PQsocket(self._connection), event)
        if left <= 0 or not poll.poll(left * 1000):
            raise NotQuick("no answer in time")


@contextmanager
def opened_quickly(url: str, application: str) -> Iterator[Quick]:
    """A connection to the database of a URL for the length of a block.

    Raises:
        NotQuick: there is no libpq, no connection, another schema; the ordinary way says what is wrong.
    """
    quick = Quick(_library(), url, application)
    try:
        quick.begin()
        yield quick
    finally:
        quick.close()


def _library() -> ctypes.CDLL:
    """The libpq in the driver's wheel, else the system's, which the driver would use then."""
    driver = find_spec("psycopg_binary")
    if driver is not None and driver.origin is not None:
        beside = f"{os.path.dirname(os.path.dirname(driver.origin))}/psycopg_binary.libs"  # noqa: PTH120 - pathlib is slow
        names = [name for name in _listed(beside) if name.startswith("libpq-")]
        path = f"{beside}/{names[0]}" if names else _SYSTEM_LIBRARY
    else:
        path = _SYSTEM_LIBRARY
    try:
        library = ctypes.CDLL(path)
        for name, result, arguments in _SIGNATURES:
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise NotQuick(f"no libpq: {error}") from error
    return library


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - as above
    except OSError:
        return []


def _conninfo(library: ctypes.CDLL, url: str, application: str) -> bytes:
    """What `PQconnectStart` takes: as text, since an array's empty values would be taken from the environment after all."""
    given = library.PQconninfoParse(url.encode(errors="surrogateescape"), None)
    if not given:
        raise NotQuick("no URL of PostgreSQL's")
    try:
        named = dict(_given(given))
    finally:
        library.PQconninfoFree(given)
    told = pinned(named, application).items()
    return " ".join(f"{name}={_quoted(value)}" for name, value in told).encode(
        errors="surrogateescape"
    )


def _given(options: ctypes._Pointer[_Option]) -> Iterator[tuple[str, str]]:
    for place in count():
        option = options[place]
        if option.keyword is None:
            return
        if option.val is not None:
            yield option.keyword.decode(), option.val.decode(errors="surrogateescape")


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _numbered(name: str, params: Mapping[str, str | None]) -> tuple[bytes, list[bytes | None]]:
    """A named query with the parameters numbered, as libpq wants them, and their values in that order."""
    stem, _, _ = name.partition(".")
    try:
        sql = queries_in(stem)[name].sql.decode()
    except (OSError, KeyError) as error:
        raise DatabaseError(f"there is no query named {name!r} under database/sql") from error
    names = list(dict.fromkeys(_PARAMETER.findall(sql)))
    numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql)
    values = [params[each] for each in names]
    return numbered.replace("%%", "%").encode(), [v if v is None else v.encode() for v in values]


def _pass_over(_argument: int | None, _result: int | None) -> None:
    """Of notices: libpq would print them to stderr, the driver says nothing."""
