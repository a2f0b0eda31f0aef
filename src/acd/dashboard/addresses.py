"""Addresses of pages. Ids of targets and keys of features are written by people: every character is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode
from uuid import UUID


def target_page(repo_id: str) -> str:
    """Of a target; its id may hold slashes, which stay as they are."""
    return f"/targets/{quote(repo_id, safe='/')}"


def session_page(session_id: UUID) -> str:
    """Of a session."""
    return f"/sessions/{session_id}"


def session_name(number: int | None, session_id: UUID) -> str:
    """What a session is called: its number, else the beginning of its id."""
    return f"#{number}" if number is not None else str(session_id)[:8]


def query(path: str, values: Mapping[str, object | None]) -> str:
    """An address with those of the values that are set."""
    given = {name: value for name, value in values.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


FILTERS = {
    "target_page": target_page,
    "session_page": session_page,
    "session_name": session_name,
    "query": query,
}
