"""Figures in a terminal that need nothing loaded."""

from __future__ import annotations

from decimal import Decimal

from acd.core.billing import at_list_price, part_of
from acd.dashboard.formats import UNPRICED, money


def spent(cost_usd: Decimal, unpriced_requests: int = 0) -> str:
    """Cost; a question mark where requests without a known price are not in it. What nobody can price is not free."""
    if unpriced_requests and not cost_usd:
        return UNPRICED
    return money(cost_usd) + ("+?" if unpriced_requests else "")


def listed(cost_usd: Decimal, listed_usd: Decimal) -> str:
    """What to say of a cost where part of it, or all, is at list price only; nothing where it is billed as it stands."""
    return at_list_price(part_of(cost_usd, listed_usd), money(listed_usd))
