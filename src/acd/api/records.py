"""What sessions brought about: usage by model, daily progress, errors, features, commits."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from acd.api.parameters import Days, Limit50, PathRepoId, RepoId
from acd.core.models import ErrorType
from acd.reports import commits, errors, features, progress, usage
from acd.web import answers
from acd.web.parts import GivenDatabase

router = APIRouter(prefix="/api/db")
RESOLVED = {"false": False, "true": True, "all": None}


@router.get("/model-usage")
async def show_model_usage(db: GivenDatabase, days: Days = 7, repo_id: RepoId = None) -> Response:
    """Tokens and cost of the last days, by model and by day."""
    return answers.data(await usage.by_model(db, days=days, repo_id=repo_id))


@router.get("/snapshots")
async def list_snapshots(db: GivenDatabase, days: Days = 7, repo_id: RepoId = None) -> Response:
    """Each target's last days, newest first."""
    return answers.data(await progress.recent(db, days=days, repo_id=repo_id))


@router.get("/errors")
async def list_errors(
    db: GivenDatabase,
    limit: Limit50 = 50,
    resolved: Annotated[Literal["false", "true", "all"], Query()] = "false",
    error_type: Annotated[ErrorType | None, Query(alias="type")] = None,
    repo_id: RepoId = None,
) -> Response:
    """Errors, newest first; those not yet resolved unless asked otherwise."""
    report = await errors.recent(
        db, limit=limit, resolved=RESOLVED[resolved], error_type=error_type, repo_id=repo_id
    )
    return answers.data(report)


@router.get("/features/{repoId:path}")
async def list_features(
    db: GivenDatabase,
    repo_id: PathRepoId,
    removed: Annotated[bool, Query(description="Also those removed from the list.")] = False,
) -> Response:
    """A target's features: what does not pass first, then by priority."""
    return answers.data(_known(repo_id, await features.of_target(db, repo_id, removed=removed)))


@router.get("/commits/{repoId:path}")
async def list_commits(db: GivenDatabase, repo_id: PathRepoId, limit: Limit50 = 50) -> Response:
    """Commits made in sessions on a target, newest first."""
    return answers.data(_known(repo_id, await commits.of_target(db, repo_id, limit=limit)))


def _known(repo_id: str, report: bytes | None) -> bytes:
    if report is None:
        raise HTTPException(404, f"No target has the id {repo_id!r}.")
    return report
