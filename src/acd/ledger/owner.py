"""Whose lines they are, and what it means when another writer was faster."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from acd.core.errors import AcdError
from acd.ledger.rows import NO_SESSION


class MovedOn(AcdError):
    """Another writer recorded these lines, or claimed their requests, in the meantime: begin the batch again."""


class Quarantined(AcdError):
    """PostgreSQL refuses the fact that all others of a folder hang on: nothing of it is recorded until it takes it."""


@dataclass(frozen=True)
class Owner:
    """Whose lines they are. `session_id` is `NO_SESSION` for the journal of a target."""

    target_id: UUID
    session_id: UUID
    host: str

    @property
    def session(self) -> UUID | None:
        """The session id as a column holds it."""
        return None if self.session_id == NO_SESSION else self.session_id
