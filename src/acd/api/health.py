"""Is everything well? The one route whose answer has no wrapper."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from acd import __version__
from acd.core.errors import DatabaseAway
from acd.reports import live
from acd.web.answers import JSON
from acd.web.errors import RETRY_AFTER_S
from acd.web.parts import GivenParts

router = APIRouter(prefix="/api")


@router.get("/health")
async def show_health(parts: GivenParts) -> Response:
    """200 `ok`, or 503 `degraded` while the database is away; `pending` is null when this server does not record."""
    try:
        seen = json.loads(await live.health(parts.db))
        pending = (await parts.pending()).folders if parts.pending else None
    except DatabaseAway:
        return _answer(
            503, {"status": "away"}, {"pending": None}, {"Retry-After": str(RETRY_AFTER_S)}
        )
    database = {"status": "ok", "serverVersion": seen["serverVersion"]}
    return _answer(200, database, {"pending": pending, "leftOutLines": seen["leftOutLines"]})


def _answer(
    status: int,
    database: dict[str, Any],
    ledger: dict[str, Any],
    headers: dict[str, str] | None = None,
) -> Response:
    body = {
        "status": "ok" if status == 200 else "degraded",
        "database": database,
        "ledger": ledger,
        "version": __version__,
    }
    return Response(json.dumps(body), status_code=status, media_type=JSON, headers=headers)
