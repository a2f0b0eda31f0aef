"""The two ways to follow a run: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from acd.cli.board import Board
from acd.cli.figures import NOTHING, brief, count_of, moment, number, outcome, spent, tokens
from acd.cli.figures import features as features_of
from acd.cli.output import Cell, Column, make_console, make_table
from acd.core.contract import RunningSession
from acd.core.errors import DatabaseError
from acd.core.text import printable
from acd.database.connection import Database
from acd.harness.live import LiveState
from acd.reports import live as report
from acd.reports.rows import rows_of

_REFRESH_S = 0.5
_WAITING_SHOWN = 5
_COLUMNS = (
    Column("Working", flexible=True),
    Column("Model"),
    Column("For", right=True),
    Column("Req.", right=True),
    Column("Tokens", right=True),
    Column("Cost", right=True),
    Column("Features"),
    Column("Last tool", flexible=True),
)


@asynccontextmanager
async def followed(db: Database, *, live: bool) -> AsyncIterator[tuple[Board, Footer]]:
    """A board that is shown while the block runs: as a live table where stdout is a terminal and `live` is wanted."""
    console = make_console()
    footer = Footer()
    if not (live and console.is_terminal and not console.is_dumb_terminal):
        yield Board(lambda text, _: _print_line(console, text)), footer
        return
    board = Board(lambda text, minor: None if minor else _print_line(console, text))
    with Live(
        get_renderable=lambda: draw(board, footer),
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=sys.stderr.isatty(),
    ) as shown:
        refreshing = asyncio.create_task(_refresh(shown, board, db), name="live view")
        try:
            yield board, footer
        finally:
            refreshing.cancel()
            with suppress(asyncio.CancelledError):
                await refreshing


class Footer:
    """What the last line of the live view says beside the counts."""

    address: str | None = None


def _print_line(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True)


async def _refresh(shown: Live, board: Board, db: Database) -> None:
    asking = asyncio.create_task(_ask(board, db), name="live figures")
    try:
        while True:
            shown.refresh()
            await asyncio.sleep(_REFRESH_S)
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking


async def _ask(board: Board, db: Database) -> None:
    """Keep the ledger's figures at hand; while the database is away the stream's own have to do."""
    while True:
        try:
            rows = rows_of(await report.running(db), RunningSession)
            board.recorded = {row.id: row for row in rows}
        except DatabaseError:
            board.recorded = {}
        await asyncio.sleep(2 * _REFRESH_S)


def draw(board: Board, footer: Footer) -> RenderableType:
    """The live view at this moment."""
    starting = [plan for key, plan in board.planned.items() if key not in board.live]
    rows = [_line(state, board.recorded.get(key)) for key, state in board.live.items()]
    rows += [
        [f"{plan.target.repo_id} {number(plan.session_number)}", plan.model, *_nothing(5), "starts"]
        for plan in starting
    ]
    parts: list[RenderableType] = [make_table(_COLUMNS, rows)] if rows else []
    return Group(Text(""), *parts, *_waits(board), _footer(board, footer, len(rows)))


def _line(state: LiveState, row: RunningSession | None) -> list[Cell]:
    recorded = row.total_tokens if row else 0
    tool = " ".join(filter(None, (state.last_tool, state.last_tool_text)))
    return [
        f"{state.target.repo_id} {number(state.session_number)}",
        row.model if row else state.model,
        brief(int(state.elapsed * 1000)),
        str(max(state.requests, row.request_count if row else 0)),
        tokens(max(state.usage.total, recorded)),
        spent(row.cost_usd, row.unpriced_requests) if row else NOTHING,
        features_of(state.passing_features or 0, state.total_features or 0, 0),
        tool or NOTHING,
    ]


def _nothing(count: int) -> list[Cell]:
    return [NOTHING] * count


def _waits(board: Board) -> list[Text]:
    by_time = sorted(board.waiting.items(), key=lambda item: item[1][0])
    lines = [
        _single(f"{repo_id} waits until {moment(until)} ({_in(until)}): {reason}", "dim")
        for repo_id, (until, reason) in by_time[:_WAITING_SHOWN]
    ]
    more = len(by_time) - _WAITING_SHOWN
    return [*lines, Text(f"… and {more} more wait", "dim")] if more > 0 else lines


def _in(until: datetime) -> str:
    return brief(max(int((until - datetime.now(UTC)).total_seconds() * 1000), 0))


def _footer(board: Board, footer: Footer, working: int) -> Text:
    counts: list[Any] = [f"{working} working, {len(board.waiting)} waiting"]
    counts.append(f", {count_of(board.completed, 'session')} completed")
    if board.failed:
        counts += [", ", outcome(f"{board.failed} failed")]
    if board.blocked:
        counts.append((f", {len(board.blocked)} blocked", "red"))
    if footer.address:
        counts.append(f" · {footer.address}")
    text = Text.assemble(*counts, " · Ctrl-C ends in order", style="bold")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _single(line: str, style: str) -> Text:
    return Text(printable(line), style, no_wrap=True, overflow="ellipsis")
