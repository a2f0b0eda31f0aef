"""Figures in a terminal that need nothing loaded."""

from __future__ import annotations

from decimal import Decimal

from acd.dashboard.formats import money


def spent(cost_usd: Decimal, unpriced_requests: int = 0) -> str:
    """Cost; a question mark where requests without a known price are not in it."""
    return money(cost_usd) + ("+?" if unpriced_requests else "")
