"""What can be decided about a target."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from acd.core.models import SessionType


class Work(msgspec.Struct, frozen=True):
    """Work a session of this type now. `canary`: limits whose reset has passed, but under which it has to go first."""

    session_type: SessionType
    reason: str
    canary: tuple[str, ...] = ()


class Wait(msgspec.Struct, frozen=True):
    """Not before `until`. `waits_for` are the targets that must be complete first, where it is that."""

    until: datetime
    reason: str
    waits_for: tuple[UUID, ...] = ()


class Done(msgspec.Struct, frozen=True):
    """Nothing more to do. `status` is the target's new one; None where it stays as it is.

    `waiting`: it waits for targets that are not going to be complete by themselves.
    """

    reason: str
    status: Literal["complete"] | None = None
    waiting: bool = False


class Stop(msgspec.Struct, frozen=True):
    """A person must look at this target: it becomes `blocked`, with the reason in words."""

    reason: str


Step = Work | Wait | Done | Stop
