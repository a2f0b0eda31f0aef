"""Targets: the queue and its progress."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from acd.core.models import TargetStatus
from acd.reports import targets
from acd.web import answers
from acd.web.parts import GivenDatabase, GivenParts

router = APIRouter(prefix="/api")


@router.get("/db/targets")
async def list_targets(
    db: GivenDatabase,
    status: Annotated[TargetStatus | None, Query()] = None,
    enabled: Annotated[bool | None, Query()] = None,
    q: Annotated[str | None, Query(description="Part of name, id or path.")] = None,
) -> Response:
    """Targets by priority, each with its last five sessions, newest first."""
    return answers.data(await targets.recent(db, status=status, enabled=enabled, q=q))


@router.get("/db/targets/summary")
async def summarise_targets(db: GivenDatabase) -> Response:
    """All targets and sessions together."""
    return answers.data(await targets.summary(db))


@router.post("/db/targets/sync")
async def sync_targets(parts: GivenParts) -> Response:
    """Read the configured queue file into the database."""
    outcome = await parts.sync(parts.db, parts.settings)
    told = {"synced": True, "summary": outcome.summary, "warnings": outcome.warnings}
    return answers.data(msgspec.json.encode(told))


@router.get("/targets/status")
async def show_queue_status(db: GivenDatabase) -> Response:
    """The queue as clients of the earlier system expect it; percentages are strings."""
    return answers.data(await targets.status(db))
