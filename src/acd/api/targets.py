"""Targets: the queue file's entries and their progress."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from acd.api import examples, queue_examples
from acd.api.describing import Refusal, Shape, described
from acd.api.parameters import Words, YesNo
from acd.core.contract import Summary, TargetRow
from acd.core.models import TargetStatus
from acd.core.queue_rows import EarlierStatus, SyncDone
from acd.reports import targets
from acd.web import answers
from acd.web.parts import GivenDatabase, GivenParts

router = APIRouter(prefix="/api", tags=["targets"])


@router.get(
    "/db/targets",
    summary="Targets by priority",
    responses=described(TargetRow, examples.TARGET_ROW, Shape.ROWS),
)
async def list_targets(
    db: GivenDatabase,
    status: Annotated[TargetStatus | None, Query()] = None,
    enabled: Annotated[YesNo | None, Query()] = None,
    q: Words = None,
) -> Response:
    """Each with its last five sessions, newest first."""
    wanted = None if enabled is None else enabled == "true"
    return answers.data(await targets.recent(db, status=status, enabled=wanted, q=q))


@router.get(
    "/db/targets/summary",
    summary="All targets and sessions together",
    responses=described(Summary, examples.SUMMARY),
)
async def summarise_targets(db: GivenDatabase) -> Response:
    """Features and percent are of every target, enabled or not."""
    return answers.data(await targets.summary(db))


@router.post(
    "/db/targets/sync",
    summary="Read the configured queue file into the database",
    responses=described(
        SyncDone,
        queue_examples.SYNC,
        refusals=[Refusal(422, "config", "repo-queue.json: there is no such file")],
    ),
)
async def sync_targets(parts: GivenParts) -> Response:
    """Targets that the file names no more are disabled, never deleted."""
    outcome = await parts.sync(parts.db, parts.settings)
    return answers.data(msgspec.json.encode(SyncDone(True, outcome.summary, outcome.warnings)))


@router.get(
    "/targets/status",
    summary="The queue as clients of the earlier system expect it",
    responses=described(EarlierStatus, queue_examples.EARLIER_STATUS),
)
async def show_queue_status(db: GivenDatabase) -> Response:
    """Percentages are strings with one digit after the point."""
    return answers.data(await targets.status(db))
