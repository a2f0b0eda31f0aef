"""What the API says at a glance, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from decimal import Decimal

from acd.core.billing import AtListPrice
from acd.core.contract import (
    CommitRow,
    ModelSpending,
    Moment,
    Row,
    RunningSession,
    Summary,
    TargetName,
    TargetRow,
)
from acd.core.control_rows import QueueOrder


class TargetSpending(ModelSpending, frozen=True):
    """What one target used in a period (`GET /api/glance/usage`)."""

    target: TargetName


class RecentCommit(CommitRow, frozen=True):
    """A commit, with the target that it was made on (`GET /api/glance/commits`)."""

    target: TargetName


class ReachedLimit(Row, frozen=True):
    """A limit of an agent's account that was reached; it holds work back until `resets_at`, where that is known.

    `account`: as in `Limit`.
    """

    agent: str
    window: str
    resets_at: Moment | None
    account: str = ""


class Standing(Row, frozen=True):
    """What a person should know as a whole; `gap_usd` is what agents reported minus our price."""

    gap_sessions: int
    gap_usd: Decimal
    left_out_lines: int
    open_errors: int
    limits: list[ReachedLimit]


class PendingFiles(Row, frozen=True):
    """What the files of a machine hold that is not recorded yet."""

    folders: int
    bytes: int


class Glance(Row, frozen=True):
    """Everything at a glance (`GET /api/glance`); `pending` is None where the server asked does not record.

    `order`: what the queue was told last; None from a server of before. `at_list_price`: how much of all cost is of sessions
    under a subscription, which are not billed by the token.
    """

    summary: Summary
    running: list[RunningSession]
    targets: list[TargetRow]
    standing: Standing
    pending: PendingFiles | None
    order: QueueOrder | None = None
    at_list_price: AtListPrice = "none"
