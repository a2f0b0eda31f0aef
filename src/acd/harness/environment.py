"""The environment of an agent: what it inherits is on a list, everything else stays with us. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

MARK = "ACD_SESSION_ID"
"""Variable by which every process of a session is known, wherever it moved; its value is the session id."""

_COMMON = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "XDG_*",
    "SSL_CERT_*",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
)
_OURS = ("DATABASE_URL", "ACD_*")
"""Never inherited, whoever asks for them: they hold our own secrets."""


def agent_environment(
    ours: Mapping[str, str],
    session_id: UUID,
    *,
    inherit: Iterable[str] = (),
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """What an agent gets to see.

    Args:
        ours: our own environment.
        session_id: goes into the mark.
        inherit: further names (or prefixes ending in `*`) that the agent or the user wants inherited.
        extra: variables to set, whatever they were.
    """
    kept = inherited(ours, inherit)
    return {**kept, "TERM": "dumb", **(extra or {}), MARK: str(session_id)}


def inherited(ours: Mapping[str, str], more: Iterable[str] = ()) -> dict[str, str]:
    """What any program that we start for others may have of our environment, and what `more` names (as `inherit`)."""
    allowed = [*_COMMON, *more]
    return {
        name: value
        for name, value in ours.items()
        if _matches(name, allowed) and not _matches(name, _OURS)
    }


def names_in(setting: str) -> list[str]:
    """The names in a comma-separated setting."""
    return [name.strip() for name in setting.split(",") if name.strip()]


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(
        name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
        for pattern in patterns
    )
