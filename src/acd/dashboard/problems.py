"""What went wrong, as a page that says what to do next: for browsers, in place of the API's JSON."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from acd.dashboard.shell import Shell

Handler = Callable[[Request[Any], Any], Response | Awaitable[Response]]

_NOT_PAGES = ("/api/", "/docs", "/openapi.json", "/metrics", "/static/")
_LENGTHS = frozenset({"content-length", "content-type"})
_TITLES: Mapping[int, str] = {
    400: "This address does not fit",
    404: "There is nothing here",
    422: "This address does not fit",
    500: "Something went wrong in acd",
    503: "The database cannot be reached just now",
}


def add_problem_pages(app: FastAPI, shell: Shell) -> None:
    """Answer browsers with a page where they would have got JSON; the routes' own errors stay what they are."""
    for kind, handler in list(app.exception_handlers.items()):
        app.add_exception_handler(kind, _for_browsers(handler, shell))


def _for_browsers(handler: Handler, shell: Shell) -> Handler:
    async def answer(request: Request, error: Exception) -> Response:
        answered = handler(request, error)
        plain = answered if isinstance(answered, Response) else await answered
        if not _wants_page(request, shell):
            return plain
        return _page(request, plain, shell)

    return answer


def _wants_page(request: Request, shell: Shell) -> bool:
    path = request.url.path
    if request.method not in ("GET", "HEAD") or path.startswith(_NOT_PAGES):
        return False
    return shell.has(path) or "text/html" in request.headers.get("accept", "")


def _page(request: Request, plain: Response, shell: Shell) -> Response:
    told = json.loads(bytes(plain.body))["error"]
    status = plain.status_code
    headers = {name: value for name, value in plain.headers.items() if name.lower() not in _LENGTHS}
    return shell.page(
        request,
        "problem.html",
        {
            "status": status,
            "title": _TITLES.get(status, HTTPStatus(status).phrase),
            "message": told["message"],
            "retry_after": plain.headers.get("retry-after"),
        },
        status=status,
        headers=headers,
    )
