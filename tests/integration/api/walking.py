"""Reading a list page by page, as a client does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx


async def pages(
    client: httpx.AsyncClient, path: str, *, limit: int, **query: str
) -> AsyncIterator[list[dict[str, Any]]]:
    """Page after page of a list, until there is no next one."""
    parameters: dict[str, str] = {**query, "limit": str(limit)}
    while True:
        answer = await client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        yield body["data"]
        if body["nextCursor"] is None:
            return
        parameters["cursor"] = body["nextCursor"]


async def rows(
    client: httpx.AsyncClient, path: str, *, limit: int, **query: str
) -> list[dict[str, Any]]:
    """All rows, page after page."""
    return [row async for page in pages(client, path, limit=limit, **query) for row in page]
