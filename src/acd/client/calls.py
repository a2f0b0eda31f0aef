"""What can be asked of a server. Filters that are None leave everything in; lists are in the API's own order."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec

from acd.client.call import Call, Page, getting, paging, quoted, written
from acd.core.comparison import Comparison
from acd.core.contract import (
    CommitRow,
    ErrorRow,
    FeatureRow,
    Health,
    ModelUsage,
    RequestRow,
    SessionRow,
    SnapshotRow,
    Summary,
    TargetRow,
)
from acd.core.cost_rows import CostsReport, SurvivingLines
from acd.core.error_rows import ErrorGroup
from acd.core.figures import GroupBy, Report, Sum
from acd.core.glance_rows import Glance, RecentCommit, TargetSpending
from acd.core.models import ErrorType, SessionStatus, SessionType, TargetStatus
from acd.core.one_session import LogLine, SessionId, TimelineRow, WholeSession
from acd.core.price_rows import PriceOverride
from acd.core.progress_rows import FeatureDay, Forecast
from acd.core.queue_rows import EarlierStatus, Queue
from acd.core.spending import CostByHour, CostOverTime, Split, Step
from acd.core.summary_rows import NightSummary
from acd.core.usage_rows import ALL_OF_IT, Asked, BlockReport, UsageBy, UsageReport

Kind = Literal["sessions", "usage", "errors", "commits"]
Format = Literal["csv", "jsonl", "parquet"]
Resolved = Literal["false", "true", "all"]
SumT = TypeVar("SumT", bound=Sum)


def health() -> Call[Health]:
    """Is everything well? A server whose database is away answers with ServerAway."""
    return Call("GET", "/api/health", lambda body: msgspec.json.decode(body, type=Health))


def glance() -> Call[Glance]:
    """What `acd status` shows."""
    return getting("/api/glance", Glance)


def targets(
    *, status: TargetStatus | None = None, enabled: bool | None = None, q: str | None = None
) -> Call[list[TargetRow]]:
    """Targets by priority; `q` is looked for in name, id and path."""
    return getting("/api/db/targets", list[TargetRow], status=status, enabled=enabled, q=q)


def summary() -> Call[Summary]:
    """All targets and sessions together."""
    return getting("/api/db/targets/summary", Summary)


def earlier_status() -> Call[EarlierStatus]:
    """The queue as clients of the earlier system expect it."""
    return getting("/api/targets/status", EarlierStatus)


def queue() -> Call[Queue]:
    """What runs, what waits and why."""
    return getting("/api/queue", Queue)


def sessions(
    *,
    limit: int = 50,
    repo_id: str | None = None,
    model: str | None = None,
    status: SessionStatus | None = None,
    session_type: SessionType | None = None,
    agent: str | None = None,
    q: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Call[Page[SessionRow]]:
    """Sessions, newest first; `limit` is that of a page."""
    return paging(
        "/api/db/sessions",
        SessionRow,
        limit=limit,
        repoId=repo_id,
        model=model,
        status=status,
        type=session_type,
        agent=agent,
        q=q,
        since=since,
        until=until,
    )


def session(session_id: UUID) -> Call[WholeSession]:
    """One session with all that belongs to it."""
    return getting(f"/api/db/sessions/{session_id}", WholeSession)


def session_meant(name: str) -> Call[SessionId]:
    """The session that is meant by the beginning of its id, or by TARGET#NUMBER."""
    return getting("/api/glance/session", SessionId, name=name)


def events(session_id: UUID, *, limit: int = 1000) -> Call[Page[TimelineRow]]:
    """The timeline of a session, oldest first."""
    return paging(f"/api/db/sessions/{session_id}/events", TimelineRow, limit=limit)


def last_events(session_id: UUID, *, limit: int = 50) -> Call[list[TimelineRow]]:
    """The end of that timeline, oldest first."""
    return getting(f"/api/glance/timeline/{session_id}", list[TimelineRow], limit=limit)


def logs(session_id: UUID, *, limit: int = 1000) -> Call[Page[LogLine]]:
    """What the agent printed, oldest first. While the session runs there is always a next page, maybe an empty one."""
    return paging(f"/api/db/logs/{session_id}", LogLine, limit=limit)


def requests(
    *,
    limit: int = 100,
    session_id: UUID | None = None,
    repo_id: str | None = None,
    model: str | None = None,
) -> Call[Page[RequestRow]]:
    """Ledger rows, newest first."""
    return paging(
        "/api/db/token-usage",
        RequestRow,
        limit=limit,
        sessionId=session_id,
        repoId=repo_id,
        model=model,
    )


def model_usage(*, days: int = 7, repo_id: str | None = None) -> Call[ModelUsage]:
    """Tokens and cost of the last days, by model and by day."""
    return getting("/api/db/model-usage", ModelUsage, days=days, repoId=repo_id)


def usage_by_target(*, days: int = 7) -> Call[list[TargetSpending]]:
    """What each target used in the last days."""
    return getting("/api/glance/usage", list[TargetSpending], days=days)


def snapshots(*, days: int = 7, repo_id: str | None = None) -> Call[list[SnapshotRow]]:
    """Each target's last days, newest first."""
    return getting("/api/db/snapshots", list[SnapshotRow], days=days, repoId=repo_id)


def errors(
    *,
    limit: int = 50,
    resolved: Resolved = "false",
    error_type: ErrorType | None = None,
    repo_id: str | None = None,
    group: str | None = None,
) -> Call[Page[ErrorRow]]:
    """Errors, newest first; those not resolved unless asked otherwise. `group` is the key of an `ErrorGroup`."""
    return paging(
        "/api/db/errors",
        ErrorRow,
        limit=limit,
        resolved=resolved,
        type=error_type,
        repoId=repo_id,
        group=group,
    )


def error_groups(
    *,
    days: int = 14,
    limit: int = 100,
    resolved: Resolved = "false",
    error_type: ErrorType | None = None,
    repo_id: str | None = None,
) -> Call[list[ErrorGroup]]:
    """Errors counted by type and by what their messages have in common; what waits for a person first."""
    return getting(
        "/api/db/errors/groups",
        list[ErrorGroup],
        days=days,
        limit=limit,
        resolved=resolved,
        type=error_type,
        repoId=repo_id,
    )


def features(repo_id: str, *, removed: bool = False) -> Call[list[FeatureRow]]:
    """A target's features, what does not pass first."""
    return getting(f"/api/db/features/{quoted(repo_id)}", list[FeatureRow], removed=removed)


def commits(repo_id: str, *, limit: int = 50) -> Call[Page[CommitRow]]:
    """Commits made in sessions on a target, newest first."""
    return paging(f"/api/db/commits/{quoted(repo_id)}", CommitRow, limit=limit)


def recent_commits(*, limit: int = 50) -> Call[list[RecentCommit]]:
    """Commits of all targets, newest first."""
    return getting("/api/glance/commits", list[RecentCommit], limit=limit)


def report(
    name: str,
    row: type[SumT],
    *,
    first: date | None = None,
    last: date | None = None,
    group_by: GroupBy | None = None,
    repo_id: str | None = None,
) -> Call[Report[SumT]]:
    """One of `/api/reports/…`, whose rows are of a type of `acd.core.figures`: `report("cost", CostSum)`."""
    kind: Any = Report[row]  # type: ignore[valid-type]
    query = {"from": first, "to": last, "groupBy": group_by, "repoId": repo_id}
    return getting(f"/api/reports/{quoted(name)}", kind, **query)


def summary_of(
    *, since: datetime | None = None, until: datetime | None = None
) -> Call[NightSummary]:
    """What was done from then until then; from the beginning of yesterday until now unless told."""
    return getting("/api/reports/summary", NightSummary, since=since, until=until)


def cost_over_time(
    *,
    first: date | None = None,
    last: date | None = None,
    step: Step = "day",
    split_by: Split = "model",
    repo_id: str | None = None,
) -> Call[CostOverTime]:
    """What each model or target cost in each step of time; the last 30 days unless told."""
    query = {"from": first, "to": last, "step": step, "splitBy": split_by, "repoId": repo_id}
    return getting("/api/reports/cost-over-time", CostOverTime, **query)


def cost_by_hour(
    *, first: date | None = None, last: date | None = None, repo_id: str | None = None
) -> Call[CostByHour]:
    """What the sessions cost that began in each hour of the week; the last 30 days unless told."""
    query = {"from": first, "to": last, "repoId": repo_id}
    return getting("/api/reports/cost-by-hour", CostByHour, **query)


def progress_by_day(*, days: int = 30, repo_id: str | None = None) -> Call[list[FeatureDay]]:
    """Features by day, of a target or of all together, oldest first."""
    return getting("/api/reports/progress", list[FeatureDay], days=days, repoId=repo_id)


def forecast(*, repo_id: str | None = None) -> Call[Forecast]:
    """When the last feature of a target, or of all that are enabled, will pass."""
    return getting("/api/reports/forecast", Forecast, repoId=repo_id)


def model_comparison(
    *,
    first: date | None = None,
    last: date | None = None,
    same_targets: bool = True,
    repo_id: str | None = None,
) -> Call[Comparison]:
    """All models that worked compared, with intervals; the last 30 days unless told."""
    query = {"from": first, "to": last, "sameTargets": same_targets, "repoId": repo_id}
    return getting("/api/reports/model-comparison", Comparison, **query)


def usage(
    group_by: UsageBy = "day", asked: Asked = ALL_OF_IT, *, limit: int | None = None
) -> Call[UsageReport]:
    """Tokens and cost by a key; of the last 30 days unless told."""
    query = _written(asked)
    return getting("/api/reports/usage", UsageReport, groupBy=group_by, **query, limit=limit)


def blocks(asked: Asked = ALL_OF_IT) -> Call[BlockReport]:
    """Blocks of five hours, and what the one that runs will come to."""
    return getting("/api/reports/blocks", BlockReport, **_written(asked))


def costs(asked: Asked = ALL_OF_IT) -> Call[CostsReport]:
    """What features, commits, errors and models cost, what was wasted, what the rest will cost."""
    return getting("/api/reports/costs", CostsReport, **_written(asked))


def surviving_lines(repo_id: str, asked: Asked = ALL_OF_IT) -> Call[SurvivingLines]:
    """What the lines of a target's HEAD cost that its sessions wrote. The server reads the whole repository for it."""
    query = _written(asked) | {"repoId": repo_id}
    return getting("/api/reports/lines", SurvivingLines, **query)


def _written(asked: Asked) -> dict[str, Any]:
    query = vars(asked).copy()
    return query | {"repoId": query.pop("repo_id")}


def price_overrides() -> Call[list[PriceOverride]]:
    """Prices that a person set, by model and day."""
    return getting("/api/reports/price-overrides", list[PriceOverride])


def metrics() -> Call[bytes]:
    """The text for Prometheus."""
    return Call("GET", "/metrics", bytes)


def export(
    kind: Kind,
    *,
    form: Format = "csv",
    since: datetime | None = None,
    until: datetime | None = None,
    repo_id: str | None = None,
) -> Call[bytes]:
    """Rows as a file; `Client.stream` gives it in parts."""
    query = {"format": form, "since": since, "until": until, "repoId": repo_id}
    return Call("GET", f"/api/export/{kind}", bytes, written(query))
