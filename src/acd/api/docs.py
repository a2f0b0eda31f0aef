"""`/docs`: the OpenAPI document as a page. All its parts come from this machine.

Swagger UI (Apache-2.0) is taken from the package `fastapi-swagger` (MIT), which is no more than its two files.
"""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

PARTS = "/docs/parts"

router = APIRouter()


@router.get("/docs", include_in_schema=False)
async def show_docs() -> Response:
    """The page; its script reads `/openapi.json`."""
    return HTMLResponse((files("acd.api") / "static" / "docs.html").read_text())


def docs_parts() -> StaticFiles:
    """Style and scripts of the page, to be mounted at `PARTS`."""
    return StaticFiles(packages=[("fastapi_swagger", "resources"), ("acd.api", "static")])
