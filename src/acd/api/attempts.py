"""Another try for a target. It needs the token."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from acd.api.describing import NO_TARGET, Refusal, described
from acd.api.parameters import PathRepoId
from acd.core.control_rows import TargetTried
from acd.queue.again import NotBlocked, NothingToTry, retry_target, unblock_target
from acd.queue.changes import NoSuchTarget
from acd.web import answers
from acd.web.parts import GivenParts

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
