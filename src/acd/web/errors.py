"""Every exception that can leave a route, as an answer."""

from __future__ import annotations

import re
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from acd.core.errors import AcdError, ConfigError, DatabaseAway, DataRefused
from acd.web import answers
from acd.web.headers import SECURITY_HEADERS

RETRY_AFTER_S = 5
_PARAMETER = re.compile(r"\{\w+\}")
_HINTS = {
    404: "There is nothing at this address; /docs lists every route.",
    405: "This address does not take this method; /docs lists what each takes.",
}


async def _away(_request: Request, _error: Exception) -> Response:
    return answers.error(
        503,
        "database_away",
        "The database cannot be reached just now. Sessions are recorded in files and come in when it is back.",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


async def _bad_parameter(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    # Where a body is no JSON at all, the place is a number of characters.
    field = "body" if first["type"] == "json_invalid" else str(first["loc"][-1])
    return answers.error(422, "invalid", f"{field}: {first['msg']}", field=field)


async def _bad_value(_request: Request, _error: Exception) -> Response:
    return answers.error(422, "invalid", "The database cannot hold or compare one of these values.")


async def _bad_config(_request: Request, error: Exception) -> Response:
    return answers.error(422, "config", str(error))


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    detail: object = error.detail
    if isinstance(detail, dict):  # a route that tells more than a sentence
        return answers.refusal(error.status_code, detail, headers=error.headers)
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    bare = detail == phrase  # nothing but the framework's own word
    message = _HINTS.get(error.status_code) if bare else None
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (allowed := _allowed(request)):
        headers = {"Allow": allowed}
    return answers.error(error.status_code, code, message or str(detail), headers=headers)


def _allowed(request: Request) -> str | None:
    """Every documented method of an address; Starlette itself names those of the first of its routes alone."""
    paths: dict[str, dict[str, object]] = request.app.openapi()["paths"]
    matching = [each for each in paths if re.fullmatch(_pattern(each), request.url.path)]
    if not matching:
        return None
    nearest = max(matching, key=lambda each: len(_PARAMETER.sub("", each)))
    return ", ".join(sorted(method.upper() for method in paths[nearest]))


def _pattern(template: str) -> str:
    return ".+".join(re.escape(part) for part in _PARAMETER.split(template))


async def _known(_request: Request, _error: Exception) -> Response:
    return answers.error(500, "failed", "acd could not answer this; its log says why.")


async def _unknown(_request: Request, _error: Exception) -> Response:
    # This one is answered outside of every middleware, so it brings the headers itself.
    return answers.error(
        500,
        "internal",
        "Something is wrong in acd itself; its log has the details.",
        headers=SECURITY_HEADERS | {"Cache-Control": "no-store"},
    )


def add_error_handlers(app: FastAPI) -> None:
    """Answer every exception in the shape of `answers.error`; unexpected ones are logged by the server too."""
    app.add_exception_handler(DatabaseAway, _away)
    app.add_exception_handler(DataRefused, _bad_value)
    app.add_exception_handler(ConfigError, _bad_config)
    app.add_exception_handler(AcdError, _known)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)
