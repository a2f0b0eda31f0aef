from __future__ import annotations

import pytest

from acd.core.errors import DatabaseError
from acd.database.queries import Query, load_queries, parse_queries

GOOD = """-- What this file is about.

-- name: newest
-- The newest of all,
-- as one array.
SELECT 1

-- name: oldest
-- The oldest.
SELECT 2;
"""


def test_a_file_holds_queries_by_name_with_what_they_are_for() -> None:
    assert list(parse_queries("things", GOOD)) == [
        Query("things.newest", "The newest of all, as one array.", b"SELECT 1"),
        Query("things.oldest", "The oldest.", b"SELECT 2;"),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-- name: a\nSELECT 1\n", "comment"),
        ("-- name: a\n-- Only a comment.\n", "no statement"),
        ("-- name: a\n-- A.\nSELECT 1\n-- name: a\n-- A again.\nSELECT 2\n", "two queries"),
        ("SELECT 1\n-- name: a\n-- A.\nSELECT 2\n", "without a name"),
        ("SELECT 1\n", "without a name"),
    ],
)
def test_what_is_not_in_the_form_is_an_error(text: str, reason: str) -> None:
    with pytest.raises(DatabaseError, match=reason):
        list(parse_queries("things", text))


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(DatabaseError, match=r"nothing\.here"):
        load_queries()["nothing.here"]
    assert "nothing.here" not in load_queries()
    assert "schema.state" in load_queries()
