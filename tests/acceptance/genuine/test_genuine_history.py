"""Claude Code worked by hand, outside acd: plainly, resumed, with subagents. Imported, every figure is the endpoint's own."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from acd.core.models import imported_session_id
from acd.database.connection import Database
from acd.reports.totals import disagreements, four_ways
from acd.testing.endpoint import Endpoint, Reply, Request, Served, Text, total
from acd.testing.prices import Tokens
from tests.acceptance.genuine.books import total_tokens
from tests.acceptance.genuine.scripts import ASK_A_SCOUT, HAIKU, LOOK, SONNET, Move
from tests.acceptance.genuine.stage import DEADLINE, KEY, Row, Stage, until

pytestmark = pytest.mark.extra

_LEDGER = """
SELECT split_part(u.request_key, ':', 2) AS message_id, s.agent_session_id, u.model, u.request_ids, u.tools,
       u.subagent IS NOT NULL AS by_subagent, u.input_tokens, u.output_tokens, u.cache_read_tokens,
       u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.cost_usd
FROM token_usage_details u JOIN harness_sessions s ON (s.target_id, s.id) = (u.target_id, u.session_id)
ORDER BY message_id
"""
_EVERYTHING = "SELECT * FROM token_usage_details ORDER BY request_key"


def moves(request: Request) -> Move:
    """Look, ask a subagent, answer; whoever comes back looks once more. The subagent looks, too."""
    if "SCOUT" in request.prompt:
        return LOOK if request.turn == 0 else said(request)
    match request.turn % 3:
        case 0:
            return LOOK
        case 1:
            return ASK_A_SCOUT
        case _:
            return said(request)


def said(request: Request) -> Reply:
    usage = Tokens(97 + request.turn, 31, 1100 * request.turn, 700, 60)
    return Reply(blocks=[Text(text="That is all.")], usage=usage)


async def by_hand(stage: Stage, endpoint: Endpoint, repo: Path, *words: str) -> str:
    """What a user types in the repository; returns the agent's session id."""
    usual = ("--output-format", "json", "--allowedTools", "Bash", "Agent")
    process = await asyncio.create_subprocess_exec(
        *(str(stage.claude), *words, *usual),
        cwd=repo,
        env=stage.environment(endpoint, KEY, {"DISABLE_AUTOUPDATER": "1"}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE):
        printed, _ = await process.communicate()
    told = json.loads(printed)
    assert (process.returncode, told["is_error"]) == (0, False), told
    return str(told["session_id"])


async def bring(stage: Stage, endpoint: Endpoint) -> dict[str, Any]:
    """`acd import`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "acd", "import", "--json"),
        cwd=stage.folder,
        env=stage.environment(endpoint, KEY, {}),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    done: dict[str, Any] = json.loads(printed)
    return done


def expected(served: Served, scouts: set[str]) -> Row:
    tokens = served.tokens
    return {
        "message_id": served.message_id,
        "agent_session_id": served.session_id,
        "model": served.model,
        "request_ids": [served.request_id],
        "tools": served.tools,
        "by_subagent": served.message_id in scouts,
        "input_tokens": tokens.input_tokens,
        "output_tokens": tokens.output_tokens,
        "cache_read_tokens": tokens.cache_read_tokens,
        "cache_write_5m_tokens": tokens.cache_write_5m_tokens,
        "cache_write_1h_tokens": tokens.cache_write_1h_tokens,
        "cost_usd": served.cost_usd,
    }


def of_scouts(stage: Stage) -> set[str]:
    """Ids of messages that stand in the subagents' own transcripts."""
    files = (stage.folder / "claude" / "projects").rglob("agent-*.jsonl")
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return {line["message"]["id"] for line in lines if line["type"] == "assistant"}


async def test_what_was_worked_by_hand_is_imported_to_the_token(
    stage: Stage, database: Database
) -> None:
    repo = stage.repository("shop", ["F1"])
    async with Endpoint({"*": moves}) as endpoint:
        first = await by_hand(stage, endpoint, repo, "-p", "look around", "--model", "sonnet")
        assert (await bring(stage, endpoint))["sessions"] == 1
        again = await by_hand(stage, endpoint, repo, "-p", "and again", "--resume", first)
        other = await by_hand(stage, endpoint, repo, "-p", "else", "--model", "haiku")
        await until(lambda: stage.transcribed(endpoint))
        await bring(stage, endpoint)
    scouts = of_scouts(stage)
    assert again == first
    assert first != other
    assert len(scouts) == 6
    served = sorted(endpoint.served, key=lambda each: str(each.message_id))
    assert all(each.complete for each in served)
    assert {each.model for each in served} == {SONNET, HAIKU}
    assert stage.rows(_LEDGER) == [expected(each, scouts) for each in served]
    assert_sessions(stage, [first, other], served, repo)
    totals = await four_ways(database)
    assert disagreements(totals) == []
    assert {each.total_tokens for each in totals} == {total_tokens(served)}
    assert {each.cost_usd for each in totals} == {total(served).cost_usd}
    before = stage.rows(_EVERYTHING)
    assert (await bring(stage, endpoint))["lines"] == 0
    assert stage.rows(_EVERYTHING) == before


def assert_sessions(stage: Stage, begun: list[str], served: list[Served], repo: Path) -> None:
    rows = {row["agent_session_id"]: row for row in stage.sessions()}
    assert set(rows) == set(begun)
    for name, row in rows.items():
        own = total([each for each in served if each.session_id == name])
        assert row["id"] == imported_session_id("claude-code", name)
        assert (row["origin"], row["session_type"], row["session_number"]) == (
            "import",
            "interactive",
            None,
        )
        assert (row["status"], row["branch"]) == ("completed", "main")
        assert (row["request_count"], row["cost_usd"]) == (own.requests, own.cost_usd)
    assert stage.target()["path"] == str(repo)
