"""The two shapes of every JSON answer: `{"data": …}` and `{"error": {"code", "message", "field"?}}`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape

from starlette.responses import Response

JSON = "application/json"


def data(report: bytes) -> Response:
    """A report wrapped, its bytes untouched: numbers stay exactly as PostgreSQL wrote them."""
    return Response(b'{"data":' + report + b"}", media_type=JSON)


def error(
    status: int,
    code: str,
    message: str,
    *,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A refusal or failure; `field` names the parameter that is wrong. Never carries a stack trace."""
    told = {"code": code, "message": message} | ({"field": field} if field else {})
    return refusal(status, told, headers=headers)


def refusal(
    status: int, told: Mapping[str, object], *, headers: Mapping[str, str] | None = None
) -> Response:
    """As `error`, with everything that is told of it: at least `code` and `message`."""
    body = json.dumps({"error": told}, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, status_code=status, media_type=JSON, headers=headers)


def page(
    status: int, title: str, text: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    """A refusal for a browser that may have nothing else of the server: no style sheet, no script."""
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title></head><body><main><h1>{escape(title)}</h1><p>{escape(text)}</p></main></body></html>"
    )
    return Response(body, status, media_type="text/html; charset=utf-8", headers=headers)
