"""How figures look."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from acd.dashboard.addresses import session_name
from acd.dashboard.drawing import HEIGHT, bars
from acd.dashboard.formats import duration, exact, money, signed, spent, tokens


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        ("0", "$0"),
        ("0.00", "$0"),
        ("0.00000001", "$0.00000001"),
        ("0.000023", "$0.00002"),
        ("0.0123", "$0.0123"),
        ("0.5", "$0.5000"),
        ("12.345", "$12.34"),
        ("1234567.8", "$1,234,567.80"),
    ],
)
def test_money_never_shows_spending_as_nothing(usd: str, shown: str) -> None:
    assert money(Decimal(usd)) == shown


@pytest.mark.parametrize(
    ("usd", "unpriced", "shown"),
    [("0", 0, "$0"), ("0", 3, "unpriced"), ("3.274", 0, "$3.27"), ("3.274", 1, "$3.27 + unpriced")],
)
def test_what_nobody_can_price_is_not_free(usd: str, unpriced: int, shown: str) -> None:
    assert spent(Decimal(usd), unpriced) == shown


def test_a_session_without_a_number_is_called_by_its_id() -> None:
    session_id = UUID("0192aaaa-0000-7000-8000-000000000001")
    assert session_name(7, session_id) == "#7"
    assert session_name(None, session_id) == "0192aaaa"


def test_exact_has_no_exponent() -> None:
    assert exact(Decimal("1E-8")) == "0.00000001"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (31232, "31.2k"), (5_250_000, "5.2M")],
)
def test_tokens(count: int, shown: str) -> None:
    assert tokens(count) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (None, "\N{EN DASH}"),
        (850, "850 ms"),
        (12_340, "12.3 s"),
        (185_000, "3 min 05 s"),
        (7_800_000, "2 h 10 min"),
    ],
)
def test_duration(milliseconds: int | None, shown: str) -> None:
    assert duration(milliseconds) == shown


def test_signed_shows_that_features_can_be_lost() -> None:
    assert [signed(n) for n in (3, 0, -1)] == ["+3", "0", "\N{MINUS SIGN}1"]


def test_bars_fill_days_without_spending_and_scale_to_the_greatest() -> None:
    drawn = bars(
        [
            (date(2026, 3, 4), Decimal(4)),
            (date(2026, 3, 1), Decimal(1)),
            (date(2026, 3, 2), Decimal("0.001")),
        ]
    )
    assert [bar.day.day for bar in drawn] == [1, 2, 3, 4]
    assert [bar.height for bar in drawn] == [HEIGHT / 4, 1.0, 0.0, HEIGHT]
    assert bars([]) == []


def test_bars_of_days_without_any_cost_are_flat() -> None:
    assert [bar.height for bar in bars([(date(2026, 3, 1), Decimal(0))])] == [0.0]
