"""The queue: what runs, what waits and why."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from acd.api import queue_examples
from acd.api.describing import described
from acd.core.queue_rows import Queue
from acd.queue.standing import read_queue
from acd.web import answers
from acd.web.parts import GivenParts

router = APIRouter(prefix="/api", tags=["queue"])
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@router.get(
    "/queue",
    summary="What runs, what waits and why, until when",
    responses=described(Queue, queue_examples.QUEUE),
)
async def show_queue(parts: GivenParts) -> Response:
    """Budgets are those of this server's settings; a worker elsewhere may have others."""
    return answers.data(_ENCODER.encode(await read_queue(parts.db, parts.settings)))
