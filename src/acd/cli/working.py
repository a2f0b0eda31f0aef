"""What `acd run` and `acd worker` share: recording, serving and showing while sessions are worked, and the end of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from acd.cli.board import Board
from acd.cli.failures import AWAY, FAILED, INTERRUPTED
from acd.cli.figures import count_of, number, signed, spent, tokens
from acd.cli.opened import make_home
from acd.cli.output import say
from acd.cli.views import Footer, followed
from acd.core.contract import SessionRow
from acd.core.errors import ConfigError, DatabaseError
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.harness.process import hide_from_children
from acd.ledger.lookout import Lookout
from acd.ledger.pending import pending_folders
from acd.notify.addresses import Address, read_addresses
from acd.notify.notifying import notifying
from acd.queue.ending import Ending, ended_by_signals
from acd.queue.lost import show_lost
from acd.queue.observer import Observer
from acd.queue.orchestrator import RunResult
from acd.reports import sessions as report
from acd.reports.rows import rows_of
from acd.server import serve

logger = logging.getLogger("acd.cli")

_CLOCKS_DIFFER = timedelta(minutes=1)
_MOST = 1000

Work = Callable[[Database, Observer, Ending], Awaitable[RunResult]]


class Look(NamedTuple):
    """What to show and to serve meanwhile."""

    live: bool
    serve: bool


def work_and_show(settings: Settings, command: str, look: Look, work: Work) -> int:
    """Work, show it, sum it up.

    Returns:
        The exit status, see `acd run --help`.

    Raises:
        AcdError: the work could not be begun.
    """
    addresses = read_addresses(settings)
    make_home(settings)
    hide_from_children()
    return asyncio.run(_work_and_show(settings, command, look, work, addresses))


async def _work_and_show(
    settings: Settings, command: str, look: Look, work: Work, addresses: list[Address]
) -> int:
    began = datetime.now(UTC)
    async with open_database(settings, application=f"acd {command}") as db:
        ending = Ending()
        async with followed(db, live=look.live) as (board, footer):
            # From here on: work that has only just begun ends in order too.
            with ended_by_signals(ending, board.message):
                async with notifying(
                    settings, addresses, board, hurry=ending.giving_up
                ) as notifier:
                    async with _served(db, settings, board, footer if look.serve else None):
                        result = await work(db, notifier, ending)
                    summary = await _summary(db, board, result, began)
                    if command == "run":  # a worker's end is not the queue's
                        notifier.run_ended(summary, _blocked(result))
        await _sum_up(db, settings, board, result, summary)
    return exit_status(result)


def exit_status(result: RunResult) -> int:
    """What the shell learns: what is not recorded matters most, then who ended it, then what is blocked."""
    if not result.recorded:
        return AWAY
    if result.ended_by == "stopped":
        return INTERRUPTED
    blocked = any(target.status == "blocked" for target in result.targets)
    return FAILED if blocked or result.ended_by == "failed" else 0


@asynccontextmanager
async def _served(
    db: Database, settings: Settings, board: Board, footer: Footer | None
) -> AsyncIterator[None]:
    """The server beside the work, if it is wanted (`footer`); that it cannot be started stops nothing."""
    if footer is None:
        yield
        return

    def ready(address: str) -> None:
        footer.address = address
        board.message(f"pages and API at {address}", warning=False)

    async def run_server() -> None:
        try:
            await serve(db, settings, pending=Lookout(db, settings).backlog, ready=ready)
        except ConfigError as error:
            board.message(str(error))

    serving = asyncio.create_task(run_server(), name="server")
    try:
        yield
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def _summary(db: Database, board: Board, result: RunResult, began: datetime) -> str:
    sessions = count_of(result.completed + result.failed, "session")
    failed = f" ({result.failed} failed)" if result.failed else ""
    figures = await _figures(db, board, began)
    return f"{_ENDINGS[result.ended_by]}: {sessions}{failed}, features {signed(board.features_completed)}{figures}."


def _blocked(result: RunResult) -> list[tuple[str, str]]:
    return [
        (target.repo_id, target.reason or "no reason known")
        for target in result.targets
        if target.status == "blocked"
    ]


async def _sum_up(
    db: Database, settings: Settings, board: Board, result: RunResult, summary: str
) -> None:
    say(summary, after_blank=True)
    for repo_id, reason in _blocked(result):
        say(f"{repo_id} is blocked: {reason}")
    if board.planned and result.recorded:
        with suppress(DatabaseError):  # then `acd status` does it
            await show_lost(db, settings)
    for plan in board.planned.values():
        say(
            f"{plan.target.repo_id} {number(plan.session_number)} was left before it could be closed: the next "
            "`acd run` on this machine does it, and keeps what the session did."
        )
    if not result.recorded:
        say(
            f"Not everything is recorded yet: {await _unrecorded(db, settings, board)}. The files are safe; "
            "`acd sync` records them when the database is back."
        )


_ENDINGS = {
    "done": "Nothing is left to do",
    "hours": "The time is over",
    "max_sessions": "As many sessions as wanted",
    "stopped": "Stopped",
    "failed": "Given up",
}


async def _figures(db: Database, board: Board, began: datetime) -> str:
    """Tokens and cost of this run's sessions, by the ledger; nothing when it cannot be asked."""
    try:
        found = await report.recent(db, limit=_MOST, since=began - _CLOCKS_DIFFER)
    except DatabaseError as error:
        logger.warning("tokens and cost cannot be told: %s", error)
        return ""
    rows = [row for row in rows_of(found, SessionRow) if row.id in board.worked]
    cost = spent(
        sum((row.cost_usd for row in rows), Decimal(0)), sum(row.unpriced_requests for row in rows)
    )
    return f", {tokens(sum(row.total_tokens for row in rows))} tokens, {cost}"


async def _unrecorded(db: Database, settings: Settings, board: Board) -> str:
    try:
        waiting = await pending_folders(db, settings)
    except DatabaseError:
        return f"something of {count_of(len(board.worked), 'session')} of this run"
    return f"{sum(waiting.values()):,} bytes of {count_of(len(waiting), 'session')}"
