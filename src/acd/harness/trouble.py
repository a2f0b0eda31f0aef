"""Keeping our own mistakes from losing a session: they become its verdict, with the full trace."""

from __future__ import annotations

import errno
import logging
import traceback
from types import TracebackType

from acd.core.errors import AcdError
from acd.core.text import redact
from acd.harness.outcome import Verdict, failed

logger = logging.getLogger(__name__)


class Trouble:
    """Used as `with trouble:`; afterwards `verdict` tells what went wrong inside, if anything did.

    Cancellation and the like pass through. What the user can act on (`AcdError`) is a matter of configuration, a full
    disk is that, and everything else is a mistake of ours.
    """

    verdict: Verdict | None = None

    def __enter__(self) -> Trouble:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.verdict = verdict_on(error)
        return True


def verdict_on(error: Exception) -> Verdict:
    """What an exception of ours means for the session in which it was raised."""
    if isinstance(error, AcdError):
        return failed("config", redact(str(error)))
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return failed("disk_full", redact(str(error)))
    logger.error("a session ran into a mistake of ours", exc_info=error)
    stack = redact("".join(traceback.format_exception(error)))
    return failed("internal", redact(f"{type(error).__name__}: {error}"), stack_trace=stack)
