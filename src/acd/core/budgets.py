"""Budgets as they are written down: how much of what, for whom."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Amount(msgspec.Struct, frozen=True, omit_defaults=True):
    """The most of each; None: no bound. `hours` are the wall time of sessions, added up where several run at a time."""

    usd: Annotated[float, Meta(gt=0)] | None = None
    tokens: Annotated[int, Meta(gt=0)] | None = None
    sessions: Annotated[int, Meta(gt=0)] | None = None
    hours: Annotated[float, Meta(gt=0)] | None = None


class Budget(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a session may use, a target in all, all targets on one day, and all targets in all."""

    session: Amount = Amount()
    target: Amount = Amount()
    day: Amount = Amount()
    total: Amount = Amount()


def tighter(one: Budget, other: Budget) -> Budget:
    """Both at once: of each bound the smaller one."""
    return Budget(
        **{
            scope: _tighter(getattr(one, scope), getattr(other, scope))
            for scope in Budget.__struct_fields__
        }
    )


def _tighter(one: Amount, other: Amount) -> Amount:
    bounds = {
        name: [bound for each in (one, other) if (bound := getattr(each, name)) is not None]
        for name in Amount.__struct_fields__
    }
    return Amount(**{name: min(found, default=None) for name, found in bounds.items()})
