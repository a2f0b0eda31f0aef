"""What the driver raises, in the words of `acd.core.errors`: the only place that tells an outage from a bad value.

The classes are PostgreSQL's own (appendix "PostgreSQL Error Codes" of its documentation).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from acd.core.errors import (
    AlreadyThere,
    DatabaseAway,
    DatabaseError,
    DatabaseRefused,
    DataRefused,
)

# 08 connection exception, 40 transaction rollback (deadlock), 53 insufficient resources,
# 57 operator intervention (shut down, starting up, statement timeout).
_AWAY = frozenset({"08", "40", "53", "57"})
# 22 data exception, 23 integrity constraint, 54 program limit (a value too long for an index or for jsonb).
_DATA = frozenset({"22", "23", "54"})
_UNIQUE = "23505"
# 28 authorization, 3D no such database, 42501 insufficient privilege.
_REFUSED = ("28", "3D", "42501")


def translate(error: psycopg.Error) -> DatabaseError:
    """The error of ours that a driver's error stands for; its message is the server's."""
    state = error.sqlstate or ""
    message = str(error).strip() or type(error).__name__
    if state[:2] in _AWAY:
        return DatabaseAway(message)
    if state == _UNIQUE:
        return AlreadyThere(message)
    if state[:2] in _DATA:
        return DataRefused(message)
    if state.startswith(_REFUSED):
        return DatabaseRefused(message)
    if not state and isinstance(
        error, psycopg.DataError
    ):  # NUL in text, refused by the driver itself
        return DataRefused(message)
    if not state and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return DatabaseAway(message)
    return DatabaseError(message)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the driver raises in the block into our errors.

    Raises:
        DatabaseAway: connection lost or not made, server shutting down, statement cut off by its time limit,
            deadlock: the same may succeed later.
        DataRefused: a value that cannot be stored; AlreadyThere, which is one: a row with its key is there.
        DatabaseRefused: no permission.
        DatabaseError: anything else.
    """
    try:
        yield
    except psycopg.Error as error:
        raise translate(error) from error
    except (
        UnicodeEncodeError,
        OverflowError,
        struct.error,
    ) as error:  # a lone surrogate; a number beyond its type
        raise DataRefused(str(error)) from error
