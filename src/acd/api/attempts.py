"""Another try for a target, and features that are left out. It needs the token."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, HTTPException, Path
from starlette.responses import Response

from acd.api.describing import NO_TARGET, Refusal, described
from acd.api.parameters import PathRepoId
from acd.core.control_rows import FeatureSkipped, TargetTried
from acd.core.text import WITHOUT_NUL
from acd.queue.again import NotBlocked, NothingToTry, retry_target, unblock_target
from acd.queue.changes import NoSuchTarget
from acd.queue.skipping import NoSuchFeature, PassesAlready, skip_feature
from acd.web import answers
from acd.web.parts import GivenParts, Parts

router = APIRouter(prefix="/api", tags=["queue"])

_TRIED = TargetTried(True, "shop-api", "active", 1)
_NOTHING = Refusal(
    409, "nothing_to_try", "shop-api is disabled: enable it in its queue file first."
)


@router.post(
    "/targets/{repoId:path}/retry",
    summary="Give a target another try",
    responses=described(TargetTried, _TRIED, refusals=[NO_TARGET, _NOTHING]),
)
async def retry_one_target(parts: GivenParts, repo_id: PathRepoId) -> Response:
    """Its failures so far count no longer, and its next session is due at once; one that runs goes on.

    A pause of the queue, limits of the agent's account and budgets hold as before. `workers` is how many work the
    queue now; with none, the next run begins anew anyway.
    """
    try:
        tried = await retry_target(parts.db, parts.settings, repo_id)
    except NoSuchTarget as error:
        raise HTTPException(404, str(error)) from error
    except NothingToTry as error:
        raise HTTPException(409, {"code": "nothing_to_try", "message": str(error)}) from error
    return answers.data(msgspec.json.encode(tried))


@router.post(
    "/targets/{repoId:path}/unblock",
    summary="Let a blocked target be worked again",
    responses=described(TargetTried, _TRIED, refusals=[NO_TARGET, _NOTHING]),
)
async def unblock_one_target(parts: GivenParts, repo_id: PathRepoId) -> Response:
    """It is active again, with another try as `retry` gives one; 409 where it is not blocked."""
    try:
        tried = await unblock_target(parts.db, parts.settings, repo_id)
    except NoSuchTarget as error:
        raise HTTPException(404, str(error)) from error
    except NotBlocked as error:
        raise HTTPException(409, {"code": "not_blocked", "message": str(error)}) from error
    except NothingToTry as error:
        raise HTTPException(409, {"code": "nothing_to_try", "message": str(error)}) from error
    return answers.data(msgspec.json.encode(tried))


FeatureKey = Annotated[
    str,
    Path(
        alias="featureKey",
        min_length=1,
        max_length=1024,
        pattern=WITHOUT_NUL,
        description="The feature's key; it may hold slashes.",
        examples=["F3"],
    ),
]
_SKIPPED = FeatureSkipped(True, "shop-api", "F3", True, "skipped")
_TAKEN_IN = FeatureSkipped(True, "shop-api", "F3", False, "pending")
_PASSES = Refusal(409, "passes_already", "F3 of shop-api passes already: there is nothing to skip.")


@router.post(
    "/targets/{repoId:path}/features/{featureKey:path}/skip",
    summary="Leave a feature out",
    responses=described(FeatureSkipped, _SKIPPED, refusals=[NO_TARGET, _PASSES]),
)
async def skip_one_feature(
    parts: GivenParts, repo_id: PathRepoId, feature_key: FeatureKey
) -> Response:
    """From the next session on it is no work that is left, and agents are told to leave it. The list stays as it is."""
    return await _skip(parts, repo_id, feature_key, skip=True)


@router.delete(
    "/targets/{repoId:path}/features/{featureKey:path}/skip",
    summary="Take a feature in again",
    responses=described(FeatureSkipped, _TAKEN_IN, refusals=[NO_TARGET]),
)
async def take_one_feature_in(
    parts: GivenParts, repo_id: PathRepoId, feature_key: FeatureKey
) -> Response:
    """It is work again from the next session on. Doing it to one that is not left out changes nothing."""
    return await _skip(parts, repo_id, feature_key, skip=False)


async def _skip(parts: Parts, repo_id: str, key: str, *, skip: bool) -> Response:
    try:
        done = await skip_feature(parts.db, parts.settings, repo_id, key, skip=skip)
    except (NoSuchTarget, NoSuchFeature) as error:
        raise HTTPException(404, str(error)) from error
    except PassesAlready as error:
        raise HTTPException(409, {"code": "passes_already", "message": str(error)}) from error
    return answers.data(msgspec.json.encode(done))
