"""Is everything well? The one route whose answer has no wrapper."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from acd import __version__
from acd.api.describing import Shape, described
from acd.core.contract import Health, HealthOfDatabase, HealthOfLedger
from acd.core.errors import DatabaseAway
from acd.reports import live
from acd.web.answers import JSON
from acd.web.errors import RETRY_AFTER_S
from acd.web.parts import GivenParts

router = APIRouter(prefix="/api", tags=["state"])

_OK = Health(
    status="ok",
    database=HealthOfDatabase(status="ok", server_version="18.6"),
    ledger=HealthOfLedger(pending=0, left_out_lines=0),
    version=__version__,
)
_DEGRADED = Health(
    status="degraded",
    database=HealthOfDatabase(status="away"),
    ledger=HealthOfLedger(pending=None),
    version=__version__,
)
_DESCRIBED = {
    **described(Health, _OK, Shape.BARE),
    **described(Health, _DEGRADED, Shape.BARE, status=503, description="The database is away"),
}


@router.get("/health", summary="Is everything well?", responses=_DESCRIBED)
async def show_health(parts: GivenParts) -> Response:
    """`pending`: sessions that wait to be recorded; null when this server does not record."""
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
