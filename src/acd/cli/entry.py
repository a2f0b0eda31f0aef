"""Where the command `acd` begins: the status line takes a short way, everything else is `acd.cli.main`."""

from __future__ import annotations

import sys

from acd.cli.loading import load


def main() -> None:
    """Do what the command line says."""
    module = "acd.cli.statusline" if sys.argv[1:] == ["statusline"] else "acd.cli.main"
    load(module).main()
