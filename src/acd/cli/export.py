"""`acd export`: records as a file."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from acd.cli.options import DatabaseUrl, Home, Verbose, new_app
from acd.cli.output import say
from acd.cli.source import Source, ask, read_settings
from acd.core.errors import ConfigError

app = new_app()

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


class Kind(StrEnum):
    """What can be exported."""

    SESSIONS = "sessions"
    USAGE = "usage"
    ERRORS = "errors"
    COMMITS = "commits"


class Form(StrEnum):
    """The form of the file."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@app.command()
def export(
    kind: Annotated[Kind, typer.Argument(help="What to export; usage is one row a request.")],
    form: Annotated[Form, typer.Option("--format", help="Of the file.")] = Form.CSV,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Instead of standard output."),
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=_FORMATS, help="Then or later (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=_FORMATS, help="Before then (UTC).")
    ] = None,
    repo: Annotated[str | None, typer.Option("--repo", metavar="ID", help="Of one target.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
) -> None:
    """Rows as a file, oldest first, every amount exact. A file that is there already is replaced once the new one is whole."""
    settings = read_settings(home=home, database_url=database_url)

    async def write(source: Source) -> int:
        parts = source.export(
            kind.value, form.value, since=_in_zone(since), until=_in_zone(until), repo_id=repo
        )
        return await _to_file(parts, output) if output else await _to(sys.stdout.buffer, parts)

    if output is None and form is Form.PARQUET and sys.stdout.isatty():
        raise ConfigError("Parquet is not for a terminal: give --output FILE")
    written = ask(settings, "export", write)
    if output:
        say(f"{output}: {written:,} bytes.")


def _in_zone(when: datetime | None) -> datetime | None:
    return when.replace(tzinfo=UTC) if when and when.tzinfo is None else when


async def _to_file(parts: AsyncGenerator[bytes], output: Path) -> int:
    """Write beside the file and then over it, so that nobody ever finds half of one.

    Raises:
        ConfigError: it cannot be written.
    """
    draft = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with draft.open("xb") as file:
            written = await _to(file, parts)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(output)
    except OSError as error:
        raise ConfigError(f"{output} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return written


async def _to(file: BinaryIO, parts: AsyncGenerator[bytes]) -> int:
    written = 0
    async with aclosing(parts):
        async for part in parts:
            file.write(part)
            written += len(part)
    file.flush()
    return written
