"""Revisions of the schema that this program has: `migrations/versions/<number>_<words>.sql`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "migrations" / "versions"


@cache
def known_revisions() -> tuple[str, ...]:
    """Their numbers, oldest first."""
    return tuple(sorted(file.name.split("_")[0] for file in _FOLDER.glob("*.sql")))


def read_revision(revision: str) -> str:
    """The SQL of a revision."""
    (file,) = _FOLDER.glob(f"{revision}_*.sql")
    return file.read_text(encoding="utf-8")
