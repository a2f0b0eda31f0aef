"""The OpenAPI document: what the routes say of themselves, the types' definitions, and what holds for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from acd.api.describing import DEFINITIONS, EXAMPLE, Failure, Refusal, schemas_of
from acd.web.answers import JSON

_METHODS = ("get", "post", "put", "patch", "delete")
_OPEN_POSTS = ("/api/db/targets/sync", "/api/db/features/sync/{repoId}")
_ABOUT = """
Everything that acd records. Success is `{"data": …}`, failure `{"error": {"code", "message"}}`. Times are ISO 8601 with
their zone, tokens integers, money exact JSON numbers: read them as decimals. Long lists come in pages: give `nextCursor`
back as `cursor`. Reads carry an `ETag`; with `If-None-Match` an answer that is still the same is 304 without a body.
""".strip()
_TAGS = {
    "targets": "The queue and its progress",
    "sessions": "Sessions, their requests, timelines and lines",
    "records": "What sessions brought about: usage, progress, errors, features, commits",
    "reports": "Sums of a period by one key",
    "queue": "What runs, what waits and why; control",
    "events": "What happens, as it happens",
    "export": "Everything, streamed",
    "state": "Is everything well?",
}
_ANYWHERE = (
    Refusal(401, "unauthorized", "This needs the token: Authorization: Bearer …"),
    Refusal(403, "host", "This server answers only to 127.0.0.1, [::1], localhost."),
    Refusal(
        503,
        "database_away",
        "The database cannot be reached just now. Sessions are recorded in files and come in when it is back.",
    ),
)
_BAD_VALUE = Refusal(422, "invalid", "limit: Input should be greater than or equal to 1", "limit")
_UNREADABLE = Refusal(400, "bad_request", "There was an error parsing the body")
_NOT_JSON = Refusal(415, "content_type", "A body must be JSON (Content-Type: application/json).")


def document(app: FastAPI) -> None:
    """Have the application give this document at `/openapi.json`. It is made when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _made(app)
        return app.openapi_schema

    # The way that FastAPI documents.
    app.openapi = openapi  # type: ignore[method-assign]


def operation_id(route: APIRoute) -> str:
    """The name of a route's function in camelCase: `list_sessions` is `listSessions`."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _made(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    _, definitions = schemas_of([Failure])
    used: set[str] = set()
    for path, method, operation in _operations(made):
        definitions |= _definitions_taken(operation)
        _complete(path, method, operation)
        used.update(operation.get("tags", ()))
    made["tags"] = [{"name": name, "description": _TAGS.get(name, name)} for name in sorted(used)]
    components = made.setdefault("components", {})
    # FastAPI's own shape of a refusal, which no route of ours answers with.
    own = {k: v for k, v in components.get("schemas", {}).items() if "ValidationError" not in k}
    components["schemas"] = {**own, **_with_numbers(definitions)}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return made


def _operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in made["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _definitions_taken(operation: dict[str, Any]) -> dict[str, Any]:
    """Take the types' definitions out of an operation, and put its examples in."""
    taken: dict[str, Any] = {}
    for response in operation["responses"].values():
        taken |= response.pop(DEFINITIONS, {})
        for media in response.get("content", {}).values():
            if EXAMPLE in media:
                media["example"] = json.loads(media.pop(EXAMPLE))
    return taken


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add what holds for every route: who may ask, and the refusals that any of them may give."""
    refusals = list(_ANYWHERE)
    if operation.get("parameters") or operation.get("requestBody"):
        refusals.append(_BAD_VALUE)
    if operation.get("requestBody"):
        refusals.append(_UNREADABLE)
    if method != "get":
        refusals.append(_NOT_JSON)
    if method != "get" and path not in _OPEN_POSTS:
        operation["security"] = [{"token": []}]
    responses = operation["responses"]
    _show_cursor(operation)
    if "HTTPValidationError" in str(responses.get("422", "")):
        del responses["422"]
    for refusal in refusals:
        responses.setdefault(str(refusal.status), refusal.described())
    operation["responses"] = dict(sorted(responses.items()))


def _show_cursor(operation: dict[str, Any]) -> None:
    """A page that has a next one shows what is given back for it."""
    shown = operation["responses"]["200"].get("content", {}).get(JSON, {}).get("example", {})
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "cursor":
            parameter["example"] = shown["nextCursor"]


def _with_numbers(schema: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """Money is a JSON number of any precision here; msgspec describes it as a string."""
    if isinstance(schema, list):
        return [_with_numbers(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return {**{k: v for k, v in schema.items() if k != "format"}, "type": "number"}
    return {key: _with_numbers(value) for key, value in schema.items()}
