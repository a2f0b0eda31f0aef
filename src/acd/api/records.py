"""What sessions brought about: usage by model, daily progress, errors, features, commits."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, HTTPException, Path, Query
from starlette.responses import Response

from acd.api import examples
from acd.api.describing import BAD_CURSOR, NO_TARGET, Refusal, Shape, described
from acd.api.parameters import (
    Days,
    GroupKey,
    Limit50,
    PathRepoId,
    RepoId,
    YesNo,
)
from acd.api.refusals import elsewhere, known_target
from acd.core.contract import CommitRow, ErrorRow, FeatureRow, ModelUsage, SnapshotRow, Synced
from acd.core.models import ErrorType, target_id_of
from acd.queue.feature_sync import ListElsewhere, ListUnreadable, sync_features
from acd.reports import commits, errors, features, progress, usage
from acd.web import answers
from acd.web.paging import COMMITS, ERRORS, Cursor
from acd.web.parts import GivenDatabase, GivenParts

router = APIRouter(prefix="/api/db", tags=["records"])
RESOLVED = {"false": False, "true": True, "all": None}


@router.get(
    "/model-usage",
    summary="Tokens and cost of the last days, by model and by day",
    responses=described(ModelUsage, examples.MODEL_USAGE),
)
async def show_model_usage(db: GivenDatabase, days: Days = 7, repo_id: RepoId = None) -> Response:
    """Cost leaves out requests without a known price; `unpricedRequests` says how many those are."""
    return answers.data(await usage.by_model(db, days=days, repo_id=repo_id))


@router.get(
    "/snapshots",
    summary="Each target's last days, newest first",
    responses=described(SnapshotRow, examples.SNAPSHOT, Shape.ROWS),
)
async def list_snapshots(db: GivenDatabase, days: Days = 7, repo_id: RepoId = None) -> Response:
    """Features as they stood at the end of the day, sessions begun, tokens and cost spent."""
    return answers.data(await progress.recent(db, days=days, repo_id=repo_id))


@router.get(
    "/errors",
    summary="Errors, newest first",
    responses=described(
        ErrorRow,
        examples.ERROR,
        Shape.PAGE,
        next_cursor=ERRORS.after(examples.ERROR),
        refusals=[BAD_CURSOR],
    ),
)
async def list_errors(
    db: GivenDatabase,
    limit: Limit50 = 50,
    cursor: Cursor = None,
    resolved: Annotated[Literal["false", "true", "all"], Query()] = "false",
    error_type: Annotated[ErrorType | None, Query(alias="type")] = None,
    repo_id: RepoId = None,
    group: GroupKey = None,
) -> Response:
    """Those not yet resolved unless asked otherwise."""
    report = await errors.recent(
        db,
        limit=limit,
        after=ERRORS.place(cursor),
        resolved=RESOLVED[resolved],
        error_type=error_type,
        repo_id=repo_id,
        group=group,
    )
    return ERRORS.page(report, limit)


@router.post(
    "/errors/{id}/resolve",
    summary="Mark an error as resolved",
    responses=described(
        ErrorRow,
        msgspec.structs.replace(examples.ERROR, resolved=True, resolved_at=examples.LATER),
        refusals=[Refusal(404, "not_found", "No error has this id.")],
    ),
)
async def resolve_error(db: GivenDatabase, error_id: Annotated[UUID, Path(alias="id")]) -> Response:
    """Doing it again changes nothing."""
    report = await errors.resolve(db, error_id)
    if report is None:
        raise HTTPException(404, f"No error has the id {error_id}.")
    return answers.data(report)


@router.post(
    "/features/sync/{repoId:path}",
    summary="Read a target's feature list into the database",
    responses=described(
        Synced,
        Synced(20),
        refusals=[
            NO_TARGET,
            Refusal(
                409,
                "elsewhere",
                "The repository is on the machine builder: ask the server there.",
                extra={"host": "builder"},
            ),
            Refusal(422, "feature_list", "shop: the feature list is no JSON"),
        ],
    ),
)
async def sync_target_features(parts: GivenParts, repo_id: PathRepoId) -> Response:
    """`synced` is how many features the list holds; 0 when there is none yet."""
    try:
        found = await sync_features(parts.db, parts.settings.host_name, target_id_of(repo_id))
    except ListElsewhere as error:
        raise elsewhere("The repository is", error.host) from error
    except ListUnreadable as error:
        raise HTTPException(422, {"code": "feature_list", "message": str(error)}) from error
    if found is None:
        raise HTTPException(404, f"No target has the id {repo_id!r}.")
    return answers.data(msgspec.json.encode(Synced(found)))


@router.get(
    "/features/{repoId:path}",
    summary="A target's features",
    responses=described(FeatureRow, examples.FEATURE, Shape.ROWS, refusals=[NO_TARGET]),
)
async def list_features(
    db: GivenDatabase,
    repo_id: PathRepoId,
    removed: Annotated[YesNo, Query(description="Also those removed from the list.")] = "false",
) -> Response:
    """What does not pass first, then by priority; empty when the target has no list yet."""
    report = await features.of_target(db, repo_id, removed=removed == "true")
    return answers.data(known_target(repo_id, report))


@router.get(
    "/commits/{repoId:path}",
    summary="Commits made in sessions on a target, newest first",
    responses=described(
        CommitRow,
        examples.COMMIT,
        Shape.PAGE,
        next_cursor=COMMITS.after(examples.COMMIT),
        refusals=[BAD_CURSOR, NO_TARGET],
    ),
)
async def list_commits(
    db: GivenDatabase, repo_id: PathRepoId, limit: Limit50 = 50, cursor: Cursor = None
) -> Response:
    """Each with its size and the session that made it."""
    report = await commits.of_target(db, repo_id, limit=limit, after=COMMITS.place(cursor))
    return COMMITS.page(known_target(repo_id, report), limit)
