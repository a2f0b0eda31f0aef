"""Control: what the queue is told, the end of a session, a target's priority. All of it needs the token."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, BeforeValidator, Field, StrictBool, StrictInt
from starlette.responses import Response

from acd.api.describing import NO_SESSION, NO_TARGET, Refusal, described
from acd.api.examples import AT, LATER, SESSION_ID
from acd.api.refusals import elsewhere
from acd.core.control_rows import LoginLink, QueueOrder, SessionStop, TargetChanged
from acd.queue.changes import NoSuchTarget, QueueFileElsewhere, change_target
from acd.queue.control import (
    STATES,
    NoSuchSession,
    NotStoppable,
    Order,
    give_order,
    stop_session,
)
from acd.queue.edit import Name, NotInFile, Value
from acd.web import answers
from acd.web.guard import LOGIN_PATH
from acd.web.parts import GivenDatabase, GivenParts, Parts

router = APIRouter(prefix="/api", tags=["queue"])

_NOT_RUNNING = Refusal(409, "not_running", "The session has ended already (completed).")
_ELSEWHERE = Refusal(
    409,
    "elsewhere",
    "The queue file is on the machine builder: ask the server there.",
    extra={"host": "builder"},
)
_CHANGED = TargetChanged(True, "shop-api", 3, True, True)

RepoId = Annotated[
    str, Field(alias="repoId", min_length=1, max_length=200, description="The target.")
]


def _whole(value: object) -> object:
    """JSON knows one kind of number: 3.0 is an integer, and some clients write it so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class NewPriority(BaseModel):
    """A target's priority, lower first."""

    repo_id: RepoId
    new_priority: Annotated[
        StrictInt,
        Field(alias="newPriority", ge=-999_999_999, le=999_999_999),
        BeforeValidator(_whole),
    ]


class Enabled(BaseModel):
    """Whether a target is worked."""

    repo_id: RepoId
    enabled: StrictBool


@router.post(
    "/queue/{order}",
    summary="Pause, resume, drain or stop the queue",
    responses=described(QueueOrder, QueueOrder("paused", AT)),
)
async def order_queue(db: GivenDatabase, order: Annotated[Order, Path()]) -> Response:
    """It reaches everybody who works the queue, on any machine, at once.

    `pause`: no session is begun until `resume`, also by who begins to work meanwhile; sessions in flight go on. `drain`:
    who works now begins no further session and ends when the last one is over. `stop`: sessions in flight are ended in
    order, too; what they did is kept.
    """
    return answers.data(await give_order(db, STATES[order]))


@router.post(
    "/db/sessions/{id}/stop",
    summary="End a session in order",
    responses=described(
        SessionStop,
        SessionStop(SESSION_ID, "running", LATER),
        refusals=[NO_SESSION, _NOT_RUNNING],
    ),
)
async def stop_one_session(
    db: GivenDatabase, session_id: Annotated[UUID, Path(alias="id")]
) -> Response:
    """The machine that works it ends the agent; the session then fails as `interrupted` with everything it spent.

    The target's next session comes as after any failure: disable the target first when it is to have none.
    """
    try:
        return answers.data(await stop_session(db, session_id))
    except NoSuchSession as error:
        raise HTTPException(404, str(error)) from error
    except NotStoppable as error:
        raise HTTPException(409, {"code": "not_running", "message": str(error)}) from error


@router.put(
    "/targets/update-priority",
    summary="Give a target another priority",
    responses=described(TargetChanged, _CHANGED, refusals=[NO_TARGET, _ELSEWHERE]),
)
async def update_priority(parts: GivenParts, body: NewPriority) -> Response:
    """Its queue file is changed too, and everything else in it stays as it is."""
    return await _change(parts, body.repo_id, "priority", body.new_priority)


@router.put(
    "/targets/toggle-enabled",
    summary="Enable or disable a target",
    responses=described(TargetChanged, _CHANGED, refusals=[NO_TARGET, _ELSEWHERE]),
)
async def toggle_enabled(parts: GivenParts, body: Enabled) -> Response:
    """Its queue file is changed too. A session that runs goes on."""
    return await _change(parts, body.repo_id, "enabled", body.enabled)


async def _change(parts: Parts, repo_id: str, name: Name, value: Value) -> Response:
    try:
        changed = await change_target(parts.db, parts.settings, repo_id, name, value)
    except NoSuchTarget as error:
        raise HTTPException(404, str(error)) from error
    except QueueFileElsewhere as error:
        raise elsewhere("The queue file is", error.host) from error
    except NotInFile as error:
        told = {"code": "not_in_file", "message": "The queue file no longer names this target."}
        raise HTTPException(409, told) from error
    return answers.data(msgspec.json.encode(changed))


@router.post(
    "/login",
    summary="A link that lets one browser in",
    responses=described(LoginLink, LoginLink(f"{LOGIN_PATH}?code=Yx0p8n2mT5vQ")),
)
async def make_login_link(parts: GivenParts) -> Response:
    """It works once, and until the server stops. The browser then has the token's cookie for good."""
    link = LoginLink(f"{LOGIN_PATH}?code={parts.access.new_code()}")
    return answers.data(msgspec.json.encode(link))
