"""What is to be done in one session."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from acd.core.models import Evidence, SessionType, Target


class Rejection(msgspec.Struct, frozen=True):
    """Why a feature that was said to work does not count, for the session that goes on with it.

    `change` is rejected, unjudged or regressed; `attempts` how often it was rejected since it last passed.
    """

    key: str
    change: str
    attempts: int = 0
    detail: str = ""
    evidence: Evidence | None = None


class SessionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One session to work. `model` and `fallback_model` are handed to the agent as they are (family or full name).

    `queue_dir` is the queue file's folder, in which a feature list outside the repository may lie. The session ends
    at `deadline` even when its own time limit leaves it longer. `rejections` are told to the agent; `verified` are
    the features that the harness saw pass, `to_recheck` all that pass, those first that were checked longest ago or never:
    a sample of those is checked again.
    `budget_usd` and `budget_tokens` are what it may use and `until` is when it ends at the latest, as far as known: they
    are told to the agent, and held by others.
    `skipped` are the features that a person leaves out.
    `given_up` are features that it is told to leave alone.
    """

    target: Target
    session_type: SessionType
    model: str
    session_number: int | None = None
    fallback_model: str | None = None
    queue_dir: Path | None = None
    deadline: datetime | None = None
    rejections: list[Rejection] = []
    verified: list[str] = []
    to_recheck: list[str] = []
    until: datetime | None = None
    budget_usd: float | None = None
    budget_tokens: int | None = None
    skipped: list[str] = []
    given_up: list[str] = []
    session_id: UUID = msgspec.field(default_factory=uuid4)
