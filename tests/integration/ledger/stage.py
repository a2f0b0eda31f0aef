"""A stage for ledger tests: session folders written by hand, rows read back whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from acd.core.facts import Ended, Fact, Started
from acd.core.models import SessionStatus, Target
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder

SAMPLES = Path(__file__).parents[2] / "data" / "claude-code"
AT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def session_of(
    settings: Settings,
    number: int,
    *,
    repo_id: str = "shop",
    agent: str = "claude-code",
    session_id: UUID | None = None,
) -> SessionFolder:
    """A session folder whose journal holds its first fact; ids come from the number."""
    session_id = session_id or UUID(int=number)
    folder = SessionFolder(settings.sessions_dir / str(session_id))
    folder.create()
    folder.journal.append(
        Started(
            at=AT,
            session_id=session_id,
            target=Target(repo_id=repo_id, name=repo_id.title(), path=f"/srv/{repo_id}"),
            session_number=number,
            session_type="coding",
            origin="harness",
            agent=agent,
            model="opus",
            host="test",
        )
    )
    return folder


def end(folder: SessionFolder, status: SessionStatus = "completed", **columns: int) -> None:
    """The last fact of a session."""
    now = datetime.now(UTC)
    folder.journal.append(Ended(at=now, status=status, duration_ms=7, **columns))  # type: ignore[arg-type]


def play_sample(folder: SessionFolder, name: str) -> None:
    """The stream and the transcripts of a recorded session."""
    folder.stream.write_bytes((SAMPLES / f"{name}.jsonl").read_bytes())
    for transcript in SAMPLES.glob(f"{name}.transcript*.jsonl"):
        (folder.transcripts / transcript.name).write_bytes(transcript.read_bytes())


def write_facts(folder: SessionFolder, facts: Iterable[Fact]) -> None:
    """Facts into the journal, in order."""
    for fact in facts:
        folder.journal.append(fact)


TABLES = {
    "targets": "id",
    "harness_sessions": "id",
    "token_usage_details": "request_key",
    "session_usage": "session_id, model, usage_date",
    "model_usage": "target_id, model, usage_date",
    "progress_snapshots": "target_id, snapshot_date",
    "target_features": "target_id, feature_key",
    "feature_changes": "source, source_offset",
    "harness_errors": "id",
    "harness_commits": "sha",
    "session_events": "session_id, seq",
    "session_reports": "source, source_offset",
    "request_owners": "request_key",
    "left_out_lines": "session_id, name, line_offset",
}
_VOLATILE = {"created_at", "updated_at", "txid", "seen_at", "listed_at"}


async def rows_of(database: Database, table: str) -> list[dict[str, Any]]:
    """All rows of a table in the order of its key, without the columns that tell when they were written."""
    rows = await select(database, f"SELECT * FROM {table} ORDER BY {TABLES[table]}")
    return [{k: v for k, v in row.items() if k not in _VOLATILE} for row in rows]


async def fingerprint(database: Database) -> dict[str, str]:
    """A hash of each table."""
    return {
        table: hashlib.sha256(repr(await rows_of(database, table)).encode()).hexdigest()
        for table in TABLES
    }


async def select(database: Database, statement: str, **params: object) -> list[dict[str, Any]]:
    """Rows of a statement that only a test needs."""
    async with database.transaction() as tx:
        cursor = await tx._connection.execute(statement.encode(), params)
        return list(await cursor.fetchall())
