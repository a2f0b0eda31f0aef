"""Options that commands share, each with one meaning everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acd.cli.log import log_to_stderr


def _absolute(text: str) -> Path:
    # Links are not followed: the embedded database is found by the name of its ACD_HOME.
    return Path(text).expanduser().absolute()


def new_app() -> typer.Typer:
    """The Typer application of one command; errors are told by `main`."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False)


Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="FOLDER", parser=_absolute, help="Instead of ACD_HOME."),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help="Instead of DATABASE_URL, where a password belongs: others see command lines.",
    ),
]
QueueFile = Annotated[
    Path | None,
    typer.Option("--queue", metavar="FILE", parser=_absolute, help="Instead of ACD_QUEUE_FILE."),
]
SkipPermissions = Annotated[
    bool,
    typer.Option(
        "--dangerously-skip-permissions",
        help="Let agents do everything that is not denied, without a boundary. Only for machines that hold nothing else.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the exact figures as JSON, as the API gives them.")
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Say more on stderr.", callback=log_to_stderr),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most this many.")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="yesterday, today, 12h, 7d, 2026-11-24T20:00"),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="To before then, written likewise.")
]
Timezone = Annotated[
    str | None,
    typer.Option(
        "--timezone", metavar="ZONE", help="Where a day is a day: Europe/Berlin. Else ACD_TIMEZONE."
    ),
]
