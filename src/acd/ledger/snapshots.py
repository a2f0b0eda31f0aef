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
        self._take_greater(seen, at)
        if seen.request_id and seen.request_id not in self.ids:
            self.ids.append(seen.request_id)
        for tool in seen.tools:
            if tool not in self.tools:
                self.tools.append(tool)
        if at < self.first_at:
            self.first_at = at

    def join(self, other: Snapshots) -> None:
        """Take in what another file tells of the same request; the order of the files makes no difference."""
        self.subagent = (
            self.subagent or self.greatest.subagent or other.subagent or other.greatest.subagent
        )
        self._take_greater(other.greatest, other.greatest_at)
        self.ids += [each for each in other.ids if each not in self.ids]
        # A file may hold some of the request's lines only: the order of the calls is that of the one that has them all.
        first, second = self.tools, other.tools
        if len(second) > len(first) and set(first) <= set(second):
            first, second = second, first
        self.tools = [*first, *(tool for tool in second if tool not in first)]
        self.first_at = min(self.first_at, other.first_at)

    def _take_greater(self, seen: RequestSeen, at: datetime) -> None:
        """Keep the greater of two snapshots: by total, by output; then by anything, so that their order never decides."""
        usage, best = seen.usage, self.greatest.usage
        if usage == best and seen.model == self.greatest.model:
            self.greatest_at = min(self.greatest_at, at)
        elif _rank(seen) > _rank(self.greatest):
            self.greatest, self.greatest_at = seen, at

    def row(self, prices: PriceList, provider: str) -> UsageRow:
        """The row that they amount to, priced."""
        seen = self.greatest
        price = prices.price(provider, seen.model, seen.usage, self.greatest_at, terms=seen.terms)
        return UsageRow(
            seen.request_key,
            seen.model,
            sorted(self.ids),
            *usage_columns(seen.usage),
            price.cost_usd.normalize() if price else None,
            price.source if price else None,
            price.day if price else None,
            self.tools,
            self.subagent or seen.subagent,
            self.first_at,
            price_terms=seen.terms,
        )


def _rank(seen: RequestSeen) -> tuple[object, ...]:
    """Also how `ledger.put_usage` ranks what is recorded already."""
    usage = seen.usage
    return (
        usage.total,
        usage.output_tokens,
        seen.model,
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.reasoning_tokens,
        usage.web_searches,
    )
