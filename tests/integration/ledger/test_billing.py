"""How a session's account is billed: as the agent tells, unless the settings say; its cost is then told at list price."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from acd.core.facts import Started
from acd.core.settings import Settings
from acd.core.usage_rows import Asked, UsageReport
from acd.database.connection import Database
from acd.files.folder import SessionFolder
from acd.files.journal import Journal
from acd.ledger.catch_up import open_source
from acd.ledger.price import PriceList
from acd.reports import used
from tests.integration.ledger.stage import end, play_sample, select, session_of

pytestmark = pytest.mark.extra


def said(folder: SessionFolder, billing: str) -> None:
    """The settings of the machine that ran it say how."""
    journal = folder.path / "journal.jsonl"
    (first, *_) = Journal(journal, None).facts()
    assert isinstance(first, Started)
    told = msgspec.structs.replace(first, billing=billing)
    journal.write_bytes(msgspec.json.encode(told) + b"\n")


async def test_billing_and_what_is_at_list_price(database: Database, settings: Settings) -> None:
    for number, (name, billing) in enumerate(
        (("a_success", None), ("q_oauth_rlwarn", None), ("b_parallel", "subscription")), 1
    ):
        folder = session_of(settings, number)
        if billing:
            said(folder, billing)
        play_sample(folder, name)
        end(folder)
        source = open_source(folder.path, database, PriceList())
        assert source is not None
        await source.catch_up()
    rows = await select(
        database, "SELECT session_number, billing, cost_usd FROM harness_sessions ORDER BY 1"
    )
    assert [row["billing"] for row in rows] == ["api", "subscription", "subscription"]
    expected = sum((row["cost_usd"] for row in rows[1:]), Decimal(0))
    assert expected > 0
    for zone in ("UTC", "Etc/UTC"):
        found = await used.usage(database, "model", Asked(days=3660, timezone=zone))
        report = msgspec.json.decode(found, type=UsageReport)
        assert report.list_price_cost_usd == expected
        assert report.total.cost_usd == expected + rows[0]["cost_usd"]
