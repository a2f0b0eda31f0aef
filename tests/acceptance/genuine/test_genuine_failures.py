"""What goes wrong while Claude Code works: the error's name, what was spent before it, and what the queue does next.

In each of these a session looks around once (a complete request, which has to be kept) before it meets its trouble.
"""

from __future__ import annotations

import re

import msgspec
import pytest

from acd.database.connection import Database
from acd.testing.brain import Brain
from acd.testing.endpoint import Endpoint, Limit, Refusal, Reply, Request, ToolUse
from acd.testing.prices import Tokens
from tests.acceptance.genuine.books import assert_books_agree, assert_one_after_another
from tests.acceptance.genuine.scripts import (
    LOOK,
    OPUS,
    SONNET,
    FirstSession,
    Move,
    looks_then,
)
from tests.acceptance.genuine.stage import KEY, LOGIN, Stage

pytestmark = pytest.mark.extra


@pytest.fixture
def shop(stage: Stage) -> Stage:
    """A target with one feature to do."""
    stage.repository("shop", ["F1"])
    stage.write_queue({"id": "shop"})
    return stage


def outcomes(stage: Stage) -> list[tuple[str, str | None, int | None]]:
    return [(row["status"], row["error_type"], row["exit_code"]) for row in stage.sessions()]


def errors(stage: Stage) -> list[tuple[str, str | None, bool]]:
    return [(row["error_type"], row["error_code"], row["resolved"]) for row in stage.errors()]


async def test_refused_login_blocks_the_target(shop: Stage, database: Database) -> None:
    async with Endpoint({"*": looks_then(Refusal(status=401))}) as endpoint:
        ran = await shop.run(endpoint)
    assert ran.status == 1, ran.said
    assert outcomes(shop) == [("failed", "auth", 1)]
    assert errors(shop) == [("auth", "401", True), ("auth", "401", False)]
    assert endpoint.totals().refused == 2
    target = shop.target()
    assert target["status"] == "blocked"
    assert target["status_reason"].startswith("auth: ")
    assert f"shop is blocked: {target['status_reason']}" in ran.said
    await assert_books_agree(shop, endpoint, database)


async def test_a_rate_limit_of_a_key_is_tried_again(shop: Stage, database: Database) -> None:
    script = FirstSession(looks_then(Refusal(status=429)))
    async with Endpoint({"*": script}) as endpoint:
        ran = await shop.run(endpoint)
    assert ran.status == 0, ran.said
    assert outcomes(shop) == [("failed", "rate_limit", 1), ("completed", None, 0)]
    assert errors(shop) == [("rate_limit", "429", True), ("rate_limit", "429", False)]
    assert shop.target()["status"] == "complete"
    assert_one_after_another(endpoint)
    await assert_books_agree(shop, endpoint, database)


async def test_a_subscription_limit_is_waited_for(shop: Stage, database: Database) -> None:
    limit = Limit(status="rejected", resets_in=5)
    script = FirstSession(looks_then(Refusal(status=429, limit=limit)))
    async with Endpoint({"*": script}) as endpoint:
        ran = await shop.run(endpoint, login=LOGIN)
    assert ran.status == 0, ran.said
    assert outcomes(shop) == [("failed", "usage_limit", 1), ("completed", None, 0)]
    assert [error[:2] for error in errors(shop)] == [("usage_limit", "429")]
    (news,) = shop.rows("SELECT * FROM account_limits WHERE status = 'rejected'")
    assert news["limit_window"] == "five_hour"
    first, second = shop.sessions()
    assert first["finished_at"] < news["resets_at"] <= second["started_at"]
    assert re.search(r"limit of claude-code, \S.* \(five_hour\)", ran.said), ran.said
    assert endpoint.totals().refused == 1
    assert_one_after_another(endpoint)
    await assert_books_agree(shop, endpoint, database)


async def test_an_overloaded_model_gives_way_to_the_fallback(
    shop: Stage, database: Database
) -> None:
    brain = Brain()

    def script(request: Request) -> Move:
        move = brain(request)
        if request.turn == 0 or isinstance(move, Refusal):
            return move
        return msgspec.structs.replace(move, refusals=[Refusal(status=529, models=[OPUS])])

    levels = {"high": {"models": ["opus"], "fallback": "sonnet"}}
    shop.write_queue({"id": "shop", "complexity": "high"}, modelConfig={"complexityLevels": levels})
    async with Endpoint({"*": script}) as endpoint:
        ran = await shop.run(endpoint, CLAUDE_CODE_MAX_RETRIES="3")
    assert ran.status == 0, ran.said
    assert outcomes(shop) == [("completed", None, 0)]
    (session,) = shop.sessions()
    assert session["model"] == "opus"
    assert session["model_fallbacks"] == 1
    assert (
        errors(shop) == [("overloaded", "529", True)] * 2
    )  # the third refusal is no retry: it changes the model
    assert endpoint.totals().refused == 3
    models = shop.rows("SELECT model, request_count FROM model_usage ORDER BY model")
    assert [row["model"] for row in models] == [OPUS, SONNET]
    assert shop.target()["status"] == "complete"
    await assert_books_agree(shop, endpoint, database)


@pytest.mark.parametrize(
    ("setting", "value", "error", "code"),
    [
        ("ACD_MAX_TURNS", "2", "max_turns", "error_max_turns"),
        ("ACD_SESSION_BUDGET_USD", "0.01", "budget", "error_max_budget_usd"),
    ],
)
async def test_limits_that_the_agent_keeps(
    shop: Stage, database: Database, setting: str, value: str, error: str, code: str
) -> None:
    """Such a session may be tried again; after two in a row the target is blocked."""
    async with Endpoint({"*": looks_then(LOOK)}) as endpoint:
        ran = await shop.run(
            endpoint, KEY, **{"ACD_MAX_FAILURES": "2", "ACD_BREAKER_PROBES": "0", setting: value}
        )
    assert ran.status == 1, ran.said
    assert outcomes(shop) == [("failed", error, 1)] * 2
    told = errors(
        shop
    )  # at the same moment the harness may see that the budget is used up, and says so too
    assert [each for each in told if each != (error, None, False)] == [(error, code, False)] * 2
    assert shop.target()["status"] == "blocked"
    assert shop.target()["status_reason"].startswith(
        f"2 sessions in a row failed, the last with {error}"
    )
    assert_one_after_another(endpoint)
    await assert_books_agree(shop, endpoint, database)


async def test_a_budget_that_the_harness_holds(shop: Stage, database: Database) -> None:
    """Each request has 2,864 tokens, of which the agent knows no budget: it is ended within one request of the bound."""
    shop.write_queue({"id": "shop", "budget": {"target": {"tokens": 4000}}})
    slowly = msgspec.structs.replace(LOOK, delay=4)
    async with Endpoint({"*": lambda _: slowly}) as endpoint:
        ran = await shop.run(endpoint)
    assert ran.status == 1, ran.said
    (session,) = shop.sessions()
    assert (session["status"], session["error_type"]) == ("failed", "budget")
    assert "used up: budget of this target" in session["error_message"]
    assert 2 <= endpoint.totals().requests <= 3
    assert shop.target()["status"] == "blocked"
    assert "budget" in shop.target()["status_reason"]
    await assert_books_agree(shop, endpoint, database)


async def test_a_denied_permission_does_not_end_a_session(shop: Stage, database: Database) -> None:
    brain = Brain()
    deny = ToolUse(name="WebFetch", input={"url": "http://127.0.0.1:9/", "prompt": "read"})

    def script(request: Request) -> Move:
        if request.turn == 6:
            return Reply(blocks=[deny], usage=Tokens(91, 17, 1000, 200, 30))
        return brain(request)

    async with Endpoint({"*": script}) as endpoint:
        ran = await shop.run(endpoint)
    assert ran.status == 0, ran.said
    assert outcomes(shop) == [("completed", None, 0)]
    (error,) = shop.errors()
    assert error["error_type"] == "permission"
    assert error["message"].startswith("WebFetch(http://127.0.0.1:9/): ")
    denied = (
        "SELECT outcome FROM session_events WHERE kind = 'tool_ended' AND tool_name = 'WebFetch'"
    )
    assert [row["outcome"] for row in shop.rows(denied)] == ["denied"]
    assert shop.target()["status"] == "complete"
    await assert_books_agree(shop, endpoint, database)
