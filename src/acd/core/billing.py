"""Which part of a cost is at list price only: of sessions under a subscription, which are not billed by the token.

The one place where that is put into words, for pages, command line and status line.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

AtListPrice = Literal["none", "part", "all"]
"""How much of a cost is what sessions under a subscription would have cost by the token."""

WHY = "Sessions under a subscription are not billed by the token: at list price is what they would cost if they were."
MARKS: dict[AtListPrice, str] = {
    "none": "",
    "part": "partly at list price",
    "all": "at list price",
}


def part_of(cost_usd: Decimal, listed_usd: Decimal) -> AtListPrice:
    """Which part of a cost `listed_usd` of it is."""
    if not listed_usd:
        return "none"
    return (
        "all" if listed_usd >= cost_usd else "part"
    )  # it may have been read a moment later than the cost


def at_list_price(part: AtListPrice, listed: str = "") -> str:
    """A sentence on a cost; nothing where it is billed as it stands.

    Args:
        part: how much of it.
        listed: the part that is at list price, as money is written there; empty where it is not known how much.
    """
    if part == "none":
        return ""
    whose = "of sessions under a subscription, which are not billed by the token"
    if part == "all":
        return f"All of it is at list price: {whose}."
    return f"{listed or 'Some'} of it is at list price: {whose}."
