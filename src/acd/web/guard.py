"""Who may ask: in front of every route there is, pages, static files, streams and documentation included.

The Host header must be one of ours; what changes state must not come from a foreign page; what is not open needs the
token (see `access`). Without the first, a web page anywhere can read the API by pointing its own name at 127.0.0.1 (DNS
rebinding, CVE-2024-28224, CVE-2025-14279); without the second, it can send a form to it.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from acd.web import answers
from acd.web.access import READING, Access

LOGIN_PATH = "/login"
_HOST = re.compile(
    r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", re.IGNORECASE | re.ASCII
)

_LET_IN = (
    "`acd login`, on the machine of the server and as the user who runs it, prints a link that works once; "
    "the browser that opens it is let in for good."
)

Refusal = tuple[int, str, str]


class Guard:
    """ASGI middleware that lets through what may be answered at all.

    Refuses with 403 (host or origin), 401 (no token), or 415 (a body that is not JSON). Answers `/login?code=…`
    itself: a good code gives the browser the cookie that stands for the token.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is refused, pass on any other."""
        if scope["type"] == "http":
            answer = self._answer(scope)
            await (answer or self.app)(scope, receive, send)
        elif scope["type"] == "websocket":  # none is offered: refused before anything looks at it
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.app(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        """What is answered in place of a route; None where the route may answer."""
        headers, method = Headers(scope=scope), scope["method"]
        refusal = self._bad_host(headers)
        if refusal is None and method not in READING:
            refusal = _foreign(headers)
        if refusal is None and scope["path"] == LOGIN_PATH and method == "GET":
            return self._log_in(scope)
        refusal = refusal or self._unknown(scope, headers)
        if refusal is None and method not in READING:
            refusal = _not_json(headers)
        if refusal is None:
            return None
        status, code, message = refusal
        asked = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        if status == 401 and _is_page(scope, headers):
            return answers.page(status, "This server wants a login", _LET_IN, headers=asked)
        return answers.error(status, code, message, headers=asked)

    def _log_in(self, scope: Scope) -> Response:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        cookie = self.access.cookie_for(query.get("code", [""])[0])
        if cookie is None:
            told = "This link was used already, or is too old."
            if _is_page(scope, Headers(scope=scope)):
                return answers.page(401, told, _LET_IN)
            return answers.error(401, "unauthorized", told)
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        return RedirectResponse("/", 303, {"Set-Cookie": cookie + secure})

    def _unknown(self, scope: Scope, headers: Headers) -> Refusal | None:
        if self.access.is_open(scope["method"], scope["path"]) or self.access.knows(headers):
            return None
        told = "This needs the token: `Authorization: Bearer` and what the file `token` in ACD_HOME holds."
        return 401, "unauthorized", told

    def _bad_host(self, headers: Headers) -> Refusal | None:
        given = headers.getlist("host")
        matched = _HOST.fullmatch(given[0]) if len(given) == 1 else None
        if matched and matched["name"].lower() in self.access.hosts:
            return None
        return 403, "host", "This server does not answer to that name; see ACD_ALLOWED_HOSTS."


def _is_page(scope: Scope, headers: Headers) -> bool:
    """Whether a person looks: a browser that goes to an address of no route of the API."""
    reads = scope["method"] == "GET" and not scope["path"].startswith("/api/")
    return reads and "text/html" in headers.get("accept", "")


def _foreign(headers: Headers) -> Refusal | None:
    """A browser says where a request comes from; other clients send neither header."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    same_origin = origin is None or _authority(origin) == headers["host"].lower()
    if same_origin and site in (None, "same-origin", "none"):
        return None
    return 403, "origin", "A page of another origin may not change anything here."


def _authority(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") else None


def _not_json(headers: Headers) -> Refusal | None:
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if not has_body or kind == answers.JSON:
        return None
    return 415, "content_type", "A body must be JSON (Content-Type: application/json)."
