"""Writing a session's facts: into the journal first, then a ring so that the ledger looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acd.core.facts import Fact
from acd.files.folder import SessionFolder
from acd.files.journal import Stamp

Ring = Callable[[SessionFolder], None]
"""Tells the ledger that a session's files have grown; must return at once and raise nothing."""


@dataclass(frozen=True)
class Record:
    """The session's own record."""

    folder: SessionFolder
    ring: Ring

    def now(self) -> Stamp:
        """The two fields that every fact begins with."""
        return self.folder.journal.now()

    def add(self, *facts: Fact) -> None:
        """Write facts for good.

        Raises:
            OSError: the disk is full or failing.
        """
        self.folder.journal.append(*facts)
        self.ring(self.folder)
