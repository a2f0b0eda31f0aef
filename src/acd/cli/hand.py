"""What controls the queue: the database of this machine's settings, or the server that ACD_URL names.

`hand_here` and `hand_there` both have a `Hand`; their answers are those of the API.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from acd.cli.through import through
from acd.core.control_rows import FeatureSkipped, TargetTried
from acd.core.settings import Settings

T = TypeVar("T")

Order = Literal["pause", "resume", "drain", "stop"]


class Hand(Protocol):
    """What can be done. All of it raises DatabaseAway or ServerAway where there is nobody to do it."""

    async def order(self, order: Order) -> bytes:
        """One `QueueOrder`."""
        ...

    async def session_meant(self, name: str) -> UUID | None:
        """The session that a name means; AcdError when it may mean several."""
        ...

    async def stop_session(self, session_id: UUID) -> bytes:
        """One `SessionStop`; AcdError where it cannot be stopped."""
        ...

    async def blocked(self) -> list[str]:
        """Ids of the blocked targets, by priority."""
        ...

    async def retry(self, repo_id: str) -> TargetTried:
        """AcdError where there is nothing to try."""
        ...

    async def unblock(self, repo_id: str) -> TargetTried:
        """AcdError where it is not blocked, or there is nothing to try."""
        ...

    async def skip(self, repo_id: str, key: str, *, skip: bool) -> FeatureSkipped:
        """AcdError where there is no such feature, or it passes."""
        ...


def do(settings: Settings, command: str, work: Callable[[Hand], Awaitable[T]]) -> T:
    """Open the hand, do the work, close it; errors as `through`."""
    return through("acd.cli.hand_here", "acd.cli.hand_there", settings, command, work)
