"""Where the sessions of files belong: who has them already, else the target of the folder in which they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from acd.core.models import imported_session_id
from acd.database.connection import Database
from acd.files.folder import SessionFolder, is_uuid
from acd.history.folding import SessionNews
from acd.history.placing import NewTarget, Places
from acd.history.reading import Part
from acd.history.requests import Home

NOWHERE = UUID(int=0)
"""Stands for the target of files that tell of no session (so far)."""


class SessionKey(NamedTuple):
    """A session by its agent's own id."""

    agent: str
    id: str


class Session(NamedTuple):
    """Where a session belongs. `origin` None: it is not known yet. `ours`: acd works it and has not recorded it yet."""

    home: Home
    origin: str | None
    ours: bool = False


class Settled(NamedTuple):
    """Where the sessions of some parts belong, and the targets that have to be made for them."""

    sessions: dict[SessionKey, Session]
    made: dict[UUID, NewTarget]


def key_of(news: SessionNews) -> SessionKey:
    """Whose news they are."""
    return SessionKey(news.agent, news.agent_session_id)


@dataclass
class Belonging:
    """Settles where sessions belong."""

    database: Database
    sessions_dir: Path
    places: Places

    async def settle(self, parts: Sequence[Part]) -> Settled:
        """Where the sessions of some parts belong.

        Sessions that are known stay where they are; acd's own are found by the id that acd gave the agent.
        """
        by_key: dict[SessionKey, list[tuple[Part, SessionNews]]] = {}
        for part in parts:
            for news in part.sessions:
                by_key.setdefault(key_of(news), []).append((part, news))
        ids = {one for key, told in by_key.items() for one in _possible_ids(key, told)}
        rows = await self.database.fetch_all("history.sessions_by_id", ids=sorted(ids))
        known = {row["id"]: row for row in rows}
        sessions: dict[SessionKey, Session] = {}
        made: dict[UUID, NewTarget] = {}
        for key, told in by_key.items():
            row = next((known[one] for one in _possible_ids(key, told) if one in known), None)
            if row is not None:
                home = Home(row["target_id"], row["id"])
                sessions[key] = Session(home, row["origin"])
            else:
                sessions[key] = self._placed(key, told, made)
        return Settled(sessions, made)

    def _placed(
        self,
        key: SessionKey,
        told: Sequence[tuple[Part, SessionNews]],
        made: dict[UUID, NewTarget],
    ) -> Session:
        session_id = imported_session_id(*key)
        if is_uuid(key.id) and SessionFolder(self.sessions_dir / key.id).journal.path.exists():
            return Session(Home(NOWHERE, session_id), None, ours=True)
        if all(news.seen.first_at is None for _, news in told):
            return Session(Home(NOWHERE, session_id), None)
        folders = [news.seen.cwd for _, news in told if news.seen.cwd]
        # A session that never told where it was is placed by where it lies.
        folder = folders[0] if folders else str(Path(told[0][0].path).parent)
        target = self.places.target_of(folder, key.agent)
        if isinstance(target, NewTarget):
            made[target.id] = target
            target = target.id
        return Session(Home(target, session_id), None)


def _possible_ids(key: SessionKey, told: Iterable[tuple[Part, SessionNews]]) -> Iterator[UUID]:
    """Ids under which a session may be known: the one of its files, the one that acd gave it, the one of an import."""
    for part, _ in told:
        if part.known is not None and not part.store:
            yield part.known.session_id
    if is_uuid(key.id):
        yield UUID(key.id)
    yield imported_session_id(*key)
