"""Where the command `acd` begins: what is called all day takes a short way, everything else is `acd.cli.main`."""

from __future__ import annotations

import os
import sys

from acd.cli.loading import load

_SHORT = {"import": "acd.cli.short_import", "usage": "acd.cli.short_usage"}
"""Commands that may be done by `done(words)` of a module; where it says no, nothing has happened yet."""

_MOST_WORDS = 3
_INTERRUPTED = 130


def main() -> None:
    """Do what the command line says."""
    words = sys.argv[1:]
    if words == ["statusline"]:
        load("acd.cli.statusline").main()
        return
    if words and words[0] in _SHORT and len(words) <= _MOST_WORDS:
        try:
            if load(_SHORT[words[0]]).done(words[1:]):
                os._exit(0)  # all is written and closed: taking the interpreter apart costs 5 ms
        except KeyboardInterrupt:
            sys.exit(_INTERRUPTED)
    load("acd.cli.main").main()
