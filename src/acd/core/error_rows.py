"""Errors counted together, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from uuid import UUID

from acd.core.contract import Moment, Row, TargetName


class ErrorsOfTarget(Row, frozen=True):
    """How many errors of a group are a target's."""

    target: TargetName
    errors: int


class ErrorGroup(Row, frozen=True):
    """Errors of one type whose messages have the same shape (`GET /api/db/errors/groups`).

    `shape` is what the messages have in common, with `<n>`, `<id>`, `<path>` and `<text>` for what differs; `message`
    and `last_session_id` are those of the newest. `by_day` has a number for each day of the period, oldest first.
    """

    key: str
    error_type: str
    shape: str
    message: str
    errors: int
    unresolved: int
    sessions: int
    first_seen_at: Moment
    last_seen_at: Moment
    last_session_id: UUID | None
    targets: list[ErrorsOfTarget]
    by_day: list[int]


class GroupResolved(Row, frozen=True):
    """How many errors of a group were marked as resolved."""

    key: str
    resolved: int
