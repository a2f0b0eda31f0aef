"""The API over the known rows of `tests/integration/reports/seed.sql`, and its OpenAPI document."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from acd.core.settings import Settings
from acd.web.token import read_or_make_token
from tests.integration.reports.conftest import client as client
from tests.integration.reports.conftest import seeded as seeded


@pytest.fixture
def token(settings: Settings) -> dict[str, str]:
    """The header of whoever may change things."""
    return {"Authorization": f"Bearer {read_or_make_token(settings.home)}"}


@pytest.fixture
async def openapi(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document
