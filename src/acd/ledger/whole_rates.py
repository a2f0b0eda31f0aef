"""Rates as whole numbers of a small part of a dollar: the same price as `ModelRates.cost` gives, in a fraction of the time."""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from typing import NamedTuple

from acd.core.models import Usage
from acd.ledger.price import ModelRates

# Counts have at most 17 digits: with rates of so many more a sum stays within the 28 that decimals are exact to, so
# that both ways give the same to the last digit.
_MOST = 10**10


class WholeRates(NamedTuple):
    """Rates of a model on a day, each times `10**scale`; tiers as in `ModelRates`, kinds in the order of `Rates`."""

    thresholds: tuple[int, ...]
    tiers: tuple[tuple[int, ...], ...]
    scale: int

    def cost(self, usage: Usage) -> int:
        """The price of one request, times `10**scale`."""
        fresh, read, write = usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens
        tier = 0
        if self.thresholds:
            tier = bisect_left(self.thresholds, fresh + read + write)
        rates = self.tiers[tier]
        write_5m, write_1h = usage.cache_write_5m_tokens, usage.cache_write_1h_tokens
        unknown = write - write_5m - write_1h
        if unknown > 0:
            write_5m += unknown
        return (
            fresh * rates[0]
            + usage.output_tokens * rates[1]
            + read * rates[2]
            + write_5m * rates[3]
            + write_1h * rates[4]
            + usage.web_searches * rates[5]
        )


def whole_rates(rates: ModelRates) -> WholeRates | None:
    """The same rates as whole numbers; None where they have too many digits for that."""
    scale = max(_decimals(rate) for tier in rates.tiers for rate in tier)
    tiers = tuple(tuple(int(rate.scaleb(scale)) for rate in tier) for tier in rates.tiers)
    if not all(0 <= rate < _MOST for tier in tiers for rate in tier):
        return None
    return WholeRates(rates.thresholds, tiers, scale)


def whole(money: Decimal) -> tuple[int, int]:
    """A decimal as a whole number and its scale: 0.05 is 5 and 2."""
    scale = _decimals(money)
    return int(money.scaleb(scale)), scale


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
