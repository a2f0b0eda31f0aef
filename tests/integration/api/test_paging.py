"""Pages: the same rows in the same order as in one piece, and cursors that are not ours are refused."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from acd.web.paging import ERRORS, SESSIONS
from tests.integration.api.walking import pages, rows

LISTS = [
    ("/api/db/sessions", {}),
    ("/api/db/sessions", {"repoId": "shop-api"}),
    ("/api/db/sessions", {"until": "2026-03-01T16:00:00Z", "type": "coding"}),
    ("/api/db/errors", {"resolved": "all"}),
    ("/api/db/errors", {"resolved": "all", "repoId": "shop-api"}),
    ("/api/db/token-usage", {}),
    ("/api/db/token-usage", {"repoId": "shop-api"}),
    ("/api/db/token-usage", {"sessionId": "50000000-0000-0000-0000-000000000007"}),
    ("/api/db/commits/shop-api", {}),
    ("/api/db/sessions/50000000-0000-0000-0000-000000000007/events", {}),
]


@pytest.mark.parametrize(("path", "query"), LISTS)
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_are_the_list(
    client: httpx.AsyncClient, path: str, query: dict[str, str], limit: int
) -> None:
    whole = (await client.get(path, params={**query, "limit": "1000"})).json()
    assert whole["nextCursor"] is None
    assert len(whole["data"]) >= 2
    assert await rows(client, path, limit=limit, **query) == whole["data"]
    sizes = [len(page) async for page in pages(client, path, limit=limit, **query)]
    assert all(size == limit for size in sizes[:-1])


async def test_filters_go_on_over_pages(client: httpx.AsyncClient) -> None:
    found = await rows(client, "/api/db/sessions", limit=2, status="completed", repoId="shop-api")
    assert [row["sessionNumber"] for row in found] == [5, 4, 3, 2, 1]


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


PLACE = ("2026-03-01T16:00:00+00:00", "50000000-0000-0000-0000-000000000006")


@pytest.mark.parametrize(
    "cursor",
    [
        "AAAA",
        "A",
        "____",
        ERRORS.cursor(PLACE),
        SESSIONS.cursor((*PLACE, "more")),
        SESSIONS.cursor(PLACE[:1]),
        SESSIONS.cursor((PLACE[0], "7")),
        SESSIONS.cursor((PLACE[0], f"{{{PLACE[1]}}}")),
        SESSIONS.cursor(("infinity", PLACE[1])),
        SESSIONS.cursor(("2026-03-01", PLACE[1])),
        SESSIONS.cursor(("2026-02-30T16:00:00+00:00", PLACE[1])),
        SESSIONS.cursor(("2026-03-01T16:00:00+00:00' OR true --", PLACE[1])),
        SESSIONS.cursor(PLACE) + "A",
        packed({"sessions": 1}),
        packed(["sessions", 1, 2]),
        packed("sessions"),
    ],
)
async def test_a_cursor_that_is_none_of_the_list_is_400_and_named(
    client: httpx.AsyncClient, cursor: str
) -> None:
    answer = await client.get("/api/db/sessions", params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": "cursor",
        "field": "cursor",
        "message": "cursor: not one of this list; begin again without it.",
    }


@pytest.mark.parametrize("cursor", ["", "a b", "é", "a" * 3000])
async def test_what_cannot_be_a_cursor_is_422(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get("/api/db/sessions", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "cursor"


@pytest.mark.parametrize(
    "path",
    [
        "/api/db/token-usage",
        "/api/db/errors",
        "/api/db/commits/shop-api",
        "/api/db/sessions/50000000-0000-0000-0000-000000000007/events",
        "/api/db/logs/50000000-0000-0000-0000-000000000007",
    ],
)
async def test_a_cursor_of_sessions_fits_no_other_list(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path, params={"cursor": SESSIONS.cursor(PLACE)})
    assert answer.status_code == 400
