"""How errors end a command: in words on stderr, with an exit status; a traceback only with ACD_DEBUG=1."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from acd.core.errors import AcdError, DatabaseAway, ServerAway, ServerError
from acd.core.text import printable, redact

FAILED = 1
AWAY = 3
INTERRUPTED = 130

_WHAT_TO_DO = "Sessions are safe in their files meanwhile. Is the server up, and DATABASE_URL right? `acd doctor` looks closer."


@contextmanager
def told() -> Iterator[None]:
    """Turn what the block raises on purpose into a message and an exit status."""
    try:
        yield
    except DatabaseAway as error:
        _tell(f"the database is away: {error}")
        _tell(_WHAT_TO_DO)
        _leave(AWAY, error)
    except ServerAway as error:
        _tell(str(error))
        _leave(AWAY, error)
    except ServerError as error:
        _tell(str(error))
        if error.code == "unauthorized":
            _tell("the token of that server is in its ACD_HOME/token; give it as ACD_TOKEN")
        _leave(FAILED, error)
    except AcdError as error:
        _tell(str(error))
        _leave(FAILED, error)
    except KeyboardInterrupt as error:
        _leave(INTERRUPTED, error)


def install_hook() -> None:
    """For what nobody expected: name it, and say how to see more."""
    if not _debugging():
        sys.excepthook = _hook


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_qualname}, line {trace.tb_lineno}" if trace else "unknown"
    _tell(f"something went wrong that should not have ({kind.__name__} in {place}): {error}")
    _tell("This is a defect of acd. With ACD_DEBUG=1 it shows where; please report that.")


def _leave(status: int, error: BaseException) -> None:
    if _debugging():
        raise error
    sys.exit(status)


def _debugging() -> bool:
    return os.environ.get("ACD_DEBUG", "") not in {"", "0"}


def _tell(message: str) -> None:
    # Line by line: our own messages may have several, and each may carry text of others.
    for line in redact(message).splitlines():
        print(f"acd: {printable(line)}", file=sys.stderr)
