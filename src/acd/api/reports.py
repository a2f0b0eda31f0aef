"""The figures behind the pages: sums of a period by one key."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator
from starlette.responses import Response

from acd.api import report_examples as examples
from acd.api.describing import Described, described
from acd.api.parameters import RepoId, When, written_as_day
from acd.core.figures import (
    CacheSum,
    CommitCostSum,
    CostSum,
    ErrorSum,
    FeatureCostSum,
    GroupBy,
    ModelSum,
    Report,
    SuccessSum,
    ThroughputSum,
    TokenSum,
)
from acd.core.summary_rows import NightSummary
from acd.database.connection import Database
from acd.reports import figures, summary
from acd.web import answers
from acd.web.parts import GivenDatabase

router = APIRouter(prefix="/api/reports", tags=["reports"])

_Day = Annotated[date, BeforeValidator(written_as_day)]
_AnyKey = Literal["day", "week", "month", "target", "model", "agent", "branch"]
_KEY = Query(alias="groupBy", description="What a row is for.")
Key = Annotated[_AnyKey, _KEY]
FeatureKey = Annotated[Literal[_AnyKey, "feature"], _KEY]
ModelKey = Annotated[Literal["model"], _KEY]


class _Asked:
    """Which days of which target; the key is the route's own."""

    def __init__(
        self,
        db: GivenDatabase,
        first: Annotated[
            _Day | None, Query(alias="from", description="First day; 29 days before the last one.")
        ] = None,
        last: Annotated[_Day | None, Query(alias="to", description="Last day; today.")] = None,
        repo_id: RepoId = None,
    ) -> None:
        self.db: Database = db
        self.first = first
        self.last = last
        self.repo_id = repo_id

    async def by(self, key: GroupBy) -> figures.Period:
        """The period, with days that were not told filled in."""
        return await figures.period(
            self.db, key, first=self.first, last=self.last, repo_id=self.repo_id
        )


Asked = Annotated[_Asked, Depends()]


def _of(kind: Any, example: object) -> Described:  # noqa: ANN401 - a generic type with its argument
    return described(kind, example)


@router.get("/cost", summary="Cost", responses=_of(Report[CostSum], examples.report(examples.COST)))
async def report_cost(asked: Asked, key: Key = "day") -> Response:
    """Cost leaves out requests without a known price; `unpricedRequests` says how many those are."""
    return answers.data(await figures.cost(asked.db, await asked.by(key)))


@router.get(
    "/tokens", summary="Tokens", responses=_of(Report[TokenSum], examples.report(examples.TOKENS))
)
async def report_tokens(asked: Asked, key: Key = "day") -> Response:
    """Tokens by kind."""
    return answers.data(await figures.tokens(asked.db, await asked.by(key)))


@router.get(
    "/cache",
    summary="Cache hit rate and wasted cost",
    responses=_of(Report[CacheSum], examples.report(examples.CACHE)),
)
async def report_cache(asked: Asked, key: Key = "day") -> Response:
    """By the day on which sessions began. Wasted is what sessions cost that failed or completed no feature."""
    return answers.data(await figures.cache(asked.db, await asked.by(key)))


@router.get(
    "/throughput",
    summary="Sessions, features and commits",
    responses=_of(Report[ThroughputSum], examples.report(examples.THROUGHPUT)),
)
async def report_throughput(asked: Asked, key: Key = "day") -> Response:
    """By the day on which sessions began."""
    return answers.data(await figures.throughput(asked.db, await asked.by(key)))


@router.get(
    "/success-rate",
    summary="How sessions ended",
    responses=_of(Report[SuccessSum], examples.report(examples.SUCCESS)),
)
async def report_success_rate(asked: Asked, key: Key = "day") -> Response:
    """By the day on which sessions began."""
    return answers.data(await figures.success_rate(asked.db, await asked.by(key)))


@router.get(
    "/error-rate",
    summary="Errors by type, beside the sessions of the same days",
    responses=_of(Report[ErrorSum], examples.report(examples.ERRORS)),
)
async def report_error_rate(asked: Asked, key: Key = "day") -> Response:
    """By the day of the error, and that on which sessions began."""
    return answers.data(await figures.error_rate(asked.db, await asked.by(key)))


@router.get(
    "/cost-per-feature",
    summary="Cost of a completed feature",
    responses=_of(Report[FeatureCostSum], examples.report(examples.FEATURE_COST)),
)
async def report_cost_per_feature(asked: Asked, key: FeatureKey = "target") -> Response:
    """By feature, a session's cost is shared evenly among the features that it implemented."""
    return answers.data(await figures.cost_per_feature(asked.db, await asked.by(key)))


@router.get(
    "/cost-per-commit",
    summary="Cost of a commit",
    responses=_of(Report[CommitCostSum], examples.report(examples.COMMIT_COST)),
)
async def report_cost_per_commit(asked: Asked, key: Key = "target") -> Response:
    """By the day on which sessions began."""
    return answers.data(await figures.cost_per_commit(asked.db, await asked.by(key)))


@router.get(
    "/models",
    summary="Models compared",
    responses=_of(Report[ModelSum], examples.report(examples.MODELS)),
)
async def report_models(asked: Asked, key: ModelKey = "model") -> Response:
    """By the family that was asked for; sessions that another model helped out in are its own all the same."""
    return answers.data(await figures.models(asked.db, await asked.by(key)))


@router.get(
    "/summary",
    summary="What was done, what it cost, what is stuck and why",
    responses=_of(NightSummary, examples.SUMMARY),
)
async def report_summary(
    db: GivenDatabase,
    since: Annotated[
        When | None,
        Query(
            description="From then on; the beginning of yesterday. Without a zone: the database's."
        ),
    ] = None,
    until: Annotated[
        When | None, Query(description="To before then; now. Without a zone: the database's.")
    ] = None,
) -> Response:
    """Tokens and cost count when they were spent, sessions when they began; reasons and `running` are those of now."""
    return answers.data(await summary.of_period(db, since=since, until=until))
