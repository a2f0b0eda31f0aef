"""A list that came in pages, as one."""

from __future__ import annotations

from collections.abc import Sequence

_BETWEEN = b", \n "
"""How PostgreSQL's json_agg separates rows."""


def joined(pages: Sequence[bytes]) -> bytes:
    """Arrays put together, with the bytes that json_agg would have made of all their rows."""
    bodies = [page.strip()[1:-1] for page in pages]
    return b"[" + _BETWEEN.join(body for body in bodies if body) + b"]"
