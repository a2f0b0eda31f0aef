"""`acd sync`: queue file → targets, feature lists → features, waiting files → sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer

from acd.cli.failures import AWAY, FAILED
from acd.cli.figures import count_of
from acd.cli.opened import ask
from acd.cli.options import AsJson, DatabaseUrl, Home, QueueFile, Verbose, new_app
from acd.cli.output import say, show_json
from acd.core.environment import load_settings
from acd.core.queue_rows import SyncSummary
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import session_folders
from acd.ledger.pending import pending_folders
from acd.ledger.recorder import Pending, Recorder
from acd.queue.status_file import write_status_file
from acd.queue.sync import SyncResult
from acd.queue.sync import sync as sync_queue

app = new_app()

_PATIENCE_S = 600.0


class LeftFolder(msgspec.Struct, frozen=True, rename="camel"):
    """A folder that is not recorded, and why."""

    folder: str
    reason: str


class Synced(msgspec.Struct, frozen=True, rename="camel"):
    """What `--json` prints. `summary` is null when there is no queue file."""

    summary: SyncSummary | None
    warnings: list[str]
    recorded_folders: int
    recorded_bytes: int
    left_folders: int
    left: list[LeftFolder]


class _Recorded(NamedTuple):
    queue: SyncResult | None
    found: Pending
    left: list[LeftFolder]
    settled: bool


@app.command()
def sync(
    every: Annotated[
        bool, typer.Option("--all", help="Look at every session folder again, not only grown ones.")
    ] = False,
    as_json: AsJson = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    queue: QueueFile = None,
    verbose: Verbose = False,
) -> None:
    """Bring the database to what the files say: the queue file, feature lists, sessions that wait to be recorded.

    Without a queue file only sessions are recorded. Bad entries of the file are named and skipped. A folder that cannot
    be recorded is named with the reason and holds up no other; the exit status is then 1, or 3 when time ran out.
    """
    settings = load_settings(home=home, database_url=database_url, queue_file=queue)
    there = settings.queue_file.exists() or "queue_file" in settings.given
    done = ask(settings, "sync", lambda db: _sync(db, settings, with_queue=there, every=every))
    if as_json:
        show_json(msgspec.json.encode(_report(done)))
    else:
        _tell(done, settings.queue_file)
    if done.left:
        raise typer.Exit(FAILED if done.settled else AWAY)


async def _sync(db: Database, settings: Settings, *, with_queue: bool, every: bool) -> _Recorded:
    queue = await sync_queue(db, settings) if with_queue else None
    async with Recorder(db, settings) as recorder:
        found = await recorder.catch_up_all()
        if every:
            for folder in session_folders(settings.sessions_dir):
                recorder.ring(folder)
        settled = await recorder.settle(_PATIENCE_S)
        reasons = recorder.troubles
    if settled:
        await write_status_file(db, settings)
    if not settled:
        late = "there was no time: call `acd sync` again"
        reasons = dict.fromkeys(await pending_folders(db, settings), late) | reasons
    left = [LeftFolder(str(path), reason) for path, reason in sorted(reasons.items())]
    return _Recorded(queue, found, left, settled)


def _report(done: _Recorded) -> Synced:
    return Synced(
        summary=done.queue.summary if done.queue else None,
        warnings=done.queue.warnings if done.queue else [],
        recorded_folders=max(0, done.found.folders - len(done.left)),
        recorded_bytes=done.found.bytes,
        left_folders=len(done.left),
        left=done.left,
    )


def _tell(done: _Recorded, queue_file: Path) -> None:
    if done.queue is None:
        say(f"There is no queue file {queue_file}, so the targets stay as they are (--queue FILE).")
    else:
        for warning in done.queue.warnings:
            say(f"! {warning}")
        _tell_summary(done.queue.summary)
    if done.left:
        say(f"{count_of(len(done.left), 'folder')} could not be recorded:")
        for one in done.left:
            say(f"! {one.folder}: {one.reason}")
    elif done.found.folders:
        say(
            f"Recorded {done.found.bytes:,} bytes that waited in {count_of(done.found.folders, 'folder')}."
        )
    else:
        say("No session waited to be recorded.")


def _tell_summary(summary: SyncSummary) -> None:
    say(
        f"{count_of(summary.in_file, 'target')} in the queue file: {summary.added} added, "
        f"{summary.changed} changed, {summary.disabled} disabled (no longer in it), {summary.skipped} skipped; "
        f"{count_of(summary.feature_lists, 'feature list')} read."
    )
