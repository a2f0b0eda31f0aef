"""Where ACD_HOME is, for what starts too often to load the settings: the status line, and commands answered the short way."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping


def home_by(environ: Mapping[str, str]) -> str:
    """ACD_HOME, as `acd.core.environment.load_settings` finds it: a test holds them together."""
    given = environ.get("ACD_HOME")
    if given:
        return os.path.expanduser(given)  # noqa: PTH111 - pathlib costs 10 ms
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Application Support/acd")  # noqa: PTH111
    base = environ.get("XDG_DATA_HOME", "").strip() or os.path.expanduser("~/.local/share")  # noqa: PTH111
    return os.path.join(base, "acd")  # noqa: PTH118
