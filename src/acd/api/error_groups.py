"""Errors counted together: those of one type whose messages have the same shape."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from acd.api.describing import Shape, described
from acd.api.examples import AT, LATER, SESSION_ID, TARGET
from acd.api.parameters import Days, Limit100, PathGroupKey, RepoId
from acd.api.records import RESOLVED
from acd.core.error_rows import ErrorGroup, ErrorsOfTarget, GroupResolved
from acd.core.models import ErrorType
from acd.reports import errors
from acd.web import answers
from acd.web.parts import GivenDatabase

router = APIRouter(prefix="/api/db", tags=["records"])

_GROUP = ErrorGroup(
    key="3f1c0b7e9d5a4c2e8b6f0a1d2c3e4f50",
    error_type="usage_limit",
    shape="You have reached your limit of <n> requests",
    message="You have reached your limit of 50 requests",
    errors=7,
    unresolved=3,
    sessions=5,
    first_seen_at=AT,
    last_seen_at=LATER,
    last_session_id=SESSION_ID,
    targets=[ErrorsOfTarget(target=TARGET, errors=7)],
    by_day=[0, 2, 5],
)


@router.get(
    "/errors/groups",
    summary="Errors counted by type and by what their messages have in common",
    responses=described(ErrorGroup, _GROUP, Shape.ROWS),
)
async def list_error_groups(
    db: GivenDatabase,
    days: Days = 14,
    limit: Limit100 = 100,
    resolved: Annotated[Literal["false", "true", "all"], Query()] = "false",
    error_type: Annotated[ErrorType | None, Query(alias="type")] = None,
    repo_id: RepoId = None,
) -> Response:
    """What waits for a person comes first, then what happened most. `byDay` has a number a day, oldest first."""
    return answers.data(
        await errors.groups(
            db,
            days=days,
            limit=limit,
            resolved=RESOLVED[resolved],
            error_type=error_type,
            repo_id=repo_id,
        )
    )


@router.post(
    "/errors/groups/{key}/resolve",
    summary="Mark every error of a group as resolved",
    responses=described(GroupResolved, GroupResolved(key=_GROUP.key, resolved=3)),
)
async def resolve_error_group(db: GivenDatabase, key: PathGroupKey) -> Response:
    """Those of any day that were not. Doing it again changes nothing; a group that nobody knows has none."""
    return answers.data(await errors.resolve_group(db, key))
