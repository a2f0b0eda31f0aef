"""A session's permissions as Claude Code's own rules. Every rule was tried with the genuine 2.1.330 (docs/permissions.md).

Deny rules win over everything, `--dangerously-skip-permissions` included. `Read` and `Edit` rules also hold for the
commands that Claude Code knows to read or write files (`cat`, `cp`, `tee`, redirections), not for what a program does by
itself. `Write` and `Edit` are on no list of allowed tools: the mode `acceptEdits` lets them write in the workspace, and
what lies outside is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from acd.agents.protocol import Launch
from acd.core.errors import ConfigError
from acd.core.permissions import Permissions
from acd.core.settings import Settings

SETTINGS_FILE = "claude-settings.json"

# `Agent` and `Task` are two names of the same tool. `Glob` and `Grep` are there only when the command line names them.
_READING = ("Read", "Glob", "Grep")
_WORKING = ("Agent", "Task", "TodoWrite")

# What a strict session may run beside what Claude Code itself takes for harmless (`ls`, `git status`, …).
_STRICT_COMMANDS = (
    *("git add", "git commit", "git rm", "git mv", "git restore"),
    *("make", "pytest", "python -m pytest", "python3 -m pytest", "npm test", "npm run"),
    *("cargo build", "cargo test", "go build", "go test", "go vet"),
)
_NETWORK = ("WebFetch", "WebSearch", "Bash(curl:*)", "Bash(wget:*)", "Bash(ssh:*)", "Bash(nc:*)")
_PUSHING = (
    "Bash(git push:*)",
    *(f"Bash(gh {what}:*)" for what in ("pr create", "pr merge", "release", "repo", "api")),
)

# Credentials, by place under the user's home: neither read nor changed. A folder ends in `/`.
_CREDENTIALS = (
    *(".ssh/", ".aws/", ".azure/", ".kube/", ".gnupg/", ".config/gh/", ".config/gcloud/"),
    *(".config/glab-cli/", ".docker/config.json", ".netrc", ".git-credentials", ".pgpass"),
    *(".npmrc", ".pypirc", ".cargo/credentials.toml", ".config/git/credentials", ".env"),
)
# What runs, or decides, when the user works: read but not changed.
_STARTED = (
    *(".bashrc", ".bash_profile", ".profile", ".zshrc", ".zprofile", ".zshenv"),
    *(".gitconfig", ".config/git/config", ".config/autostart/", ".config/systemd/", ".claude.json"),
)
_OWN = ("settings.json", "settings.local.json", "hooks/", "agents/", "commands/", "skills/")

_SPECIAL = re.compile(r"([\\*?\[\]!{}])")


def permission_arguments(launch: Launch, settings: Settings) -> list[str]:
    """Words of the command line; `--allowedTools` takes every word that follows it, so they stand last.

    Raises:
        ConfigError: everything is to be allowed and Claude Code would refuse that.
    """
    rules = launch.permissions
    argv = ["--settings", str(launch.session_dir / SETTINGS_FILE)]
    if not rules.own_settings:
        # Without its project's settings Claude Code would not read CLAUDE.md either: as an added folder it does.
        argv += ["--setting-sources", "user", "--strict-mcp-config"]
        argv += ["--add-dir", str(launch.workspace)]
    if rules.bypass:
        _refuse_root(settings)
        argv += ["--dangerously-skip-permissions"]
    else:
        argv += ["--permission-mode", "acceptEdits"]
    bare = [rule for rule in rules.allow if "(" not in rule]
    return [*argv, "--allowedTools", *_tools(rules), *bare]


def permission_variables(launch: Launch) -> dict[str, str]:
    """Variables that go with those words."""
    if launch.permissions.own_settings:
        return {}
    return {"CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD": "1"}


def settings_document(launch: Launch, config_dir: Path, home: Path) -> dict[str, Any]:
    """The settings file of a session.

    Args:
        launch: the session.
        config_dir: Claude Code's own folder.
        home: the user's.
    """
    rules = launch.permissions
    document: dict[str, Any] = {
        "permissions": {
            "allow": [*_allowed(rules), *(rule for rule in rules.allow if "(" in rule)],
            "deny": [*_denied(launch, config_dir, home), *rules.deny],
        }
    }
    if rules.sandbox:
        document["sandbox"] = _sandbox(rules)
    return document


def _tools(rules: Permissions) -> tuple[str, ...]:
    if rules.profile == "strict":
        return (*_READING[1:], *_WORKING)  # reading in the workspace needs no rule
    return ("Bash", *_READING, *_WORKING)


def _allowed(rules: Permissions) -> Iterator[str]:
    for file in rules.files:
        yield f"Edit({_pattern(file)})"
        yield f"Read({_pattern(file)})"
    if rules.profile == "strict":
        yield from (f"Bash({command}:*)" for command in _STRICT_COMMANDS)


def _denied(launch: Launch, config_dir: Path, home: Path) -> Iterator[str]:
    rules, workspace = launch.permissions, launch.workspace
    if not rules.allow_push:
        yield from _PUSHING
    if rules.profile == "strict":
        yield from _NETWORK
    secret = [*_under(home, _CREDENTIALS), *_folders(rules.private)]
    secret += _under(config_dir, (".credentials.json",))
    kept = [*_under(home, _STARTED), *_under(config_dir, _OWN)]
    kept += [str(path) for path in rules.protected]
    for place in _outside(workspace, secret):
        yield f"Read({place})"
        yield f"Edit({place})"
    for place in _outside(workspace, kept):
        yield f"Edit({place})"


def _under(folder: Path, names: Iterable[str]) -> list[str]:
    return [f"{folder}/{name}" for name in names]


def _folders(paths: Iterable[Path]) -> list[str]:
    return [f"{path}/" if path.is_dir() else str(path) for path in paths]


def _outside(workspace: Path, places: Iterable[str]) -> Iterator[str]:
    """Rules' patterns of the places; one that holds the workspace itself would stop all work."""
    for place in places:
        path = Path(place)
        if not workspace.is_relative_to(path):
            yield _pattern(path) + ("/**" if place.endswith("/") else "")


def _pattern(path: Path) -> str:
    """An absolute path in a rule begins with two strokes; the rest is a pattern as in .gitignore."""
    return "/" + _SPECIAL.sub(r"\\\1", str(path.absolute()))


def _sandbox(rules: Permissions) -> dict[str, Any]:
    """Shell commands write only here and reach no host; where that cannot be had, the agent does not start."""
    writable = [*rules.files, *([rules.git_dir] if rules.git_dir else [])]
    return {
        "enabled": True,
        "failIfUnavailable": True,
        "allowUnsandboxedCommands": False,
        "filesystem": {"allowWrite": [str(path) for path in writable]},
    }


def _refuse_root(settings: Settings) -> None:
    passed = {name.strip() for name in settings.agent_env.split(",")}
    if os.geteuid() == 0 and not ("IS_SANDBOX" in passed and os.environ.get("IS_SANDBOX")):
        raise ConfigError(
            "Claude Code refuses --dangerously-skip-permissions as root: work as another user, or, in a container that "
            "holds nothing but the work, set IS_SANDBOX=1 and ACD_AGENT_ENV=IS_SANDBOX"
        )
