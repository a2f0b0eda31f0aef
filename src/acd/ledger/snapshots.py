"""Snapshots of a request → its ledger row."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import msgspec

from acd.core.events import RequestSeen
from acd.ledger.price import PriceList
from acd.ledger.rows import UsageRow, usage_columns


class Snapshots(msgspec.Struct, gc=False):
    """The snapshots of a request so far: the greatest counts, whatever the order (rule 1 of the records).

    What each adds beside the figures (ids, tools, the earliest time) is kept. A row is made, and priced, only of the last state.
    """

    greatest: RequestSeen
    greatest_at: datetime
    first_at: datetime
    ids: list[str]
    tools: list[str]
    subagent: str | None = None

    @classmethod
    def of(cls, seen: RequestSeen, at: datetime) -> Self:
        """Begin with one."""
        ids = [seen.request_id] if seen.request_id else []
        return cls(seen, at, at, ids, list(seen.tools))

    def add(self, seen: RequestSeen, at: datetime) -> None:
        """Take another snapshot in."""
        self.subagent = self.subagent or self.greatest.subagent or seen.subagent
        usage, best = seen.usage, self.greatest.usage
        if usage != best and (usage.total, usage.output_tokens) > (best.total, best.output_tokens):
            self.greatest, self.greatest_at = seen, at
        if seen.request_id and seen.request_id not in self.ids:
            self.ids.append(seen.request_id)
        for tool in seen.tools:
            if tool not in self.tools:
                self.tools.append(tool)
        if at < self.first_at:
            self.first_at = at

    def row(self, prices: PriceList, provider: str) -> UsageRow:
        """The row that they amount to, priced."""
        seen = self.greatest
        price = prices.price(provider, seen.model, seen.usage, self.greatest_at)
        return UsageRow(
            seen.request_key,
            seen.model,
            self.ids,
            *usage_columns(seen.usage),
            price.cost_usd.normalize() if price else None,
            price.source if price else None,
            price.day if price else None,
            self.tools,
            self.subagent or seen.subagent,
            self.first_at,
        )
