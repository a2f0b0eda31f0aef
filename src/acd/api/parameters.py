"""Query parameters that several routes share, with their bounds; a value outside is answered with 422."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

MOST = 1000

Limit50 = Annotated[int, Query(alias="limit", ge=1, le=MOST, description="Most rows to give.")]
Limit100 = Annotated[int, Query(alias="limit", ge=1, le=MOST, description="Most rows to give.")]
Days = Annotated[int, Query(ge=1, le=3660, description="Days back, today included.")]
RepoId = Annotated[str | None, Query(alias="repoId", description="Only this target.")]
Model = Annotated[str | None, Query(description="Only this model.")]
SessionId = Annotated[UUID | None, Query(alias="sessionId", description="Only this session.")]
Since = Annotated[
    datetime | None, Query(description="Started then or later; without a zone: the database's.")
]
Until = Annotated[
    datetime | None, Query(description="Started before then; without a zone: the database's.")
]
PathRepoId = Annotated[str, Path(alias="repoId", description="The target's id in the queue file.")]
