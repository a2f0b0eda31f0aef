"""Which days a page shows, as its address says: `from` and `to`, or the last `days`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BeforeValidator, StringConstraints

from acd.core.figures import GroupBy
from acd.core.text import WITHOUT_NUL
from acd.database.connection import Database
from acd.reports import figures
from acd.reports.figures import Period

PRESETS = (7, 30, 90, 365)
USUAL = 30
_MOST_DAYS = 3660


def _not_empty(value: Any) -> Any:  # noqa: ANN401 - what pydantic hands over
    """A field of a form that was left empty is one that was not filled in."""
    return value or None


_Day = Annotated[date | None, BeforeValidator(_not_empty)]
_Name = Annotated[str, StringConstraints(max_length=1024, pattern=WITHOUT_NUL)]
_Target = Annotated[_Name | None, BeforeValidator(_not_empty)]


class Range:
    """What was asked for."""

    def __init__(
        self,
        first: Annotated[_Day, Query(alias="from")] = None,
        last: Annotated[_Day, Query(alias="to")] = None,
        days: Annotated[int, Query(ge=1, le=_MOST_DAYS)] = USUAL,
        target: Annotated[_Target, Query()] = None,
    ) -> None:
        self.first = first
        self.last = last
        self.days = days
        self.target = target

    @property
    def preset(self) -> int | None:
        """The number of days, where only that was asked for."""
        return None if self.first or self.last else self.days

    async def period(self, db: Database, by: GroupBy = "day") -> Period:
        """The days, with those that were not told filled in; as `figures.period`."""
        told = await figures.period(db, by, first=self.first, last=self.last, repo_id=self.target)
        if self.first is not None:
            return told
        back = timedelta(days=self.days - 1)
        return told._replace(first=max(told.last, date.min + back) - back)


def kept(fields: Mapping[str, str | Sequence[str] | None]) -> list[tuple[str, str]]:
    """Fields of an address that stay when others change: those that are set, one pair for each value."""
    return [
        (name, value)
        for name, given in fields.items()
        for value in ([given] if isinstance(given, str) else given or [])
        if value
    ]
