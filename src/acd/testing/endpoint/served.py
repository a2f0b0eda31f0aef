"""What the endpoint served, in its own words: the oracle for figures about the genuine program."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from acd.testing.prices import PRICES, Tokens, cost_of


class Served(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One request and what became of it. `complete` is false for refusals and for replies that broke off.

    `tokens` of a reply that broke off are what its start told (one output token). `cost_usd` is None for those, and
    where the model has no price.
    """

    request_id: str
    script: str
    turn: int
    model: str
    status: int
    streamed: bool
    complete: bool
    session_id: str = ""
    message_id: str | None = None
    tokens: Tokens = Tokens()
    cost_usd: Decimal | None = None
    tools: list[str] = []


class ServedTotals(msgspec.Struct):
    """Complete replies added up; refusals and replies that broke off are counted apart.

    What the genuine program charges for the latter depends on where they broke off and on how.
    """

    requests: int = 0
    tokens: Tokens = Tokens()
    cost_usd: Decimal = Decimal(0)
    refused: int = 0
    broken: int = 0
    broken_tokens: Tokens = Tokens()

    def add(self, served: Served) -> None:
        """Count `served` in."""
        if served.complete:
            self.requests += 1
            self.tokens += served.tokens
            self.cost_usd += served.cost_usd or Decimal(0)
        elif served.message_id is None:
            self.refused += 1
        else:
            self.broken += 1
            self.broken_tokens += served.tokens


def price(model: str, tokens: Tokens) -> Decimal | None:
    """Cost of a request, None for a model without a price."""
    return cost_of(model, tokens) if model in PRICES else None


def total(served: Iterable[Served]) -> ServedTotals:
    """Everything together."""
    totals = ServedTotals()
    for each in served:
        totals.add(each)
    return totals


def total_by_model(served: Iterable[Served]) -> dict[str, ServedTotals]:
    """Complete replies by the model that answered."""
    totals: dict[str, ServedTotals] = {}
    for each in served:
        if each.complete:
            totals.setdefault(each.model, ServedTotals()).add(each)
    return totals
