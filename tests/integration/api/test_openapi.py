"""The OpenAPI document: valid, complete, and true of what the routes answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from acd.core.settings import Settings
from acd.files.folder import SessionFolder
from tests.integration.api.schemas import problems_of

JSON = "application/json"
SESSION = "50000000-0000-0000-0000-000000000007"
FAILED = "50000000-0000-0000-0000-000000000006"
# Every route that reads, with parameters that find something; what streams has tests of its own.
FILLED = {
    "/api/db/sessions/{id}": f"/api/db/sessions/{FAILED}",
    "/api/db/sessions/{id}/events": f"/api/db/sessions/{SESSION}/events",
    "/api/db/errors": "/api/db/errors?resolved=all",
    "/api/db/errors/groups": "/api/db/errors/groups?days=3660&resolved=all",
    "/api/db/features/{repoId}": "/api/db/features/shop-api?removed=true",
    "/api/db/commits/{repoId}": "/api/db/commits/shop-api",
    "/api/db/logs/{sessionId}": "/api/db/logs/50000000-0000-0000-0000-000000000008",
    "/api/db/model-usage": "/api/db/model-usage?days=30",
    "/api/db/snapshots": "/api/db/snapshots?days=30",
    "/api/reports/cost-per-feature": "/api/reports/cost-per-feature?from=2026-01-01&groupBy=feature",
    "/api/reports/lines": "/api/reports/lines?repoId=shop-api&days=3660",
    "/api/glance/session": "/api/glance/session?name=shop-api%237",
    "/api/glance/timeline/{id}": f"/api/glance/timeline/{SESSION}",
}
STREAMS = ("/api/events", "/api/export/", "/metrics")


class Said(NamedTuple):
    """One response of one operation, as the document has it."""

    operation: str
    status: str
    content: dict[str, Any]


def operations(openapi: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def said(openapi: dict[str, Any]) -> Iterator[Said]:
    for method, path, operation in operations(openapi):
        for status, response in operation["responses"].items():
            yield Said(f"{method} {path}", status, response.get("content", {}))


async def test_it_is_valid(openapi: dict[str, Any]) -> None:
    assert openapi["openapi"].startswith("3.1")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(openapi)] == []
    references = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(openapi)))
    assert references <= set(openapi["components"]["schemas"])


async def test_every_operation_has_a_name_a_summary_and_a_tag(openapi: dict[str, Any]) -> None:
    every = list(operations(openapi))
    names = [operation["operationId"] for _, _, operation in every]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]*)+", name) for name in names), names
    told = {tag["name"] for tag in openapi["tags"]}
    for method, path, operation in every:
        assert operation["summary"], f"{method} {path}"
        assert set(operation["tags"]) <= told, f"{method} {path}"


async def test_every_answer_has_an_example_that_fits(openapi: dict[str, Any]) -> None:
    wrong = []
    for operation, status, content in said(openapi):
        assert content, f"{operation} {status} has no content"
        for kind, media in content.items():
            if "example" not in media:
                wrong.append(f"{operation} {status} {kind}: no example")
            elif kind == JSON:
                problems = problems_of(openapi, media["schema"], media["example"])
                wrong += [f"{operation} {status}: {problem}" for problem in problems]
    assert wrong == []


async def test_every_answer_is_as_it_says(
    client: httpx.AsyncClient, openapi: dict[str, Any], settings: Settings
) -> None:
    folder = SessionFolder(settings.sessions_dir / "50000000-0000-0000-0000-000000000008")
    folder.create()
    folder.stream.write_bytes(b'{"type":"system"}\n')
    asked = 0
    for method, path, operation in operations(openapi):
        if method != "get" or path.startswith(STREAMS):
            continue
        answer = await client.get(FILLED.get(path, path))
        assert answer.status_code == 200, f"{path}: {answer.text}"
        schema = operation["responses"]["200"]["content"][JSON]["schema"]
        assert problems_of(openapi, schema, answer.json()) == [], path
        if path != "/api/health":
            assert answer.json()["data"], f"{path} is empty: this shows nothing"
        asked += 1
    assert asked >= 25


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/db/sessions?limit=0", 422),
        ("/api/db/sessions?cursor=AAAA", 400),
        ("/api/db/features/nobody", 404),
        (f"/api/db/logs/{FAILED}", 409),
    ],
)
async def test_refusals_are_as_they_say(
    client: httpx.AsyncClient, openapi: dict[str, Any], path: str, status: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    failure = {"$ref": "#/components/schemas/Failure"}
    assert problems_of(openapi, failure, answer.json()) == []


async def test_a_wrong_answer_would_be_found(openapi: dict[str, Any]) -> None:
    media = openapi["paths"]["/api/db/sessions"]["get"]["responses"]["200"]["content"][JSON]
    good = media["example"]
    (row,) = good["data"]
    for changed in (
        {**row, "costUsd": "0.5"},
        {**row, "startedAt": "yesterday"},
        {**row, "inputTokens": 1.5},
        {**row, "colour": "red"},
        {key: value for key, value in row.items() if key != "status"},
    ):
        assert problems_of(openapi, media["schema"], {**good, "data": [changed]})
