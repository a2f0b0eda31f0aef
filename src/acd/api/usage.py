"""Tokens and cost of any time by any key, in any time zone, and in blocks of five hours."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import AfterValidator
from starlette.responses import Response

from acd.api import usage_examples as examples
from acd.api.describing import NO_TARGET, Shape, described
from acd.api.parameters import MOST, Agent, RepoId, ThisRepoId, When
from acd.core.cost_rows import CostsReport, SurvivingLines
from acd.core.errors import ConfigError
from acd.core.moments import zone_named
from acd.core.price_rows import PriceOverride
from acd.core.text import WITHOUT_NUL
from acd.core.usage_rows import Asked, BlockReport, UsageBy, UsageReport
from acd.reports import costs, prices, surviving, used
from acd.web import answers
from acd.web.parts import GivenDatabase, GivenParts

router = APIRouter(prefix="/api/reports", tags=["reports"])


def _known_zone(name: str) -> str:
    try:
        return zone_named(name).key
    except ConfigError as error:
        raise ValueError(str(error)) from error


Since = Annotated[When | None, Query(description="From then on; else as `days` says.")]
Until = Annotated[When | None, Query(description="To before then; else without end.")]
Days = Annotated[
    int,
    Query(ge=1, le=3660, description="The last days, today included, where `since` is left out."),
]
Zone = Annotated[
    Annotated[str, AfterValidator(_known_zone)] | None,
    Query(
        max_length=100,
        pattern=WITHOUT_NUL,
        description="In which a day is a day, and times that tell no zone; the database's.",
        examples=["Europe/Berlin"],
    ),
]


def _asked(
    since: Since = None,
    until: Until = None,
    days: Days = 30,
    timezone: Zone = None,
    repo_id: RepoId = None,
    agent: Agent = None,
) -> Asked:
    return Asked(
        since=since, until=until, days=days, timezone=timezone, repo_id=repo_id, agent=agent
    )


GivenAsked = Annotated[Asked, Depends(_asked)]


@router.get(
    "/usage",
    summary="Tokens and cost by any key, of any time",
    responses=described(UsageReport, examples.USAGE),
)
async def report_usage(
    db: GivenDatabase,
    asked: GivenAsked,
    by: Annotated[UsageBy, Query(alias="groupBy", description="What a row is for.")] = "day",
    limit: Annotated[int, Query(ge=1, le=MOST, description="Most rows to give.")] = used.MOST_ROWS,
) -> Response:
    """Requests count when they were made. Cost leaves out those without a known price (`unpricedRequests`)."""
    return answers.data(await used.usage(db, by, asked, most=limit))


@router.get(
    "/blocks",
    summary="Blocks of five hours, and what the one that runs will come to",
    responses=described(BlockReport, examples.BLOCKS),
)
async def report_blocks(db: GivenDatabase, asked: GivenAsked) -> Response:
    """As subscriptions count them: from the full hour of the first request after the block before is over."""
    return answers.data(await used.blocks(db, asked))


@router.get(
    "/costs",
    summary="What features, commits, errors and models cost, what was wasted, what the rest will cost",
    responses=described(CostsReport, examples.COSTS),
)
async def report_costs(db: GivenDatabase, asked: GivenAsked) -> Response:
    """Of sessions begun in that time. Wasted is what failed sessions cost, and what went into claims that were rejected."""
    return answers.data(await costs.costs(db, asked))


@router.get(
    "/lines",
    summary="What the lines of a target's HEAD cost that its sessions wrote",
    responses=described(SurvivingLines, examples.LINES, refusals=[NO_TARGET]),
)
async def report_lines(parts: GivenParts, asked: GivenAsked, repo_id: ThisRepoId) -> Response:
    """Of one target, whose repository has to be on the server's machine: `git blame` of every file, so it takes its time."""
    try:
        one = replace(asked, repo_id=repo_id)
        return answers.data(await surviving.surviving(parts.db, one, parts.settings.host_name))
    except ConfigError as error:
        raise HTTPException(404, str(error)) from error


@router.get(
    "/price-overrides",
    summary="Prices that a person set",
    responses=described(PriceOverride, examples.OVERRIDE, Shape.ROWS),
)
async def list_price_overrides(db: GivenDatabase) -> Response:
    """By model and day; each holds from its day until the next of the same model. All others come from the price list."""
    return answers.data(await prices.overrides(db))
