"""Requests priced anew: what they cost before is kept, and every sum follows."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.ledger import overrides
from acd.ledger.catch_up import open_source
from acd.ledger.price import PriceList, Rates
from acd.ledger.reprice import Chosen, reprice
from acd.reports.totals import disagreements, four_ways
from tests.integration.ledger.stage import end, fingerprint, play_sample, select, session_of

pytestmark = pytest.mark.extra

SAMPLES = ("a_success", "c_subagent", "m_fallback")
EACH = Decimal("0.001")
DEAR = Rates(EACH, EACH, EACH, EACH, EACH, Decimal(1))


async def record(database: Database, settings: Settings, *names: str) -> None:
    for number, name in enumerate(names, 1):
        folder = session_of(settings, number)
        play_sample(folder, name)
        end(folder)
        source = open_source(folder.path, database, PriceList())
        assert source is not None
        await source.catch_up()


async def set_all(database: Database) -> list[str]:
    rows = await select(database, "SELECT DISTINCT model FROM token_usage_details WHERE is_request")
    for row in rows:
        await overrides.put(database, row["model"], "", date(2020, 1, 1), DEAR)
    return [row["model"] for row in rows]


async def agree(database: Database) -> None:
    assert disagreements(await four_ways(database)) == []
    assert not await select(
        database,
        "SELECT FROM harness_sessions WHERE cost_gap_usd IS DISTINCT FROM reported_cost_usd - cost_usd",
    )


async def test_there_and_back_again(database: Database, settings: Settings) -> None:
    await record(database, settings, *SAMPLES)
    before = await fingerprint(database)
    models = await set_all(database)
    tried = await reprice(database, PriceList(), Chosen(), dry_run=True)
    assert await fingerprint(database) == before
    done = await reprice(database, PriceList(), Chosen())
    assert (done.changed_requests, done.cost_after_usd) == (
        tried.changed_requests,
        tried.cost_after_usd,
    )
    assert done.changed_requests == done.requests > len(SAMPLES)
    rows: list[dict[str, Any]] = await select(
        database, "SELECT * FROM token_usage_details WHERE is_request"
    )
    for row in rows:
        counted = sum(
            row[name]
            for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
        )
        assert row["cost_usd"] == counted * EACH + row["web_searches"]
        assert row["price_source"] == "set by hand from 2020-01-01"
    await agree(database)
    changes = await select(database, "SELECT * FROM price_changes")
    assert len(changes) == len(rows)
    assert sum(row["old_cost_usd"] for row in changes) == done.cost_before_usd
    assert (await reprice(database, PriceList(), Chosen())).changed_requests == 0
    for model in models:
        assert await overrides.drop(database, model) == 1
    back = await reprice(database, PriceList(), Chosen())
    assert back.cost_after_usd == done.cost_before_usd
    assert await fingerprint(database) == before
    assert len(await select(database, "SELECT FROM price_changes")) == 2 * len(rows)


async def test_only_what_was_chosen(database: Database, settings: Settings) -> None:
    await record(database, settings, *SAMPLES)
    model, *_ = sorted(await set_all(database))
    done = await reprice(database, PriceList(), Chosen(model=model))
    changed = await select(
        database,
        "SELECT DISTINCT model FROM token_usage_details WHERE price_source LIKE 'set by%%'",
    )
    assert [row["model"] for row in changed] == [model]
    assert done.changed_requests > 0
    await agree(database)
    (row,) = await select(database, "SELECT max(requested_at) AS last FROM token_usage_details")
    nothing = await reprice(database, PriceList(), Chosen(since=row["last"].replace(year=2030)))
    assert nothing.requests == 0


async def test_beside_writers_every_sum_stays_right(database: Database, settings: Settings) -> None:
    await record(database, settings, "a_success", "c_subagent")
    await set_all(database)
    folders = []
    for number in range(10, 16):
        folder = session_of(settings, number)
        play_sample(folder, "b_parallel" if number % 2 else "l_partial")
        end(folder)
        folders.append(folder)
    prices = PriceList()
    sources = [open_source(folder.path, database, prices) for folder in folders]
    await asyncio.gather(
        *(source.catch_up() for source in sources if source),
        *(reprice(database, PriceList(), Chosen()) for _ in range(3)),
    )
    await agree(database)
    last = await reprice(database, PriceList(), Chosen())
    assert last.cost_after_usd >= last.cost_before_usd
    await agree(database)


async def test_what_was_unknown_gets_its_price(database: Database, settings: Settings) -> None:
    await record(database, settings, "a_success")
    models = await set_all(database)
    async with database.transaction() as tx:
        await tx.execute_sql(
            "UPDATE token_usage_details SET cost_usd = NULL, price_source = NULL, price_date = NULL"
        )
    done = await reprice(database, PriceList(), Chosen())
    assert (done.unpriced_before, done.unpriced_after) == (done.requests, 0)
    await agree(database)
    (row,) = await select(database, "SELECT unpriced_requests AS left FROM harness_sessions")
    assert row["left"] == 0
    assert models


async def test_new_requests_cost_what_was_set_before(
    database: Database, settings: Settings
) -> None:
    await overrides.put(database, "claude-opus-5-5", "", date(2020, 1, 1), DEAR)
    await record(database, settings, *SAMPLES)
    rows = await select(
        database, "SELECT DISTINCT model, price_source FROM token_usage_details WHERE is_request"
    )
    for row in rows:
        by_hand = row["price_source"].startswith("set by hand")
        assert by_hand == row["model"].startswith("claude-opus-5-5")


async def test_terms_are_recorded_and_priced_again_alike(
    database: Database, settings: Settings
) -> None:
    folder = session_of(settings, 1)
    play_sample(folder, "a_success")
    for path in (folder.stream, *folder.transcripts.glob("*.jsonl")):
        path.write_bytes(
            path.read_bytes()
            .replace(b'"inference_geo":"global"', b'"inference_geo":"us"')
            .replace(b'"inference_geo":""', b'"inference_geo":"us"')
        )
    end(folder)
    source = open_source(folder.path, database, PriceList())
    assert source is not None
    await source.catch_up()
    dearer = await select(
        database, "SELECT * FROM token_usage_details WHERE is_request ORDER BY request_key"
    )
    assert {row["price_terms"] for row in dearer} == {"us"}
    assert (await reprice(database, PriceList(), Chosen())).changed_requests == 0
    async with database.transaction() as tx:
        await tx.execute_sql("UPDATE token_usage_details SET price_terms = ''")
    done = await reprice(database, PriceList(), Chosen())
    assert done.cost_before_usd == done.cost_after_usd * Decimal("1.1")
    await agree(database)
