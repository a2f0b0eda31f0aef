"""A session's timeline with its requests beside it, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from decimal import Decimal

from acd.core.contract import Moment, Row
from acd.core.one_session import TimelineRow


class TimelineRequest(Row, frozen=True):
    """A row of the ledger beside the timeline; `cost_usd` is None where the price is unknown."""

    request_key: str
    model: str
    is_request: bool
    tools: list[str]
    subagent: str | None
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal | None
    requested_at: Moment

    @property
    def total_tokens(self) -> int:
        """All four kinds."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
        )


class UsedBefore(Row, frozen=True):
    """What the requests before a page used; the cost leaves out those without a known price."""

    requests: int
    tokens: int
    cost_usd: Decimal


class TimelinePage(Row, frozen=True):
    """Events in their order and requests in that of time; `more` when other events come behind."""

    events: list[TimelineRow]
    requests: list[TimelineRequest]
    before: UsedBefore
    more: bool


class CurvePoint(Row, frozen=True):
    """What a session had used by then."""

    at: Moment
    cost_usd: Decimal
    tokens: int
