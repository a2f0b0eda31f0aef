"""Which session a word means: the beginning of an id."""

from __future__ import annotations

from uuid import UUID

import pytest

from acd.database.connection import Database
from acd.reports.glance import Ambiguous, session_meant

FIRST = UUID("ab120000-1111-4111-8111-000000000001")
SECOND = UUID("ab12ffff-ffff-4fff-bfff-ffffffffffff")


@pytest.fixture
async def db(database: Database) -> Database:
    async with database.transaction() as transaction:
        await transaction.execute_sql(
            "INSERT INTO targets (id, repo_id, name, path) VALUES (gen_random_uuid(), 'x', 'X', '/x'); "
            "INSERT INTO harness_sessions (target_id, id, session_type, origin, agent, agent_session_id, model, status, "
            "started_at) SELECT t.id, s.id::uuid, 'coding', 'harness', 'scripted', s.id, 'opus', 'completed', now() "
            f"FROM targets t, unnest(ARRAY['{FIRST}', '{SECOND}']) AS s (id)"
        )
    return database


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ab120", FIRST),
        ("AB12ffff", SECOND),
        ("ab12ffff-", SECOND),
        (str(SECOND), SECOND),
        ("ab120000-1111-4111-8111-00000000000", FIRST),
        ("ab12a", None),
        ("ab1200001111", None),  # an id has a hyphen there
        ("ab12-", None),
        ("----", None),
        ("a" * 36, None),
    ],
)
async def test_the_beginning_of_an_id(db: Database, name: str, meant: UUID | None) -> None:
    assert await session_meant(db, name) == meant


async def test_a_beginning_that_two_have_is_refused(db: Database) -> None:
    with pytest.raises(Ambiguous, match="several"):
        await session_meant(db, "ab12")
