"""What is to be done in one session."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from acd.core.models import SessionType, Target


class SessionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One session to work. `model` and `fallback_model` are handed to the agent as they are (family or full name).

    `queue_dir` is the queue file's folder, in which a feature list outside the repository may lie. The session ends
    at `deadline` even when its own time limit leaves it longer.
    """

    target: Target
    session_type: SessionType
    model: str
    session_number: int | None = None
    fallback_model: str | None = None
    queue_dir: Path | None = None
    deadline: datetime | None = None
    session_id: UUID = msgspec.field(default_factory=uuid4)
