"""The rows of one batch, but for its requests: files with their offsets, sessions, reports, errors, lines left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from acd.core.errors import AcdError
from acd.core.events import Reported
from acd.core.models import error_id_of
from acd.database.connection import Transaction
from acd.files.lines import Line
from acd.history.belonging import NOWHERE, Session, SessionKey, key_of
from acd.history.folding import SessionNews, Told
from acd.history.reading import Part
from acd.history.requests import Home
from acd.history.roll_up import Day, rows_of
from acd.history.seen import Seen, merged, of_session, seen_of
from acd.ledger.owner import MovedOn
from acd.ledger.reading import SourceLine
from acd.ledger.rows import json_rows
from acd.ledger.told import agent_error_row, report_row


class FilesMovedOn(AcdError):
    """Another import was faster with some of the files: nothing was written."""


class Rows:
    """The rows of some parts whose sessions are settled; `billing` of their accounts where a person told it."""

    def __init__(
        self,
        host: str,
        parts: Sequence[Part],
        sessions: Mapping[SessionKey, Session],
        billing: str | None = None,
    ) -> None:
        self._host = host
        self._billing = billing
        self._sessions = sessions
        self._parts = parts
        self._homes = {home for home, _ in self.told() if home.target_id != NOWHERE}

    def told(self) -> Iterator[tuple[Home, SessionNews]]:
        """What is told of each session, once a file and part."""
        for part in self._parts:
            for news in part.sessions:
                yield self._sessions[key_of(news)].home, news

    def homes(self) -> set[Home]:
        """The sessions that have a row, or get one."""
        return self._homes

    async def put(self, tx: Transaction) -> set[Day]:
        """Write files and sessions; the days on which one of the sessions begins or was thought to.

        Raises:
            FilesMovedOn, MovedOn: another writer was faster.
        """
        before = await self._started(tx)
        await self._put_files(tx)
        await self._put_sessions(tx)
        return before | await self._started(tx)

    async def put_told(self, tx: Transaction) -> None:
        """Write what lines tell by themselves: reports; errors, but not those that acd's own stream told."""
        reports: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for home, news in self.told():
            reports += (_report(home, news, one) for one in news.reports)
            if self._sessions[key_of(news)].origin in (None, "import"):
                errors += (row for one in news.errors if (row := _error(home, news, one)))
        if reports:
            await tx.execute("history.put_reports", rows=json_rows(reports))
        if errors:
            await tx.execute("history.put_errors", rows=json_rows(errors))

    async def _started(self, tx: Transaction) -> set[Day]:
        """Days on which the sessions began, as they are recorded now."""
        homes = {home.session_id: home for home in self.homes()}
        rows = await tx.fetch_all("history.sessions_by_id", ids=list(homes))
        for row in rows:
            if homes[row["id"]].target_id != row["target_id"]:
                raise MovedOn("another import placed one of the sessions")
        return {Day(row["target_id"], row["started_day"]) for row in rows}

    # ---- files ----------------------------------------------------------------------------------------------------

    async def _put_files(self, tx: Transaction) -> None:
        rows = self._line_files() + await self._stores(tx)
        encoded = json_rows(rows)
        if any(part.known is not None and part.known.target_id == NOWHERE for part in self._parts):
            for name in ("history.move_files", "history.move_left_out"):
                await tx.execute(name, rows=encoded, host=self._host)
        written = await tx.execute("history.put_files", rows=encoded, host=self._host)
        if written < len(rows):
            raise FilesMovedOn("another import has read on in one of the files")
        if anew := [row for row in rows if row["anew"]]:
            await tx.execute("history.forget_left_out", rows=json_rows(anew), host=self._host)
        stores = [{"name": p.path, "places": p.entries} for p in self._parts if p.store]
        if stores:
            await tx.execute("history.forget_entries", rows=json_rows(stores), host=self._host)
        if left_out := self._left_out():
            await tx.execute("history.put_left_out", rows=json_rows(left_out), host=self._host)
        if stores:
            await tx.execute("history.count_entries", rows=json_rows(stores), host=self._host)

    def _line_files(self) -> list[dict[str, Any]]:
        """A row a file; of several parts of one file that follow each other the last tells how far it is read."""
        rows: dict[str, dict[str, Any]] = {}
        for part in self._parts:
            if part.store:
                continue
            news = part.sessions[0]
            row = _file_row(part, self._sessions[key_of(news)].home, news.seen)
            if first := rows.get(part.path):
                row["from_offset"], row["anew"] = first["from_offset"], first["anew"]
                row["lines_read"] += first["lines_read"]
                row["lines_left_out"] += first["lines_left_out"]
            rows[part.path] = row
        return list(rows.values())

    async def _stores(self, tx: Transaction) -> list[dict[str, Any]]:
        """A row a store, which says how far it is read, and one for each of its sessions, which says what it tells of it.

        Its entries are counted with their sessions, as they are now: however often they are read.
        """
        stores = [part for part in self._parts if part.store]
        if not stores:
            return []
        rows: list[dict[str, Any]] = []
        known = await self._known_seen(tx)
        for part in stores:
            whole = _file_row(part, Home(NOWHERE, NOWHERE), Seen(mark=part.mark))
            rows.append({**whole, "lines_read": 0, "lines_left_out": 0})
            for news in part.sessions:
                home = self._sessions[key_of(news)].home
                seen = known.get((home, part.path), Seen())
                of_session = _file_row(part, home, merged(seen, news.seen))
                counts = {"lines_read": news.entries, "lines_left_out": 0, "recounted": True}
                # Only what was read by itself is looked at again: a session is not.
                rows.append({**of_session, **counts, "mtime_ns": None})
        return rows

    async def _known_seen(self, tx: Transaction) -> dict[tuple[Home, str], Seen]:
        rows = await tx.fetch_all("history.seen_of_sessions", rows=rows_of(self.homes()))
        return {
            (Home(row["target_id"], row["session_id"]), row["name"]): seen_of(row["seen"])
            for row in rows
            if row["host"] == self._host
        }

    def _left_out(self) -> list[dict[str, Any]]:
        rows = []
        for part in self._parts:
            homes = {n.agent_session_id: self._sessions[key_of(n)].home for n in part.sessions}
            for line in part.left_out:
                # A file of lines tells of one session, an entry says of which.
                whose = line.agent_session_id or next(iter(homes))
                rows.append(
                    {
                        **homes[whose]._asdict(),
                        "name": part.path,
                        "line_offset": line.offset,
                        "length": line.length,
                        "reason": line.reason,
                    }
                )
        return rows

    # ---- sessions -------------------------------------------------------------------------------------------------

    async def _put_sessions(self, tx: Transaction) -> None:
        """Rows of imported sessions, from what all of their files tell."""
        homes = self.homes()
        keys = {
            session.home: key
            for key, session in self._sessions.items()
            if session.origin in (None, "import") and session.home in homes
        }
        if not keys:
            return
        files: dict[Home, list[Seen]] = {}
        for row in await tx.fetch_all("history.seen_of_sessions", rows=rows_of(keys)):
            home = Home(row["target_id"], row["session_id"])
            files.setdefault(home, []).append(seen_of(row["seen"]))
        rows = []
        for home, key in keys.items():
            whole = of_session(files.get(home, []))
            if whole.first_at is not None:
                rows.append(
                    {
                        "target_id": home.target_id,
                        "id": home.session_id,
                        "agent": key.agent,
                        "agent_session_id": key.id,
                        "agent_version": whole.version,
                        "started_at": whole.first_at,
                        "finished_at": whole.last_at,
                        "branch": whole.branch,
                        "error_type": whole.failure and whole.failure.error_type,
                        "error_message": whole.failure and whole.failure.message,
                    }
                )
        await tx.execute(
            "history.put_sessions", rows=json_rows(rows), host=self._host, billing=self._billing
        )


def _file_row(part: Part, home: Home, seen: Seen) -> dict[str, Any]:
    return {
        **home._asdict(),
        "name": part.path,
        "inode": part.inode,
        "size": part.size,
        "mtime_ns": part.mtime_ns,
        "head_sha256": part.head_sha256,
        "head_length": part.head_length,
        "tail_sha256": part.tail_sha256,
        "from_offset": part.from_offset,
        "read_offset": part.read_offset,
        "lines_read": part.lines,
        "lines_left_out": len(part.left_out),
        "seen": seen,
        "anew": part.anew,
    }


def _source(news: SessionNews, told: Told) -> SourceLine:
    """Where something stands, as acd names the transcripts that it keeps itself: so that both are the same place."""
    return SourceLine(f"transcripts/{news.name}", "transcript", Line(told.offset, 0, None), 0)


def _report(home: Home, news: SessionNews, told: Told) -> dict[str, Any]:
    event = told.event
    assert isinstance(event, Reported)  # noqa: S101 - see `Folding`
    row = report_row(home.session_id, _source(news, told), event, told.at)
    return {**home._asdict(), **msgspec.structs.asdict(row)}


def _error(home: Home, news: SessionNews, told: Told) -> dict[str, Any] | None:
    """An error's id comes from what it says: a session's copy in another file tells the same one."""
    row = agent_error_row(home.session_id, _source(news, told), told.event, told.at)
    if row is None:
        return None
    words = (news.agent, row.occurred_at.isoformat(), row.error_type, row.error_code, row.message)
    row.id = error_id_of(home.target_id, "\n".join(map(str, words)), 0)
    return {**home._asdict(), **msgspec.structs.asdict(row)}
