"""Prices that a person set, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from acd.core.contract import Moment, Row


class PriceOverride(Row, frozen=True):
    """What a model costs from a day (UTC) on, whatever the price list says; until the next one of the same model.

    USD for a million tokens, `web_search` for one search. An empty `provider` means any.
    """

    model: str
    provider: str
    valid_from: date
    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal = msgspec.field(name="cacheWrite5m")
    cache_write_1h: Decimal = msgspec.field(name="cacheWrite1h")
    web_search: Decimal
    set_at: Moment


class Repriced(Row, frozen=True):
    """What pricing requests anew came to (would come to, with `dry_run`): of `requests` looked at, so many cost something else.

    The costs are those of all requests looked at, without those that have no known price.
    """

    dry_run: bool
    requests: int = 0
    changed_requests: int = 0
    changed_sessions: int = 0
    cost_before_usd: Decimal = Decimal(0)
    cost_after_usd: Decimal = Decimal(0)
    unpriced_before: int = 0
    unpriced_after: int = 0

    def __add__(self, other: Repriced) -> Repriced:
        """Both together."""
        fields = self.__struct_fields__[1:]
        sums = {name: getattr(self, name) + getattr(other, name) for name in fields}
        return Repriced(dry_run=self.dry_run, **sums)
