"""Our price of a request equals what Claude Code 2.1.330 itself charged (facts: claude-code.md, section 4)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from acd.core.models import Usage
from acd.ledger.price import PriceList, canonical_model

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
MILLION = 1_000_000

# USD per million: input, output, cache write 5m, 1h, cache read
CHARGED = {
    "claude-opus-5-5": ("4", "20", "5", "8", "0.20"),
    "claude-fable-5-2": ("8", "40", "10", "16", "0.20"),
    "claude-sonnet-5-5": ("2", "10", "2.5", "4", "0.10"),
    "claude-sonnet-5": ("2", "10", "2.5", "4", "0.20"),
    "claude-opus-4-8": ("5", "25", "6.25", "10", "0.50"),
    "claude-haiku-4-5": ("1", "5", "1.25", "2", "0.10"),
}


@pytest.fixture(scope="module")
def prices() -> PriceList:
    return PriceList()


def cost(prices: PriceList, model: str, **usage: int) -> Decimal:
    price = prices.price("anthropic", model, Usage(**usage), AT)
    assert price is not None
    return price.cost_usd


@pytest.mark.parametrize("model", CHARGED)
def test_a_million_of_each_kind(prices: PriceList, model: str) -> None:
    fresh, output, write_5m, write_1h, read = map(Decimal, CHARGED[model])
    assert cost(prices, model, input_tokens=MILLION) == fresh
    assert cost(prices, model, output_tokens=MILLION) == output
    assert (
        cost(prices, model, cache_write_tokens=MILLION, cache_write_5m_tokens=MILLION) == write_5m
    )
    assert (
        cost(prices, model, cache_write_tokens=MILLION, cache_write_1h_tokens=MILLION) == write_1h
    )
    assert cost(prices, model, cache_read_tokens=MILLION) == read


def test_cache_writes_of_unknown_kind_cost_as_5m(prices: PriceList) -> None:
    assert cost(prices, "claude-opus-5-5", cache_write_tokens=MILLION) == Decimal(5)


def test_the_whole_prompt_decides_the_tier(prices: PriceList) -> None:
    model = "claude-haiku-5-5"
    assert cost(prices, model, input_tokens=100_000) == Decimal("0.01")
    assert cost(prices, model, input_tokens=100_001) == Decimal("0.0500005")
    assert cost(prices, model, input_tokens=1, cache_read_tokens=100_000) == Decimal(
        "0.0000005"
    ) + 100_000 * Decimal("0.00000005")
    assert cost(prices, model, input_tokens=100_001, output_tokens=10) == Decimal(
        "0.0500005"
    ) + Decimal("0.000025")


def test_sonnet_4_5_below_200k(prices: PriceList) -> None:
    assert cost(prices, "claude-sonnet-4-5", input_tokens=100_000) == Decimal("0.3")
    assert cost(prices, "claude-sonnet-4-5-20250929", input_tokens=300_000) == Decimal("1.8")


def test_web_searches_cost_a_cent_each(prices: PriceList) -> None:
    assert cost(prices, "claude-opus-5-5", web_searches=3) == Decimal("0.03")


def test_one_cached_token_of_a_small_model_is_not_rounded(prices: PriceList) -> None:
    assert cost(prices, "claude-haiku-5-5", cache_read_tokens=1) == Decimal("0.00000001")


def test_prices_are_dated(prices: PriceList) -> None:
    usage = Usage(input_tokens=300_000)
    before = prices.price("anthropic", "claude-opus-4-6", usage, datetime(2026, 3, 12, tzinfo=UTC))
    after = prices.price("anthropic", "claude-opus-4-6", usage, datetime(2026, 3, 14, tzinfo=UTC))
    assert before is not None
    assert after is not None
    assert (before.cost_usd, after.cost_usd) == (Decimal("3.00"), Decimal("1.50"))


def test_a_context_mark_is_ignored_and_an_unknown_model_has_no_price(prices: PriceList) -> None:
    assert cost(prices, "claude-opus-4-8[1m]", input_tokens=MILLION) == Decimal(5)
    assert prices.price("anthropic", "no-such-model-9", Usage(input_tokens=1), AT) is None


def test_a_cloud_s_names_have_its_prices(prices: PriceList) -> None:
    # Amazon's price of a model within one region is a tenth above the maker's.
    name = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
    assert cost(prices, name, input_tokens=MILLION) == Decimal("1.1")


def test_canonical_model() -> None:
    assert canonical_model("claude-opus-4-8[1m]") == "claude-opus-4-8"
    assert canonical_model("claude-sonnet-4-5-20250929") == "claude-sonnet-4-5"
    assert canonical_model("claude-opus-5-5") == "claude-opus-5-5"


@pytest.mark.parametrize(
    ("terms", "kind", "usd"),
    [
        ("", "input_tokens", "4"),
        ("batch", "input_tokens", "2"),
        ("batch", "output_tokens", "10"),
        ("fast", "input_tokens", "8"),
        ("us", "input_tokens", "4.4"),
        ("us", "cache_read_tokens", "0.22"),
        ("batch us", "input_tokens", "2.2"),
        ("us", "web_searches", "10000"),
    ],
)
def test_batches_fast_mode_and_the_us_have_their_prices(
    prices: PriceList, terms: str, kind: str, usd: str
) -> None:
    price = prices.price("anthropic", "claude-opus-5-5", Usage(**{kind: MILLION}), AT, terms=terms)
    assert price is not None
    assert price.cost_usd == Decimal(usd)


def test_terms_that_the_list_does_not_know_are_list_price(prices: PriceList) -> None:
    usage = Usage(input_tokens=MILLION)
    plain = prices.price("anthropic", "claude-haiku-4-5", usage, AT)
    for terms in ("fast", "strange"):
        assert prices.price("anthropic", "claude-haiku-4-5", usage, AT, terms=terms) == plain
    tiered = Usage(input_tokens=300_000)
    whole = prices.price("anthropic", "claude-sonnet-4-5", tiered, AT, terms="us")
    assert whole is not None
    assert whole.cost_usd == Decimal("1.98")
