"""What the OpenAPI document says of an answer: its type from `acd.core`, an example made of that type, its refusals.

    @router.get("/things", responses=described(Thing, EXAMPLE, Shape.PAGE, refusals=(BAD_CURSOR,)))

Refusals that any route may give (401, 403, 415, 422, 503) need not be named: `acd.api.document` adds them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

import msgspec
from msgspec.json import schema_components

from acd.web.answers import JSON

DEFINITIONS = "x-definitions"
EXAMPLE = "x-example"
REF = "#/components/schemas/{name}"
_ENCODER = msgspec.json.Encoder(decimal_format="number")

Described = dict[int | str, dict[str, Any]]
"""What FastAPI takes as `responses`."""


class Refusal(NamedTuple):
    """An answer that says no, with an example."""

    status: int
    code: str
    message: str
    field: str | None = None
    extra: Mapping[str, str] = {}

    def described(self) -> dict[str, Any]:
        """As an entry of `responses`."""
        told = {"code": self.code, "message": self.message, **self.extra}
        if self.field:
            told["field"] = self.field
        schema = {"$ref": REF.format(name=Failure.__name__)}
        content = {JSON: {"schema": schema, "example": {"error": told}}}
        return {"description": self.message, "content": content}


class Problem(msgspec.Struct, frozen=True):
    """Why not: a word for programs, a sentence for people, the parameter that is wrong, the machine to ask instead."""

    code: str
    message: str
    field: str | msgspec.UnsetType = msgspec.UNSET
    host: str | msgspec.UnsetType = msgspec.UNSET


class Failure(msgspec.Struct, frozen=True):
    """Every answer that is no success."""

    error: Problem


class Shape(Enum):
    """How an answer wraps its type."""

    BARE = "bare"
    ONE = "one"
    ROWS = "rows"
    PAGE = "page"


BAD_CURSOR = Refusal(
    400, "cursor", "cursor: not one of this list; begin again without it.", "cursor"
)
NO_TARGET = Refusal(404, "not_found", "No target has the id 'shop'.")
NO_SESSION = Refusal(
    404, "not_found", "No session has the id 0192f0c4-0000-4000-8000-000000000000."
)


def described(
    kind: type[msgspec.Struct] | Any,  # noqa: ANN401 - also a generic one with its argument
    example: object,
    shape: Shape = Shape.ONE,
    *,
    next_cursor: str | None = None,
    status: int = 200,
    description: str = "As asked",
    refusals: Sequence[Refusal] = (),
) -> Described:
    """The success and the route's own refusals; `example` is one `kind` (a list of one where rows are told)."""
    (schema,), definitions = schemas_of([kind])
    shown = json.loads(_ENCODER.encode(example))
    wrapped, shown = _wrapped(schema, shown, shape, next_cursor)
    # As text, which `acd.api.document` reads: FastAPI would leave every null out of it.
    content = {JSON: {"schema": wrapped, EXAMPLE: json.dumps(shown)}}
    success: dict[str, Any] = {
        "description": description,
        "content": content,
        # Taken by `acd.api.document`, which puts them where the references point to.
        DEFINITIONS: definitions,
    }
    return {status: success, **{refusal.status: refusal.described() for refusal in refusals}}


def schemas_of(kinds: Sequence[Any]) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """The JSON schemas of types, and of what they are made of by name."""
    return schema_components(kinds, schema_hook=_schema_of_anything, ref_template=REF)


def _schema_of_anything(kind: type) -> dict[str, Any]:
    if kind is object:
        return {"description": "Any JSON value"}  # an empty one is not taken
    raise NotImplementedError(f"{kind} in an answer")


def _wrapped(
    schema: dict[str, Any], shown: object, shape: Shape, next_cursor: str | None
) -> tuple[dict[str, Any], object]:
    if shape is Shape.BARE:
        return schema, shown
    data = schema if shape is Shape.ONE else {"type": "array", "items": schema}
    properties: dict[str, Any] = {"data": data}
    example: dict[str, object] = {"data": shown if shape is Shape.ONE else [shown]}
    if shape is Shape.PAGE:
        properties["nextCursor"] = {
            "type": ["string", "null"],
            "description": "`cursor` of the next page; null when this was the last one.",
        }
        example["nextCursor"] = next_cursor
    wrapped = {"type": "object", "properties": properties, "required": list(properties)}
    return wrapped, example
