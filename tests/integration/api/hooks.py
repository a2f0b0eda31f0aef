"""Read by schemathesis: random ids and cursors name nothing, so they become ones that do: every cursor, every other id."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import schemathesis

from acd.web.paging import COMMITS, ERRORS, EVENTS, LINES, REQUESTS, SESSIONS

SESSION = "50000000-0000-0000-0000-000000000007"
_ERROR = "e0000000-0000-0000-0000-000000000001"
_AT = "2026-03-01T16:00:00+00:00"
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,2048}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T.*)?", re.DOTALL)
_CURSORS = {
    "/api/db/sessions": SESSIONS.cursor((_AT, SESSION)),
    "/api/db/errors": ERRORS.cursor((_AT, _ERROR)),
    "/api/db/token-usage": REQUESTS.cursor((_AT, "scripted:m7")),
    "/api/db/commits/{repoId}": COMMITS.cursor((_AT, "c1")),
    "/api/db/sessions/{id}/events": EVENTS.cursor(("10",)),
    "/api/db/logs/{sessionId}": LINES.cursor(("0",)),
}


@schemathesis.hook
def map_query(
    context: schemathesis.HookContext, query: dict[str, Any] | None
) -> dict[str, Any] | None:
    if _path(context) == "/api/events":
        return _ended(query or {})
    query = query and _in_a_zone(query)
    known = _CURSORS.get(_path(context))
    given = (query or {}).get("cursor")
    if known and query and isinstance(given, str) and _CURSOR.fullmatch(given):
        return {**query, "cursor": known}
    return query


@schemathesis.hook
def map_path_parameters(
    context: schemathesis.HookContext, path: dict[str, Any] | None
) -> dict[str, Any] | None:
    return path and {name: _known(_path(context), name, path[name]) for name in path}


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Cases of the coverage phase are not mapped: what they have of a zone's name that may be becomes one that is."""
    zone = case.query.get("timezone") if isinstance(case.query, dict) else None
    if zone is not None:
        case.query = _in_a_zone(case.query)


def _ended(query: dict[str, Any]) -> dict[str, Any]:
    """A stream that ends: one that is to end in a thousand years would be followed until the client gives up."""
    until = query.get("until", _AT)
    valid = isinstance(until, str) and bool(_TIME.fullmatch(until))
    return {**query, "until": _AT} if valid else query


def _in_a_zone(query: dict[str, Any]) -> dict[str, Any]:
    """Which names there are is no schema's to say: one that may be becomes one that is."""
    zone = query.get("timezone")
    may_be = isinstance(zone, str) and len(zone) <= 100 and "\0" not in zone
    return {**query, "timezone": "Europe/Berlin"} if may_be else query


def _path(context: schemathesis.HookContext) -> str:
    return context.operation.path if context.operation else ""


def _known(path: str, name: str, value: object) -> object:
    if name == "repoId" and isinstance(value, str) and value.isalnum() and len(value) % 2:
        return "shop-api"
    if name in ("id", "sessionId") and _is_even(value):
        return _ERROR if "/errors/" in path else SESSION
    return value


def _is_even(value: object) -> bool:
    try:
        return isinstance(value, str) and not UUID(value).int % 2
    except ValueError:
        return False
