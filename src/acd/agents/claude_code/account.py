"""Which login Claude Code works with, in the order in which it looks for one itself.

Variables come before what `claude /login` stored. The account of that stands in `.claude.json`, in the folder that
CLAUDE_CONFIG_DIR names, else in the home folder; the file is Claude Code's own, so it is read with care and never written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from acd.agents.fingerprint import fingerprint

_CLOUDS = ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY")
_SECRETS = (
    ("ANTHROPIC_AUTH_TOKEN", "token"),
    ("ANTHROPIC_API_KEY", "API key"),
    ("CLAUDE_CODE_OAUTH_TOKEN", "OAuth token"),
)
_LARGEST = 64 * 1024**2


class _Account(msgspec.Struct):
    accountUuid: str = ""  # noqa: N815 - as it stands in the file


class _Stored(msgspec.Struct):
    oauthAccount: _Account | None = None  # noqa: N815


def account_in(environment: Mapping[str, str], config_dir: Path | None) -> str:
    """The login in words; empty for a cloud provider's, or where there is none that could be told.

    Args:
        environment: what Claude Code gets to see.
        config_dir: where CLAUDE_CONFIG_DIR points; None: it is not set.
    """
    if any(environment.get(name) for name in _CLOUDS):
        return ""
    for name, kind in _SECRETS:
        if secret := environment.get(name):
            return f"{kind} {fingerprint(secret)}"
    stored = _stored((config_dir or Path.home()) / ".claude.json")
    return f"login {fingerprint(stored)}" if stored else ""


def _stored(path: Path) -> str:
    """The id of the account that is logged in; empty where there is none, or the file is not what we know."""
    try:
        if path.stat().st_size > _LARGEST:
            return ""
        found = msgspec.json.decode(path.read_bytes(), type=_Stored)
    except (OSError, msgspec.DecodeError):
        return ""
    return found.oauthAccount.accountUuid if found.oauthAccount else ""
