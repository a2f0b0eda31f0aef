"""The progress bar of a long import: rate and time left, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bar

from acd.history.done import Progress


@contextmanager
def shown(console: Console, *, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A bar for the length of a block, gone after it; what it is given tells it how far the import is."""
    columns = (
        TextColumn("Importing"),
        BarColumn(),
        DownloadColumn(binary_units=False),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[requests]:,} requests"),
    )
    hidden = quiet or not console.is_terminal
    with Bar(*columns, console=console, transient=True, disable=hidden) as bar:
        place = bar.add_task("import", total=None, requests=0)

        def tell(progress: Progress) -> None:
            done = min(progress.bytes_done, progress.bytes)
            bar.update(place, total=progress.bytes, completed=done, requests=progress.requests)

        yield tell
