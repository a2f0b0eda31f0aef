"""The price table against costs that the genuine program reported (facts: claude-code.md, sections 3 and 4)."""

from decimal import Decimal

import pytest

from acd.testing.prices import FAMILIES, PRICES, Tokens, cost_of


def test_the_requests_of_a_recorded_session_cost_what_the_program_said() -> None:
    requests = [
        Tokens(101, 21, 0, 1000),
        Tokens(103, 23, 1000, 500, 200),
        Tokens(105, 25, 1700, 300),
        Tokens(107, 27, 2000),
        Tokens(109, 29, 2100),
    ]
    total = sum((cost_of("claude-opus-5-5", each) for each in requests), start=Decimal(0))
    assert total == Decimal("0.01656")


@pytest.mark.parametrize(
    ("model", "tokens", "usd"),
    [
        ("opus", Tokens(input_tokens=1_000_000), "4"),
        ("opus", Tokens(output_tokens=1_000_000), "20"),
        ("opus", Tokens(cache_write_5m_tokens=1_000_000), "5"),
        ("opus", Tokens(cache_write_1h_tokens=1_000_000), "8"),
        ("fable", Tokens(cache_read_tokens=1_000_000), "0.20"),
        ("sonnet", Tokens(17, 19), "0.000224"),
        ("sonnet", Tokens(cache_read_tokens=1_000_000), "0.10"),
        ("claude-sonnet-5", Tokens(cache_read_tokens=1_000_000), "0.20"),
        ("haiku", Tokens(cache_read_tokens=1), "0.00000001"),
        ("haiku", Tokens(web_searches=3), "0.03"),
    ],
)
def test_prices_per_kind_of_token(model: str, tokens: Tokens, usd: str) -> None:
    assert cost_of(model, tokens) == Decimal(usd)


def test_haiku_costs_five_times_as_much_above_a_hundred_thousand_prompt_tokens() -> None:
    assert cost_of("haiku", Tokens(input_tokens=100_000)) == Decimal("0.01")
    assert cost_of("haiku", Tokens(input_tokens=100_001)) == Decimal("0.0500005")
    at_edge = Tokens(input_tokens=1, output_tokens=10, cache_read_tokens=99_999)
    assert cost_of("haiku", at_edge) == Decimal("0.00100509")
    over = Tokens(1, 10, 99_999, cache_write_1h_tokens=1)
    assert cost_of("haiku", over) == Decimal("0.00502645")


def test_every_family_has_a_price_and_an_unknown_model_has_none() -> None:
    assert set(FAMILIES.values()) <= set(PRICES)
    with pytest.raises(KeyError):
        cost_of("claude-unheard-of", Tokens())
