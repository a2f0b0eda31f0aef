"""The queue at `/queue`: what runs and waits and why, until when; orders to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from acd.core.queue_rows import Queue, QueueEntry
from acd.dashboard.budgeting import budget_shares
from acd.dashboard.lately import lately
from acd.dashboard.shell import Entry, GivenShell
from acd.queue.standing import read_queue
from acd.reports import used
from acd.web.parts import GivenParts, Parts

ENTRY = Entry("Queue", "/queue", "q", "queue")
_WORKED = ("running", "due", "waiting")
_LEFT = ("blocked", "idle", "paused", "complete")

router = APIRouter()


@router.get("/queue")
async def show_queue(request: Request, parts: GivenParts, shell: GivenShell) -> Response:
    """Where every target stands."""
    return shell.page(request, "queue.html", await _figures(parts))


async def _figures(parts: Parts) -> dict[str, Any]:
    db = lately(parts.db)
    queue, budgets, listed = await asyncio.gather(
        read_queue(db, parts.settings), budget_shares(db, parts.settings), used.priced_how(db)
    )
    return {
        "queue": queue,
        "groups": [(state, _in(queue.targets, state)) for state in (*_WORKED, *_LEFT)],
        "sessions": {session.id: session for session in queue.running},
        "budgets": budgets,
        "orders": _orders(queue),
        "at_list_price": listed,
    }


def _in(entries: Sequence[QueueEntry], state: str) -> list[QueueEntry]:
    return [entry for entry in entries if entry.state == state]


def _orders(queue: Queue) -> list[dict[str, str]]:
    """What can be ordered now, with what it means."""
    running = len(queue.running)
    one = running == 1
    ends = "The session that runs is ended" if one else f"The {running} sessions that run are ended"
    goes_on = "The session that runs goes on" if one else "Sessions that run go on"
    resume = {
        "order": "resume",
        "icon": "play",
        "label": "Resume",
        "confirm": "",
        "done": "The queue goes on.",
    }
    pause = {
        "order": "pause",
        "icon": "pause",
        "label": "Pause",
        "confirm": "No further session is begun, on any machine, until the queue is resumed. "
        f"{goes_on}.",
        "done": "The queue is paused.",
    }
    drain = {
        "order": "drain",
        "icon": "drain",
        "label": "Drain",
        "confirm": f"Who works the queue now begins no further session, and ends when the last one is over. {goes_on} until then.",
        "done": "The queue drains.",
    }
    stop = {
        "order": "stop",
        "icon": "stop",
        "label": "Stop",
        "confirm": f"{ends} now, in order, on every machine; what was done is kept. "
        "Who works the queue then ends.",
        "done": "The queue stops.",
    }
    return [resume if queue.state == "paused" else pause, drain, stop]
