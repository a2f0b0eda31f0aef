"""Names of branches and refs of sessions. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from uuid import UUID

_LONGEST = 80


def safe_name(repo_id: str) -> str:
    r"""A target's id as a part of a ref's name. Ids that differ keep different names.

    Git forbids blanks, controls, `~^:?*[\`, `..`, `@{`, a dot at either end and the ending `.lock`.
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", repo_id)
    plain = re.sub(r"\.{2,}", ".", plain).strip(".-")[:_LONGEST].rstrip(".-")
    plain = re.sub(r"\.lock$", "-lock", plain, flags=re.IGNORECASE)
    if plain == repo_id:
        return plain
    fingerprint = hashlib.sha256(repo_id.encode()).hexdigest()[:8]
    return f"{plain}-{fingerprint}" if plain else fingerprint


def branch_names(repo_id: str, number: int | None, session_id: UUID) -> Iterator[str]:
    """Names for a session's branch, the best one first; the last one no other session can have."""
    place = f"acd/{safe_name(repo_id)}"
    if number is not None:
        yield f"{place}/{number}"
        yield f"{place}/{number}-{str(session_id)[:8]}"
    yield f"{place}/{session_id}"


def kept_ref(repo_id: str, session_id: UUID) -> str:
    """Where work of a session is kept that is not to be merged."""
    return f"refs/acd/{safe_name(repo_id)}/{session_id}"
