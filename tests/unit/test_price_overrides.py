"""What a person set is taken before the price list, from its day on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from acd.core.models import Usage
from acd.core.price_rows import PriceOverride
from acd.ledger.price import PriceList

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
MILLION = 1_000_000


def override(
    model: str, fresh: str, *, provider: str = "", first: date = date(2026, 11, 1)
) -> PriceOverride:
    price = Decimal(fresh)
    return PriceOverride(
        model=model,
        provider=provider,
        valid_from=first,
        input=price,
        output=2 * price,
        cache_read=price / 10,
        cache_write_5m=3 * price,
        cache_write_1h=4 * price,
        web_search=Decimal("0.02"),
        set_at=AT,
    )


def cost(
    prices: PriceList, model: str, usage: Usage, at: datetime = AT, provider: str = "anthropic"
) -> tuple[Decimal, str] | None:
    found = prices.price(provider, model, usage, at)
    return None if found is None else (found.cost_usd, found.source)


FRESH = Usage(input_tokens=MILLION)


@pytest.fixture
def prices() -> PriceList:
    return PriceList()


def test_every_rate_is_that_which_was_set(prices: PriceList) -> None:
    prices.override([override("own-1", "1")])
    source = "set by hand from 2026-11-01"
    for usage, usd in (
        (FRESH, "1"),
        (Usage(output_tokens=MILLION), "2"),
        (Usage(cache_read_tokens=MILLION), "0.1"),
        (Usage(cache_write_tokens=MILLION), "3"),
        (Usage(cache_write_tokens=MILLION, cache_write_5m_tokens=MILLION), "3"),
        (Usage(cache_write_tokens=MILLION, cache_write_1h_tokens=MILLION), "4"),
        (Usage(web_searches=1), "0.02"),
        (Usage(input_tokens=3, web_searches=2), "0.040003"),
    ):
        assert cost(prices, "own-1", usage) == (Decimal(usd), source)


def test_days_follow_each_other(prices: PriceList) -> None:
    model = "claude-opus-4-8"
    listed = cost(prices, model, FRESH)
    assert listed is not None
    prices.override(
        [
            override(model, "7", first=date(2026, 11, 10)),
            override(model, "9", first=date(2026, 11, 20)),
        ]
    )
    on = {day: cost(prices, model, FRESH, AT.replace(day=day)) for day in (9, 10, 19, 20)}
    assert on[9] == listed
    assert [on[day] and on[day][0] for day in (10, 19, 20)] == [7, 7, 9]  # type: ignore[index]
    prices.override([])
    assert cost(prices, model, FRESH) == listed


def test_who_is_meant_more_exactly_counts(prices: PriceList) -> None:
    prices.override(
        [
            override("own-1", "1"),
            override("own-1", "2", provider="openai"),
            override("own-1[1m]", "3"),
        ]
    )
    assert cost(prices, "own-1", FRESH, provider="openai") == (
        Decimal(2),
        "set by hand from 2026-11-01",
    )
    assert cost(prices, "own-1", FRESH) == (Decimal(1), "set by hand from 2026-11-01")
    assert cost(prices, "own-1[1m]", FRESH) == (Decimal(3), "set by hand from 2026-11-01")
    assert cost(prices, "own-1-20260301", FRESH) is not None
    assert cost(prices, "own-2", FRESH) is None


def test_who_sold_a_request_decides_before_the_agents_usual_provider(prices: PriceList) -> None:
    prices.override([override("own-1", "1"), override("own-1", "3", provider="groq")])
    for terms, usd in (("", 1), ("from:groq", 3), ("from:groq batch", 3), ("from:nobody", 1)):
        found = prices.price("openrouter", "own-1", FRESH, AT, terms=terms)
        assert found is not None
        assert found.cost_usd == usd
    listed = prices.price("openai", "gpt-5.1", FRESH, AT)
    assert prices.price("anthropic", "gpt-5.1", FRESH, AT, terms="from:nobody") == listed
    assert prices.providers_set("own-1", AT.date()) == ["groq"]
