"""Plotly's script, which the pages with charts load and `acd report --html` carries.

It came out of plotly's wheel when acd was built (`hatch_build.py`), compressed, and is served as it lies there.
"""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from acd.core.errors import ConfigError

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


def script_address() -> str:
    """Where the script is: another address for another script."""
    return f"/charts/{script_version()}/plotly.js"


@cache
def script_version() -> str:
    """Names what is in the script; `none` where acd was installed without it."""
    try:
        return blake2b(packed_script(), digest_size=6).hexdigest()
    except ConfigError:
        return "none"


@cache
def packed_script() -> bytes:
    """The script, compressed with gzip: 1.5 MB.

    Raises:
        ConfigError: acd was installed without it.
    """
    try:
        return (files("acd.dashboard") / "vendor" / "plotly.min.js.gz").read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(
            "the script that draws charts is missing: install acd with pip or uv, which builds it "
            "(`make .venv/.run` in a checkout); tables and all else work without it"
        ) from error
