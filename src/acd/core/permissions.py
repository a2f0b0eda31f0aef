"""What an agent may do in a session, in words that every adapter can turn into its own agent's rules. Pure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from acd.core.errors import ConfigError

Profile = Literal["standard", "strict"]

_RULE = re.compile(r"[A-Za-z_][A-Za-z0-9_*-]*(\(.+\))?")
_LONGEST_RULE = 500
_MOST_RULES = 200


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one session.

    `profile`: `standard` lets the agent use a shell, `strict` only a list of commands and no tool that reaches the
    network. `bypass`: nothing is asked for; what is denied stays denied. `allow` and `deny` are further rules in the
    agent's own notation. `files` lie outside the workspace and may be written all the same; nothing below `private`
    may be read. `own_settings`: the repository's own settings for the agent (hooks, servers, …) are loaded.
    """

    profile: Profile = "standard"
    bypass: bool = False
    allow_push: bool = False
    sandbox: bool = False
    own_settings: bool = True
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    private: tuple[Path, ...] = ()
    protected: tuple[Path, ...] = ()
    """Files that hold our own settings: they may be read but not changed."""
    git_dir: Path | None = None
    """Where git keeps what commits are made of; outside the workspace when that is a worktree."""


def checked_rules(key: str, rules: list[str]) -> list[str]:
    """Rules as a user wrote them: a tool's name (`WebSearch`), or one with what it may be used for (`Bash(make test)`).

    Raises:
        ConfigError: naming the key and the rule that is none.
    """
    if len(rules) > _MOST_RULES:
        raise ConfigError(f"{key}: at most {_MOST_RULES} rules")
    for rule in rules:
        if not rule.isprintable() or len(rule) > _LONGEST_RULE or not _RULE.fullmatch(rule):
            raise ConfigError(
                f'{key}: expected a tool or a tool with its use, as "WebSearch" or "Bash(make test)", got {rule[:80]!r}'
            )
    return rules
