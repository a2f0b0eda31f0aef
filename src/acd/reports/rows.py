"""From a report's JSON to typed rows, for those who show figures and do not pass them on."""

from __future__ import annotations

from typing import TypeVar

import msgspec

RowT = TypeVar("RowT")


def rows_of(report: bytes, row: type[RowT]) -> list[RowT]:
    """The rows of a report that is an array.

    Raises:
        msgspec.ValidationError: the report is of another subject than `row`.
    """
    return msgspec.json.decode(report, type=list[row])  # type: ignore[valid-type]


def row_of(report: bytes, row: type[RowT]) -> RowT:
    """The row of a report that is one object.

    Raises:
        msgspec.ValidationError: the report is of another subject than `row`.
    """
    return msgspec.json.decode(report, type=row)
