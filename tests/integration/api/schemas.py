"""JSON answers against the schemas of the OpenAPI document, taken to the letter."""

from __future__ import annotations

from typing import Any

import jsonschema_rs


def problems_of(openapi: dict[str, Any], schema: dict[str, Any], answer: object) -> list[str]:
    """Where an answer is not what its schema says; a key that the schema does not name counts, too."""
    whole = {**schema, "components": openapi["components"]}
    validator = jsonschema_rs.Draft202012Validator(_strict(whole), validate_formats=True)
    return [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}"
        for error in validator.iter_errors(answer)
    ]


def _strict(schema: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        strict.setdefault("additionalProperties", False)
    return strict
