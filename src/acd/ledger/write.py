"""Rows and offsets into PostgreSQL, in one transaction, with the roll-ups that they touch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import msgspec

from acd.core.facts import Ended, Started
from acd.core.models import Target
from acd.database.connection import Database, Json, Transaction
from acd.ledger.events import put_events
from acd.ledger.features import put_judgements, put_looks
from acd.ledger.owner import MovedOn, Owner
from acd.ledger.requests import Claims, look_up, put_usage
from acd.ledger.roll_up import roll_up_days, roll_up_session
from acd.ledger.rows import Batch, FileRow, json_rows
from acd.ledger.told import DENIED

_WRITE_SECONDS = 60.0


@dataclass(frozen=True)
class Written:
    """What a batch changed that others want to know: a session's row made, a session ended."""

    started: bool = False
    ended: Ended | None = None


async def write_batch(database: Database, owner: Owner, batch: Batch) -> Written:
    """Write everything that a batch amounts to, or nothing.

    Raises:
        MovedOn: the files no longer stand where the batch began; nothing was written.
        DataRefused: PostgreSQL cannot store something in it; nothing was written.
        DatabaseAway: perhaps written, perhaps not; doing it again is safe.
    """
    claims = await look_up(database, owner, list(batch.usage))
    async with database.transaction(timeout=_WRITE_SECONDS) as tx:
        await _put_target(tx, batch)
        ids = sorted({owner.target_id, *(target for target, _ in claims.touched)})
        await tx.fetch_all("ledger.lock_targets", ids=ids)
        await _put_files(tx, owner, batch.files)
        writer = _Writer(tx, owner, claims)
        started = await writer.put_session(batch)
        days = await writer.put_rows(batch)
        await put_looks(tx, owner.target_id, owner.session, batch, host=owner.host)
        if owner.session is not None:
            await put_judgements(tx, owner.target_id, owner.session, batch)
        for target_id, session_id in sorted(claims.touched):
            days_of_session = await roll_up_session(tx, target_id, session_id, batch)
            if target_id == owner.target_id:
                days |= days_of_session
            else:
                await roll_up_days(tx, target_id, days_of_session)
        await roll_up_days(tx, owner.target_id, days)
        if batch.events or batch.usage:
            await tx.fetch_all("ledger.tell_readers")
    return Written(started, batch.ended)


@dataclass(frozen=True)
class _Writer:
    """The statements of one batch, on its transaction, which has locked the targets of all that it touches."""

    tx: Transaction
    owner: Owner
    claims: Claims

    async def put_session(self, batch: Batch) -> bool:
        """The session's own row; whether it is new."""
        started = batch.started
        if started is None:
            return False
        row = await self.tx.fetch_one("ledger.start_session", **_session_columns(started))
        await self.tx.execute(
            "ledger.target_worked",
            target_id=self.owner.target_id,
            started_at=started.at,
            model=started.model,
        )
        return row is not None

    async def put_rows(self, batch: Batch) -> set[date]:
        """Everything that hangs on the session; the days on which sessions began or ended up."""
        ids = {"target_id": self.owner.target_id, "session_id": self.owner.session}
        await put_usage(self.tx, self.owner, self.claims, batch.usage)
        if batch.left_out:
            await self.tx.execute(
                "ledger.put_left_out",
                target_id=self.owner.target_id,
                session_id=self.owner.session_id,
                host=self.owner.host,
                rows=json_rows(batch.left_out),
            )
        if batch.events and self.owner.session:
            await put_events(self.tx, self.owner, batch.events)
        if batch.errors:
            await self.tx.execute("ledger.put_errors", rows=json_rows(batch.errors), **ids)
            await self._name_denials(batch)
        if batch.reports:
            await self.tx.execute("ledger.put_reports", rows=json_rows(batch.reports), **ids)
        if batch.commits:
            await self.tx.execute("ledger.put_commits", rows=json_rows(batch.commits), **ids)
        if batch.feature_changes:
            rows = json_rows(batch.feature_changes)
            await self.tx.execute("ledger.put_feature_changes", rows=rows, **ids)
        if batch.limits:
            await self.tx.execute("ledger.put_limits", rows=json_rows(batch.limits), **ids)
        await self._update_session(batch)
        return await self._started_days(batch)

    async def _name_denials(self, batch: Batch) -> None:
        denials = [error.id for error in batch.errors if error.error_code == DENIED]
        if denials:
            target_id = self.owner.target_id
            await self.tx.execute("ledger.name_denials", target_id=target_id, ids=denials)

    async def _update_session(self, batch: Batch) -> None:
        ids = {"target_id": self.owner.target_id, "id": self.owner.session_id}
        if batch.agent is not None:
            agent = batch.agent
            told = None if agent.api_key is None else "api" if agent.api_key else "subscription"
            await self.tx.execute(
                "ledger.agent_started",
                model=agent.model,
                agent_version=agent.agent_version,
                billing=told,
                **ids,
            )
        if batch.last_at is not None and self.owner.session:
            await self.tx.execute("ledger.session_seen", at=batch.last_at, **ids)
        if batch.ended is not None and self.owner.session:
            await self.tx.execute("ledger.end_session", **ids, **_ending_columns(batch.ended))

    async def _started_days(self, batch: Batch) -> set[date]:
        if batch.started is None:
            return set()
        days = await self.tx.fetch_all("rollups.day_of", at=batch.started.at)
        return {row["day"] for row in days}


async def _put_target(tx: Transaction, batch: Batch) -> None:
    target = batch.target
    if target is None:
        return
    await tx.execute("ledger.put_target", id=target.id, **_target_columns(target))
    if batch.started is None:
        await tx.execute("ledger.rename_target", id=target.id, name=target.name, path=target.path)


async def _put_files(tx: Transaction, owner: Owner, files: list[FileRow]) -> None:
    if not files:
        return
    written = await tx.execute(
        "ledger.put_files",
        target_id=owner.target_id,
        session_id=owner.session_id,
        host=owner.host,
        rows=json_rows(files),
    )
    if written < len(files):
        names = ", ".join(file.name for file in files)
        raise MovedOn(f"one of {names} has been read on by another writer")


def _session_columns(started: Started) -> dict[str, object]:
    return {
        "target_id": started.target.id,
        "id": started.session_id,
        "session_number": started.session_number,
        "session_type": started.session_type,
        "origin": started.origin,
        "agent": started.agent,
        "agent_session_id": str(started.session_id),
        "agent_version": started.agent_version,
        "model": started.model,
        "started_at": started.at,
        "host": started.host,
        "branch": started.branch,
        "head_before": started.head_before,
        "prompt_sha256": started.prompt_sha256,
        "billing": started.billing,
        "account": started.account,
    }


def _ending_columns(ended: Ended) -> dict[str, object]:
    columns = msgspec.structs.asdict(ended)
    columns["finished_at"] = columns.pop("at")
    del columns["stream_offset"]
    return columns


def _target_columns(target: Target) -> dict[str, object]:
    return {**msgspec.structs.asdict(target), "budget": Json(msgspec.to_builtins(target.budget))}
