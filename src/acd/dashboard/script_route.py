"""Where browsers fetch plotly's script from."""

from __future__ import annotations

import gzip

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from acd.dashboard.script import packed_script, script_version

router = APIRouter()


@router.get("/charts/{version}/plotly.js")
async def send_script(request: Request, version: str) -> Response:
    """The script; below its own version browsers keep it for good.

    Raises:
        ConfigError: acd was installed without it.
    """
    packed = packed_script()
    lasting = "private, max-age=31536000, immutable" if version == script_version() else "no-store"
    headers = {"Cache-Control": lasting, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(packed, media_type="text/javascript", headers=headers)
    return Response(gzip.decompress(packed), media_type="text/javascript", headers=headers)
