"""What can be decided about a target."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from acd.core.models import SessionType

Cause = Literal["limit", "budget", "budget_of_all"]
"""What a wait or a stop comes from, where those who are told of it want to know: see `Wait` and `Stop`."""


class Work(msgspec.Struct, frozen=True):
    """Work a session of this type now. `canary`: limits whose reset has passed, but under which it has to go first."""

    session_type: SessionType
    reason: str
    canary: tuple[str, ...] = ()


class Wait(msgspec.Struct, frozen=True):
    """Not before `until`. `waits_for` are the targets that must be complete first, where it is that.

    `cause`: a limit of the agent's account, or a budget that is used up.
    """

    until: datetime
    reason: str
    waits_for: tuple[UUID, ...] = ()
    cause: Cause | None = None


class Done(msgspec.Struct, frozen=True):
    """Nothing more to do. `status` is the target's new one; None where it stays as it is.

    `waiting`: it waits for targets that are not going to be complete by themselves.
    """

    reason: str
    status: Literal["complete"] | None = None
    waiting: bool = False


class Stop(msgspec.Struct, frozen=True):
    """A person must look at this target: it becomes `blocked`, with the reason in words.

    `cause`: a budget that is used up, the target's own or that of all.
    """

    reason: str
    cause: Cause | None = None


Step = Work | Wait | Done | Stop
