"""Codex, Gemini CLI, OpenCode and Qwen Code work outside acd against an endpoint; imported, every figure is the endpoint's.

They come from npm (900 MB in all), so these tests are `long`: `make faults`. Golden files stand for them elsewhere.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from acd.testing.other_models import OtherEndpoint, ServedRequest
from tests.acceptance.other_agents import (
    WORK,
    Desk,
    codex_settings,
    delegating,
    opencode_settings,
)
from tests.acceptance.program import Program

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

_ROWS = """
SELECT model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd, subagent
FROM token_usage_details ORDER BY requested_at
"""
_SESSIONS = """
SELECT s.*, t.path FROM harness_sessions s JOIN targets t ON t.id = s.target_id ORDER BY started_at
"""
_PER_MILLION = Decimal(1_000_000)


class Books:
    """acd with the user's home, and the database that it fills."""

    def __init__(self, folder: Path, url: str) -> None:
        self.program = Program(folder, DATABASE_URL=url)
        self.desk = Desk(folder, folder / "user")
        self._url = url

    def rows(self, query: str) -> list[dict[str, Any]]:
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()

    def bring(self, agent: str) -> dict[str, Any]:
        called = self.program.call("import", "--agent", agent, "--json")
        assert called.returncode == 0, called.stderr
        done: dict[str, Any] = json.loads(called.stdout)
        assert (done.get("unread") or [], done.get("leftOut", 0)) == ([], 0)
        return done

    def assert_equal(self, agent: str, served: list[ServedRequest]) -> None:
        """One row a request with the served figures, and none more; again after another import."""
        self.bring(agent)
        rows = self.rows(_ROWS)
        assert Counter(map(_told, rows)) == Counter(map(_served, served))
        assert {str(row["path"]) for row in self.rows(_SESSIONS)} == {str(self.desk.repo)}
        self.bring(agent)
        assert self.rows(_ROWS) == rows


@pytest.fixture
def books(tmp_path: Path, database_url: str) -> Books:
    return Books(tmp_path, database_url)


def _told(row: dict[str, Any]) -> tuple[object, ...]:
    return (
        row["model"],
        row["input_tokens"],
        row["output_tokens"],
        row["cache_read_tokens"],
        row["cache_write_tokens"],
        row["reasoning_tokens"],
    )


def _served(served: ServedRequest) -> tuple[object, ...]:
    spent = served.tokens
    output = spent.output + spent.reasoning
    return served.model, spent.fresh, output, spent.cached, 0, spent.reasoning


def _cost(row: dict[str, Any], given: str, out: str, cached: str) -> Decimal:
    cost: Decimal = (
        row["input_tokens"] * Decimal(given)
        + row["output_tokens"] * Decimal(out)
        + row["cache_read_tokens"] * Decimal(cached)
    ) / _PER_MILLION
    return cost


async def test_codex(books: Books) -> None:
    endpoint, key = OtherEndpoint(WORK), {"SCRIPTED_KEY": "fake"}
    usual = ("--json", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check")
    async with endpoint.listening() as url:
        books.desk.put(".codex/config.toml", codex_settings(url))
        await books.desk.work("codex", ["exec", *usual, "do it"], key)
        books.bring("codex")
        await books.desk.work("codex", ["exec", *usual, "resume", "--last", "and again"], key)
        await books.desk.work("codex", ["exec", *usual, "something else"], key)
    assert len(endpoint.served) == 7
    books.assert_equal("codex", endpoint.served)
    assert [(row["request_count"], row["branch"]) for row in books.rows(_SESSIONS)] == [
        (4, "main"),
        (3, "main"),
    ]
    for row in books.rows(_ROWS):
        assert row["cost_usd"] == _cost(row, "1.25", "10", "0.125")


async def test_gemini_cli(books: Books) -> None:
    endpoint = OtherEndpoint(WORK)
    usual = ("--output-format", "stream-json", "--yolo", "-m", "gemini-2.5-pro")
    async with endpoint.listening() as url:
        chosen = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
        books.desk.put(".gemini/settings.json", chosen)
        more = {
            "GEMINI_API_KEY": "fake",
            "GOOGLE_GEMINI_BASE_URL": url,
            "GEMINI_TELEMETRY_ENABLED": "false",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        }
        await books.desk.work("gemini", ["-p", "do it", *usual], more)
        books.bring("gemini-cli")
        await books.desk.work("gemini", ["--resume", "latest", "-p", "and again", *usual], more)
    assert len(endpoint.served) == 4
    books.assert_equal("gemini-cli", endpoint.served)
    assert [row["request_count"] for row in books.rows(_SESSIONS)] == [4]
    for row in books.rows(_ROWS):
        assert row["cost_usd"] == _cost(row, "1.25", "10", "0.125")


async def test_opencode(books: Books) -> None:
    asked = {"description": "look", "prompt": "look around", "subagent_type": "general"}
    endpoint = OtherEndpoint(delegating("task", **asked))
    more = {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}
    usual = ("run", "--format", "json")
    async with endpoint.listening() as url:
        books.desk.put(".config/opencode/opencode.json", opencode_settings(url))
        await books.desk.work("opencode", [*usual, "do it"], more)
        books.bring("opencode")
        await books.desk.work("opencode", [*usual, "--continue", "and again"], more)
        await books.desk.work("opencode", [*usual, "--continue", "--fork", "otherwise"], more)
    # OpenCode asks for titles beside the conversation and writes down nowhere what that cost.
    written = [served for served in endpoint.served if not served.aside]
    assert len(written) == 8
    books.assert_equal("opencode", written)
    assert Counter(row["subagent"] for row in books.rows(_ROWS)) == {None: 6, "general": 2}
    assert [row["request_count"] for row in books.rows(_SESSIONS)] == [7, 1]


async def test_qwen_code(books: Books) -> None:
    asked = {
        "description": "look",
        "prompt": "look around",
        "subagent_type": "general-purpose",
    }
    endpoint = OtherEndpoint(delegating("agent", **asked))
    usual = ("--auth-type", "openai", "--output-format", "stream-json", "--yolo")
    async with endpoint.listening() as url:
        more = {
            "OPENAI_API_KEY": "fake",
            "OPENAI_BASE_URL": f"{url}/v1",
            "OPENAI_MODEL": "qwen3-coder-plus",
        }
        await books.desk.work("qwen", ["-p", "do it", *usual], more)
        books.bring("qwen-code")
        await books.desk.work("qwen", ["--continue", "-p", "and again", *usual], more)
    assert len(endpoint.served) >= 7
    books.assert_equal("qwen-code", endpoint.served)
    subagents = Counter(row["subagent"] for row in books.rows(_ROWS))
    assert subagents["general-purpose"] == 2
    assert {row["cost_usd"] for row in books.rows(_ROWS)} == {None}  # no list price is known
