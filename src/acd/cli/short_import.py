"""`acd import` where nothing is new: the same files looked at, the same line printed, a fifth of the time."""

from __future__ import annotations

import json
import os
import sys
import time

from acd.agents.layout.installed import LAYOUTS, only_ours
from acd.cli import plain, short
from acd.cli.counts import nothing_new
from acd.core.errors import NotQuick
from acd.history.sighting import Stamp, sightings


def done(words: list[str]) -> bool:
    """Whether that was all that there was to do. Where not, nothing was printed or written.

    Args:
        words: of the command line, behind the command; here only the plain `acd import` is known.
    """
    if words:
        return False
    begun = time.monotonic()
    try:
        paper = plain.paper(os.environ)
        count = _files_with_nothing_new()
        text = plain.sentence(nothing_new(count, time.monotonic() - begun), paper)
    except short.LEFT:
        return False
    plain.put(text)
    return True


def _files_with_nothing_new() -> int:
    """How many files there are.

    Raises:
        NotQuick: one of them may hold something new, or that cannot be told here.
    """
    settings = short.settings_by(os.environ)
    if not only_ours(sys.path):
        raise NotQuick("a plugin's history")
    with short.opened(settings, "import") as quick:
        (found,) = quick.row("history.known", host=settings.host_name)
    known = {name: Stamp(*stamp) for name, *stamp, _, _, _ in json.loads(found or "[]")}
    count = 0
    places = [(one, one.roots(os.environ)) for one in LAYOUTS]
    for _, file, stamp in sightings(places, known):
        if file.left_out or known.get(str(file.path)) != stamp:
            raise NotQuick("something new, or to be told")
        count += 1
    return count
