"""Log records on stderr: one clear line each."""

from __future__ import annotations

import logging
import sys

from acd.core.text import printable, redact


class _Lines(logging.Handler):
    """Writes to whatever `sys.stderr` is at that moment: a live view puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        print(f"acd: {level}{printable(redact(text))}", file=sys.stderr)


def log_to_stderr(verbose: bool) -> bool:
    """Warnings, with `verbose` also what happens; other libraries only when something is wrong with them."""
    root = logging.getLogger()
    root.handlers = [_Lines()]
    root.setLevel(logging.ERROR)
    logging.getLogger("acd").setLevel(logging.INFO if verbose else logging.WARNING)
    return verbose
