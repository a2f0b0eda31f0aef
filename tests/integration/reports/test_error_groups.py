"""Errors counted together: by type and by what their messages have in common, and resolved together."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.web.token import read_or_make_token

pytestmark = pytest.mark.extra

ERRORS = """
INSERT INTO harness_errors (target_id, id, session_id, source, source_offset, error_type, message, resolved, occurred_at)
SELECT t.id, gen_random_uuid(), '50000000-0000-0000-0000-000000000006', 'more', n, 'network',
       format('request req_011CT%%sxyZ to /srv/www/%%s.py failed after %%s ms: "why %%s"', n, n, n * 17, n),
       n = 1, now() - (n / 2) * interval '1 day'
FROM targets t, generate_series(1, 7) AS n WHERE t.repo_id = 'shop-api'
"""


@pytest.fixture
async def busy(seeded: Database) -> Database:
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        await connection.execute(ERRORS.replace("%%", "%"))
    return seeded


@pytest.mark.usefixtures("busy")
async def test_errors_of_one_kind_are_one_group(client: httpx.AsyncClient) -> None:
    groups = (await client.get("/api/db/errors/groups?days=30&resolved=all")).json()["data"]
    assert len(groups) == 1
    group = groups[0]
    assert group["shape"] == "request <id> to <path> failed after <n> ms: <text>"
    assert (group["errors"], group["unresolved"], group["sessions"]) == (7, 6, 1)
    assert len(group["byDay"]) == 30
    assert sum(group["byDay"]) == 7
    assert group["byDay"][-1] in (1, 2)  # today's; the first of it may lie before midnight
    assert [each["errors"] for each in group["targets"]] == [7]
    assert group["targets"][0]["target"]["repoId"] == "shop-api"
    listed = (await client.get(f"/api/db/errors?resolved=all&group={group['key']}")).json()["data"]
    assert len(listed) == 7
    assert group["message"] == listed[0]["message"]


@pytest.mark.usefixtures("busy")
async def test_filters_leave_out(client: httpx.AsyncClient) -> None:
    async def counted(query: str) -> list[int]:
        answer = await client.get(f"/api/db/errors/groups?{query}")
        assert answer.status_code == 200
        return [group["errors"] for group in answer.json()["data"]]

    assert await counted("days=30") == [6]
    assert await counted("days=30&resolved=true") == [1]
    assert await counted("days=30&type=overloaded") == []
    assert await counted("days=30&repoId=docs") == []
    assert sorted(await counted("days=3660&resolved=all")) == [1, 1, 1, 7]
    assert (await client.get("/api/db/errors?group=nonsense")).status_code == 422


@pytest.mark.usefixtures("busy")
async def test_a_group_is_resolved_at_once(client: httpx.AsyncClient, settings: Settings) -> None:
    key = (await client.get("/api/db/errors/groups?days=30")).json()["data"][0]["key"]
    path = f"/api/db/errors/groups/{key}/resolve"
    assert (await client.post(path)).status_code == 401
    token = {"Authorization": f"Bearer {read_or_make_token(settings.home)}"}
    answer = await client.post(path, headers=token)
    assert answer.json() == {"data": {"key": key, "resolved": 6}}
    assert (await client.post(path, headers=token)).json()["data"]["resolved"] == 0
    assert (await client.get("/api/db/errors/groups?days=30")).json()["data"] == []
    left = (await client.get("/api/db/errors")).json()["data"]
    assert {each["errorType"] for each in left} == {"overloaded", "network"}
    assert len(left) == 2


SHAPES = [
    ("You have 3 of 10 left", "You have <n> of <n> left"),
    ("reset at 10:30, not 1.5.2", "reset at <n>, not <n>"),
    ("no such file: ./src/app/x.py", "no such file: <path>"),
    ("7c9e6679-7425-50de-944b-e07fc1f90ae7 is gone", "<id> is gone"),
    ("commit 0a1b2c3d4e failed", "commit <id> failed"),
    ("the account's limit isn't known", "the account's limit isn't known"),
    ("bad option 'verbose' in `x`", "bad option <text> in <text>"),
    ("first\nsecond", "first"),
    ("\n  padded", "padded"),
    ("", ""),
    ("defaced effaced", "defaced effaced"),
]


async def test_shapes_of_messages(database: Database) -> None:
    messages = [message for message, _ in SHAPES]
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        found = await connection.execute(
            "SELECT acd_message_shape(m) FROM unnest(%s::text[]) WITH ORDINALITY AS x (m, n) ORDER BY n",
            [messages],
        )
        shapes = [row[0] for row in await found.fetchall()]
    assert dict(zip(messages, shapes, strict=True)) == dict(SHAPES)
