"""Rows and offsets into PostgreSQL, in one transaction, with the roll-ups that they touch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from acd.core.errors import AcdError
from acd.core.facts import DailyStats, Ended, FeaturesSeen, Started
from acd.core.models import Feature, Target, Usage
from acd.database.connection import Database, Transaction
from acd.ledger.balance import Spent, decode_report, reported_by_model, rests
from acd.ledger.rows import NO_SESSION, Batch, FileRow

_WRITE_SECONDS = 60.0


class MovedOn(AcdError):
    """Another writer recorded these lines, or claimed their requests, in the meantime: begin the batch again."""


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
    keys = list(batch.usage)
    elsewhere = await database.fetch_all(
        "ledger.owners_elsewhere", keys=keys, session_id=owner.session_id
    )
    touched = {(row["target_id"], row["session_id"]) for row in elsewhere}
    if owner.session is not None:
        touched.add((owner.target_id, owner.session_id))
    async with database.transaction(timeout=_WRITE_SECONDS) as tx:
        await _put_target(tx, batch)
        ids = sorted({owner.target_id, *(target for target, _ in touched)})
        await tx.fetch_all("ledger.lock_targets", ids=ids)
        for file in batch.files:
            await _put_file(tx, owner, file)
        writer = _Writer(tx, owner, touched)
        started = await writer.put_session(batch)
        days = await writer.put_rows(batch)
        await writer.put_features(batch)
        for target_id, session_id in sorted(touched):
            days_of_session = await _roll_up_session(tx, target_id, session_id, batch)
            if target_id == owner.target_id:
                days |= days_of_session
            else:
                await _roll_up_days(tx, target_id, days_of_session)
        await _roll_up_days(tx, owner.target_id, days)
        if batch.events or batch.usage:
            await tx.fetch_all("ledger.tell_readers")
    return Written(started, batch.ended)


@dataclass(frozen=True)
class _Writer:
    """The statements of one batch, on its transaction. `touched`: the sessions whose sums it may change, all locked."""

    tx: Transaction
    owner: Owner
    touched: set[tuple[UUID, UUID]]

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
        await self._put_usage(batch)
        if batch.left_out:
            await self.tx.execute(
                "ledger.put_left_out",
                target_id=self.owner.target_id,
                session_id=self.owner.session_id,
                host=self.owner.host,
                rows=_json(batch.left_out),
            )
        if batch.events and self.owner.session:
            await self.tx.execute("ledger.put_events", rows=_json(batch.events), **ids)
            await self._finish_tools(batch)
        if batch.errors:
            await self.tx.execute("ledger.put_errors", rows=_json(batch.errors), **ids)
        if batch.reports:
            await self.tx.execute("ledger.put_reports", rows=_json(batch.reports), **ids)
        if batch.commits:
            await self.tx.execute("ledger.put_commits", rows=_json(batch.commits), **ids)
        if batch.feature_changes:
            rows = _json(batch.feature_changes)
            await self.tx.execute("ledger.put_feature_changes", rows=rows, **ids)
        if batch.limits:
            await self.tx.execute("ledger.put_limits", rows=_json(batch.limits))
        await self._update_session(batch)
        return await self._started_days(batch)

    async def _put_usage(self, batch: Batch) -> None:
        if batch.usage:
            rows = _json(list(batch.usage.values()))
            taken = await self.tx.fetch_all(
                "ledger.claim_requests",
                target_id=self.owner.target_id,
                session_id=self.owner.session_id,
                rows=rows,
            )
            await self._check_locked(taken, list(batch.usage))
            if taken:
                keys = [row["request_key"] for row in taken]
                await self.tx.execute("ledger.move_requests", keys=keys)
            await self.tx.execute("ledger.put_usage", rows=rows)

    async def _check_locked(self, taken: Sequence[dict[str, Any]], keys: list[str]) -> None:
        """Whoever had or has one of the requests must be among those whose targets we locked before we claimed them.

        Raises:
            MovedOn: another writer claimed one of them between our look and our claim.
        """
        elsewhere = await self.tx.fetch_all(
            "ledger.owners_elsewhere", keys=keys, session_id=self.owner.session_id
        )
        concerned = {(row["target_id"], row["session_id"]) for row in [*taken, *elsewhere]}
        if not concerned <= self.touched:
            raise MovedOn("another writer claimed a request of these lines in the meantime")

    async def _finish_tools(self, batch: Batch) -> None:
        waiting = [e.seq for e in batch.events if e.kind == "tool_ended" and e.tool_name is None]
        if waiting:
            await self.tx.execute(
                "ledger.finish_tools",
                target_id=self.owner.target_id,
                session_id=self.owner.session_id,
                seqs=waiting,
            )

    async def _update_session(self, batch: Batch) -> None:
        ids = {"target_id": self.owner.target_id, "id": self.owner.session_id}
        if batch.agent is not None:
            agent = batch.agent
            await self.tx.execute(
                "ledger.agent_started", model=agent.model, agent_version=agent.agent_version, **ids
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

    async def put_features(self, batch: Batch) -> None:
        """What was seen of the feature list, look by look, each with its day's snapshot."""
        looks: list[FeaturesSeen | DailyStats] = [*batch.features, *batch.daily]
        for look in sorted(looks, key=lambda look: look.at):
            if isinstance(look, FeaturesSeen):
                await put_feature_list(
                    self.tx, self.owner.target_id, self.owner.session, look.features, look.at
                )
            else:
                await self._put_daily_stats(look)

    async def _put_daily_stats(self, look: DailyStats) -> None:
        ids = {"target_id": self.owner.target_id, "at": look.at}
        await self.tx.execute(
            "ledger.put_daily_stats",
            total=look.total_features,
            passing=look.passing_features,
            **ids,
        )
        await self.tx.execute("rollups.snapshot_features", **ids)


async def put_feature_list(
    tx: Transaction,
    target_id: UUID,
    session_id: UUID | None,
    features: Sequence[Feature],
    at: datetime,
) -> None:
    """The features of a target as they stood at a time, and the day's snapshot; an older look than the newest is nothing new."""
    await tx.execute(
        "ledger.put_features",
        target_id=target_id,
        session_id=session_id,
        at=at,
        rows=_json([msgspec.structs.asdict(feature) for feature in features]),
    )
    await tx.execute("ledger.count_features", target_id=target_id, at=at)
    await tx.execute("rollups.snapshot_features", target_id=target_id, at=at)


async def _put_target(tx: Transaction, batch: Batch) -> None:
    target = batch.target
    if target is None:
        return
    await tx.execute("ledger.put_target", id=target.id, **_target_columns(target))
    if batch.started is None:
        await tx.execute("ledger.rename_target", id=target.id, name=target.name, path=target.path)


async def _put_file(tx: Transaction, owner: Owner, file: FileRow) -> None:
    columns = msgspec.structs.asdict(file)
    written = await tx.execute(
        "ledger.put_file",
        target_id=owner.target_id,
        session_id=owner.session_id,
        host=owner.host,
        **columns,
    )
    if not written:
        raise MovedOn(f"{file.name} has been read on by another writer")


async def _roll_up_session(
    tx: Transaction, target_id: UUID, session_id: UUID, batch: Batch
) -> set[date]:
    """Balance a session and sum it up; the days touched."""
    ids = {"target_id": target_id, "session_id": session_id}
    days: set[date] = set()
    if batch.usage or batch.reports:
        await _balance(tx, target_id, session_id)
        rows = await tx.fetch_all("rollups.session_usage", **ids)
        days = {row["usage_date"] for row in rows}
        await tx.execute("rollups.session_totals", **ids)
    if batch.errors or batch.commits or batch.events:
        await tx.execute("rollups.session_counts", **ids)
    return days


async def _roll_up_days(tx: Transaction, target_id: UUID, days: set[date]) -> None:
    if days:
        ordered = sorted(days)
        await tx.execute("rollups.model_usage", target_id=target_id, days=ordered)
        await tx.execute("rollups.snapshots", target_id=target_id, days=ordered)


async def _balance(tx: Transaction, target_id: UUID, session_id: UUID) -> None:
    ids = {"target_id": target_id, "session_id": session_id}
    rows = await tx.fetch_all("ledger.reports_of", **ids)
    if not rows:
        return
    reported = reported_by_model(decode_report(row["models"], row["own"]) for row in rows)
    spent_rows = await tx.fetch_all("ledger.spent_by_model", **ids)
    spent = {row["model"]: _spent(row) for row in spent_rows}
    times = [row["last_requested_at"] for row in spent_rows] or [row["reported_at"] for row in rows]
    left = [
        {
            "request_key": f"unattributed:{session_id}:{rest.model}",
            "model": rest.model,
            **msgspec.structs.asdict(rest.usage),
            "cost_usd": None if rest.cost_usd is None else f"{rest.cost_usd.normalize():f}",
            "requested_at": max(times),
        }
        for rest in rests(reported, spent)
    ]
    if left:
        await tx.execute("ledger.put_rests", rows=_json(left), **ids)
    await tx.execute("ledger.drop_other_rests", keys=[row["request_key"] for row in left], **ids)
    costs = [report.cost_usd for report in reported.values() if report.cost_usd is not None]
    finals = [row for row in rows if row["final"]]
    await tx.execute(
        "ledger.put_reported",
        reported_cost_usd=sum(costs, Decimal(0)) if costs or not reported else None,
        turn_count=_sum_known(finals, "turns"),
        api_duration_ms=max((row["api_duration_ms"] or 0 for row in rows), default=None),
        **ids,
    )


def _sum_known(rows: Sequence[dict[str, object]], column: str) -> int | None:
    known = [value for row in rows if isinstance(value := row[column], int)]
    return sum(known) if known else None


def _spent(row: dict[str, object]) -> Spent:
    usage = msgspec.convert({name: row[name] for name in Usage.__struct_fields__}, Usage)
    return Spent(
        usage,
        msgspec.convert(row["cost_usd"], Decimal),
        msgspec.convert(row["unpriced"], int),
    )


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
    }


def _ending_columns(ended: Ended) -> dict[str, object]:
    columns = msgspec.structs.asdict(ended)
    columns["finished_at"] = columns.pop("at")
    del columns["stream_offset"]
    return columns


def _target_columns(target: Target) -> dict[str, object]:
    return msgspec.structs.asdict(target)


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
