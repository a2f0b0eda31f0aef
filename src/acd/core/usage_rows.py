"""What `acd usage` shows: tokens and cost of any time by any key, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from acd.core.contract import Moment
from acd.core.figures import Sum

UsageBy = Literal[
    "day", "week", "month", "session", "target", "branch", "model", "agent", "feature", "commit"
]
"""Days, weeks and months are those of the report's zone, and named by their first day."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which time, of which target and agent (None: all of them).

    Times without a zone are in `timezone`, which None leaves to the database. Without `since` it is the last `days` days
    before `until`, today included.
    """

    since: datetime | None = None
    until: datetime | None = None
    days: int = 30
    timezone: str | None = None
    repo_id: str | None = None
    agent: str | None = None


ALL_OF_IT = Asked()


class UsageSum(Sum, frozen=True, kw_only=True):
    """What belongs to one key. The key is None for all together and for what belongs to no branch, feature or commit.

    `name`: a target's or feature's, TARGET #NUMBER of a session, the first line of a commit. Cost leaves out the
    unpriced requests. What a session spent is shared evenly among the features that it implemented; a request belongs
    to the next commit of its session.
    """

    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    total_tokens: int
    cost_usd: Decimal
    models: list[str]


class UsageReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was spent from `since` to before `until` (None: without end), in days of `timezone`.

    Days, weeks and months newest first, everything else the costliest first; `omitted` rows more are in the total only.
    `list_price_cost_usd`: the part of the cost that nobody is billed by the token for, being of sessions under a subscription.
    """

    since: Moment
    until: Moment | None
    timezone: str
    group_by: UsageBy
    total: UsageSum
    rows: list[UsageSum]
    omitted: int
    list_price_cost_usd: Decimal = Decimal(0)


class Block(UsageSum, frozen=True, kw_only=True):
    """Five hours, as subscriptions count them: from the full hour (UTC) of the first request after the block before.

    `key` is when it begins, None for all together. The one that is not over yet is `active`, with what it will come to
    if it goes on as from its first request until now.
    """

    until: Moment | None
    first_at: Moment | None
    last_at: Moment | None
    active: bool
    projected_tokens: int | None
    projected_cost_usd: Decimal | None


class BlockReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Blocks that end after `since` and begin before `until` (None: without end), newest first.

    `list_price_cost_usd`: as in `UsageReport`.
    """

    since: Moment
    until: Moment | None
    total: Block
    rows: list[Block]
    list_price_cost_usd: Decimal = Decimal(0)
