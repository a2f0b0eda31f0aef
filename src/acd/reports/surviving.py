"""What a line cost that survived: lines of a target's HEAD, joined to the sessions whose commits wrote them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from uuid import UUID

import msgspec

from acd.core.contract import Row
from acd.core.cost_rows import SessionLines, SurvivingLines
from acd.core.errors import ConfigError, GitError
from acd.core.usage_rows import Asked
from acd.database.connection import Database
from acd.files.there import is_there
from acd.git.lines import LinesHeld, lines_held
from acd.git.repository import Repository
from acd.reports._read import read
from acd.reports.costs import each_costs
from acd.reports.rows import row_of
from acd.reports.used import span_of

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Session(Row, frozen=True):
    id: UUID
    session_number: int | None
    model: str
    cost_usd: Decimal
    unpriced_requests: int
    billing: str | None


class _Worked(Row, frozen=True):
    """A target with its commits by session, and the sessions that are asked for."""

    repo_id: str
    path: str
    commits: dict[str, UUID]
    sessions: list[_Session]


async def surviving(db: Database, asked: Asked, host: str) -> bytes:
    """One `SurvivingLines`, of the target that is asked for. Reads its repository: a second for some hundred files.

    Raises:
        ConfigError: no target is named, or none of this name is known, or there is no such time zone.
        DatabaseAway: there is no database now.
    """
    if asked.repo_id is None:
        raise ConfigError("lines are counted of one target: name it")
    span = await span_of(db, asked)
    found = await read(
        db,
        "costs.worked",
        since=span.since,
        until=span.until,
        repo_id=asked.repo_id,
        agent=asked.agent,
        host=host,
    )
    if found == b"null":
        raise ConfigError(f"there is no target {asked.repo_id!r}")
    worked = row_of(found, _Worked)
    head, held, reason = await _held(Path(worked.path))
    return _ENCODER.encode(_told(worked, head, held, reason))


async def _held(path: Path) -> tuple[str | None, LinesHeld | None, str | None]:
    """HEAD and its lines, or why there are none."""
    if not is_there(path):
        return None, None, f"its repository is not on this machine ({path})"
    try:
        repository = Repository(path)
        head = await repository.head()
        if head is None:
            return None, None, "it has no commit"
        if await repository.is_shallow():
            return head, None, "its clone is shallow: git cannot say who wrote its older lines"
        return head, await lines_held(repository, head), None
    except GitError as error:
        return None, None, str(error)


def _told(
    worked: _Worked, head: str | None, held: LinesHeld | None, reason: str | None
) -> SurvivingLines:
    by_session: dict[UUID, int] = {}
    lines = held.by_commit if held is not None else {}
    for sha, count in lines.items():
        if (session := worked.commits.get(sha)) is not None:
            by_session[session] = by_session.get(session, 0) + count
    chosen = [_session(one, by_session.get(one.id, 0)) for one in worked.sessions]
    of_chosen = sum(one.lines for one in chosen)
    cost = sum((one.cost_usd for one in worked.sessions), Decimal(0))
    unpriced = sum(one.unpriced_requests for one in worked.sessions)
    return SurvivingLines(
        repo_id=worked.repo_id,
        head=head,
        reason=reason,
        files_left_out=held.files_left_out if held is not None else 0,
        head_lines=sum(lines.values()),
        lines=of_chosen,
        lines_of_other_sessions=sum(by_session.values()) - of_chosen,
        cost_usd=cost,
        unpriced_requests=unpriced,
        cost_per_line=each_costs(cost, unpriced, of_chosen),
        list_price_cost_usd=sum(
            (one.cost_usd for one in worked.sessions if one.billing == "subscription"), Decimal(0)
        ),
        sessions=sorted(chosen, key=lambda one: (-one.lines, one.session_id)),
    )


def _session(one: _Session, lines: int) -> SessionLines:
    return SessionLines(
        session_id=one.id,
        session_number=one.session_number,
        model=one.model,
        cost_usd=one.cost_usd,
        unpriced_requests=one.unpriced_requests,
        lines=lines,
        cost_per_line=each_costs(one.cost_usd, one.unpriced_requests, lines),
    )
