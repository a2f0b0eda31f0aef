"""Who may ask: the Host header must be one of ours, and what changes state must not come from a foreign page.

Without the first, a web page anywhere can read the API by pointing its own name at 127.0.0.1 (DNS rebinding,
CVE-2024-28224, CVE-2025-14279); without the second, it can send a form to it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from acd.web import answers

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HOST = re.compile(
    r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", re.IGNORECASE | re.ASCII
)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware that lets through what may be answered at all.

    Refuses with 403 (host or origin), or 415 (a body that is not JSON). `hosts` are names without port.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = LOOPBACK_HOSTS) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is refused, pass on any other."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._bad_host(headers) or (
            None if scope["method"] in _READING else _foreign(headers) or _not_json(headers)
        )
        if refusal is None:
            await self.app(scope, receive, send)
            return
        status, code, message = refusal
        await answers.error(status, code, message)(scope, receive, send)

    def _bad_host(self, headers: Headers) -> tuple[int, str, str] | None:
        given = headers.getlist("host")
        matched = _HOST.fullmatch(given[0]) if len(given) == 1 else None
        if matched and matched["name"].lower() in self.hosts:
            return None
        return 403, "host", "This server answers only to " + ", ".join(sorted(self.hosts)) + "."


def _foreign(headers: Headers) -> tuple[int, str, str] | None:
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


def _not_json(headers: Headers) -> tuple[int, str, str] | None:
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if not has_body or kind == answers.JSON:
        return None
    return 415, "content_type", "A body must be JSON (Content-Type: application/json)."
