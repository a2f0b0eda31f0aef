"""Values packed for a binary COPY are what the driver would send; prices in whole numbers are those of the decimals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.datetime import DateBinaryDumper, DatetimeBinaryDumper
from psycopg.types.numeric import DecimalBinaryDumper

from acd.core.models import Usage
from acd.database import binary
from acd.ledger.price import ModelRates, PriceList, Rates
from acd.ledger.whole_rates import whole, whole_rates

ZONES = [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=11))]
COUNTS = st.integers(0, 400_000) | st.integers(0, 2**54)


@given(st.integers(0, 10**28 - 1), st.integers(0, 24))
def test_numbers(value: int, scale: int) -> None:
    field = binary.numeric(value, scale)
    sent = DecimalBinaryDumper(Decimal).dump(Decimal(value).scaleb(-scale).normalize())
    assert field == in_field(sent)


@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001
    st.sampled_from(ZONES),
)
def test_times(at: datetime, zone: timezone) -> None:
    at = at.replace(tzinfo=zone)
    packed = binary.moment(at).to_bytes(8, "big", signed=True)
    assert in_field(packed) == in_field(DatetimeBinaryDumper(datetime).dump(at))


@given(st.dates())
def test_days(day: date) -> None:
    assert binary.day(day) == in_field(DateBinaryDumper(date).dump(day))


def in_field(data: object) -> bytes:
    assert isinstance(data, bytes | bytearray)
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-4-5"])
@pytest.mark.parametrize("terms", ["", "batch", "fast us"])
@settings(deadline=None)
@given(usage=st.builds(Usage, *[COUNTS] * 8))
def test_whole_prices(model: str, terms: str, usage: Usage) -> None:
    found = PRICES.find("anthropic", model, date(2026, 11, 22), terms)
    assert found is not None
    rates = whole_rates(found.rates)
    assert rates is not None
    cost = found.rates.cost(usage)
    assert Decimal(rates.cost(usage)).scaleb(-rates.scale) == cost
    assert binary.numeric(rates.cost(usage), rates.scale) == binary.numeric(*whole(cost))


def test_rates_with_very_many_digits_stay_decimals() -> None:
    rates = Rates(*[Decimal("0.12345678901234567")] * 6)
    assert whole_rates(ModelRates((), (rates,))) is None


PRICES = PriceList()
