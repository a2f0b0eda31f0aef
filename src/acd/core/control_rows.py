"""What the API's control routes take and answer, as types, in the way of `acd.core.contract`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from acd.core.models import FeatureStatus, TargetStatus


class QueueOrder(msgspec.Struct, frozen=True, rename="camel"):
    """What the queue was told last, and when."""

    state: Literal["running", "paused", "draining", "stopping"]
    changed_at: datetime


class SessionStop(msgspec.Struct, frozen=True, rename="camel"):
    """A session that was asked to end."""

    id: UUID
    status: Literal["running"]
    stop_requested_at: datetime


class LoginLink(msgspec.Struct, frozen=True):
    """A path that lets one browser in, once."""

    path: str


class TargetChanged(msgspec.Struct, frozen=True, rename="camel"):
    """A change of a target as it is now. `in_queue_file`: its queue file says so too."""

    success: Literal[True]
    repo_id: str
    new_priority: int
    enabled: bool
    in_queue_file: bool


class TargetTried(msgspec.Struct, frozen=True, rename="camel"):
    """A target that was given another try. `workers`: how many work the queue now; with none, the next run tries."""

    success: Literal[True]
    repo_id: str
    status: TargetStatus
    workers: int


class FeatureSkipped(msgspec.Struct, frozen=True, rename="camel"):
    """A feature that is left out (`skipped`), or taken in again, and where it stands."""

    success: Literal[True]
    repo_id: str
    feature_key: str
    skipped: bool
    status: FeatureStatus
