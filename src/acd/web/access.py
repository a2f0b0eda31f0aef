"""Who may ask what: the token, and what is open without it.

Denied is the default. What is open is listed here and nowhere else, so that a new route cannot forget to ask for the
token (CVE-2026-0545): reading and the two sync routes, and those only where nobody but this machine can call.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

from acd.core.errors import ConfigError
from acd.core.settings import Settings

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_WRITES = re.compile(r"/api/db/(targets/sync|features/sync/.+)", re.DOTALL)
_NAME = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?")
_MOST_CODES = 100


class Access:
    """What a request must bring. `hosts` are the names by which the server may be called, without port.

    With `always` every request needs the token; without, only those that change something other than by a sync.
    """

    def __init__(
        self, token: str, *, hosts: frozenset[str] = LOOPBACK_HOSTS, always: bool = False
    ) -> None:
        self.hosts = hosts
        self.always = always
        self._token = token.encode()
        self._cookie = hmac.digest(self._token, b"acd cookie", hashlib.sha256).hex().encode()
        # A browser sends the cookies of a host to all of its ports: each server reads its own.
        self.cookie_name = f"acd-{hashlib.sha256(self._cookie).hexdigest()[:12]}"
        self._codes: list[bytes] = []

    def is_open(self, method: str, path: str) -> bool:
        """Whether a request needs no token."""
        if self.always:
            return False
        return method in READING or (method == "POST" and bool(_OPEN_WRITES.fullmatch(path)))

    def knows(self, headers: Headers) -> bool:
        """Whether a request brings the token, or the cookie that stands for it."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        bearer = given.strip() if scheme.lower() == "bearer" else ""
        return _same(bearer, self._token) | _same(self._cookie_in(headers), self._cookie)

    def _cookie_in(self, headers: Headers) -> str:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.cookie_name)
        except CookieError:
            return ""
        return found.value if found else ""

    def new_code(self) -> str:
        """A code that can be turned into a cookie once. The oldest of too many is forgotten."""
        code = secrets.token_urlsafe(24)
        self._codes = [*self._codes, code.encode()][-_MOST_CODES:]
        return code

    def cookie_for(self, code: str) -> str | None:
        """The value of `Set-Cookie` for a code, which is used up by it; None where nobody gave it out."""
        known = [each for each in self._codes if _same(code, each)]
        if not known:
            return None
        self._codes.remove(known[0])
        return f"{self.cookie_name}={self._cookie.decode()}; Path=/; HttpOnly; SameSite=Strict"


def _same(given: str, expected: bytes) -> bool:
    """Compared in a time that tells nothing of where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected)


def is_loopback(host: str) -> bool:
    """Whether an address to bind can be reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def access_of(settings: Settings, token: str) -> Access:
    """What the settings ask of requests. Names beyond this machine's mean that others can come, whatever is bound.

    Raises:
        ConfigError: a name that is none, or an address beyond loopback without any.
    """
    given = [name.strip().lower() for name in settings.allowed_hosts.split(",") if name.strip()]
    wrong = [name for name in given if not _NAME.fullmatch(name)]
    if wrong:
        raise ConfigError(
            f"ACD_ALLOWED_HOSTS: {wrong[0]!r} is no host's name (no port, no *; IPv6 in brackets)"
        )
    if not given and not is_loopback(settings.host):
        raise ConfigError(
            f"ACD_HOST is {settings.host!r}: without ACD_ALLOWED_HOSTS the server binds loopback addresses only "
            "(127.0.0.1, ::1, localhost). Name there how others call this machine; then every request needs the token."
        )
    beyond = not is_loopback(settings.host) or bool(set(given) - LOOPBACK_HOSTS)
    return Access(
        token, hosts=LOOPBACK_HOSTS | set(given), always=beyond or settings.auth == "always"
    )
