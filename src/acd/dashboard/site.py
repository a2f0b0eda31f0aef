"""The site: which pages there are, their navigation, their static files, and how they are mounted."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from acd.dashboard import script_route
from acd.dashboard.pages import (
    cost,
    errors,
    lines,
    models,
    overview,
    queue,
    session,
    sessions,
    target,
    targets,
)
from acd.dashboard.problems import add_problem_pages
from acd.dashboard.shell import Shell

_FOR_GOOD = "private, max-age=31536000, immutable"
_MOUNT = "/static"

PAGES = (overview, targets, sessions, cost, models, errors, queue)
"""Modules of pages, in the order of the navigation: each has a `router` and an `ENTRY`."""

BELOW = (target, session, lines)
"""Modules of pages that others lead to: each has a `router`."""


def add_pages(app: FastAPI) -> None:
    """Add all pages, after the routes of the API and the error handlers."""
    static = StaticParts()
    shell = Shell([page.ENTRY for page in PAGES], static.version)
    app.state.shell = shell
    for page in (*PAGES, *BELOW):
        app.include_router(page.router, include_in_schema=False)
    app.include_router(script_route.router, include_in_schema=False)
    app.mount(_MOUNT, static)
    add_problem_pages(app, shell)


class StaticParts(StaticFiles):
    """Style sheet and scripts, out of the package.

    Below a folder that is named by what is in them (`version`) browsers may keep them for good: what changes has
    another address, also what a script imports from beside itself.
    """

    def __init__(self) -> None:
        super().__init__(packages=[("acd.dashboard", "static")])
        self.version = _hash_of(files("acd.dashboard") / "static")

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, by its name or below its version."""
        first, _, rest = path.partition("/")
        if first != self.version or not rest:
            return await super().get_response(path, scope)
        response = await super().get_response(rest, scope)
        response.headers["Cache-Control"] = _FOR_GOOD
        return response


def _hash_of(folder: Traversable) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
