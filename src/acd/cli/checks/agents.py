"""Agents: their program, its version, their login."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from shutil import which

from acd.agents.protocol import Adapter
from acd.agents.registry import load_adapter
from acd.cli.checks.finding import Finding, fail, ok, warn
from acd.core.errors import AgentError, ConfigError
from acd.core.settings import Settings
from acd.harness.version import find_binary

CLAUDE = "claude-code"
_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
_CLOUDS = ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX")
_LOG_IN = "Set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN, or call `claude` once and log in."


async def check_agents(settings: Settings, used: Iterable[str]) -> list[Finding]:
    """Each agent that the queue uses, and Claude Code in any case; what is not used cannot be worse than a warning."""
    needed = set(used)
    found: list[Finding] = []
    for name in sorted(needed | {CLAUDE}):
        findings = await _check(settings, name)
        if name not in needed:
            findings = [
                warn(one.subject, one.message, one.advice) if one.state == "fail" else one
                for one in findings
            ]
        found += findings
    return found


async def _check(settings: Settings, name: str) -> list[Finding]:
    try:
        adapter = load_adapter(name)
        binary = await find_binary(adapter, settings)
    except (ConfigError, AgentError) as error:
        return [fail(name, str(error))]
    version = f" {binary.version}" if binary.version else ""
    found = [ok(name, f"{binary.argv[0]}{version}")]
    if name == CLAUDE:
        found += [_login(adapter, settings), *_sandbox(settings)]
    return found


def _sandbox(settings: Settings) -> list[Finding]:
    """Only where it is asked for: without it a shell can do what its user can (docs/permissions.md)."""
    subject = f"{CLAUDE} sandbox"
    if not settings.agent_sandbox:
        return [ok(subject, "off (ACD_AGENT_SANDBOX): rules hold agents back, no wall does")]
    missing = [name for name in ("bwrap", "socat") if sys.platform == "linux" and not which(name)]
    if missing:
        how = "Debian: apt install bubblewrap socat. Else unset ACD_AGENT_SANDBOX."
        return [fail(subject, f"{' and '.join(missing)} not found: no session can start", how)]
    return [ok(subject, "on")]


def _login(adapter: Adapter, settings: Settings) -> Finding:
    """Whether there is anything to log in with; whether it is accepted only a session can tell."""
    subject = f"{adapter.name} login"
    for variable in _KEYS:
        if os.environ.get(variable):
            return ok(subject, f"by {variable}")
    for variable in _CLOUDS:
        if os.environ.get(variable):
            return ok(
                subject,
                f"by {variable}; its credentials reach the agent if ACD_AGENT_ENV names them",
            )
    folder = (settings.claude_config_dir or Path.home() / ".claude").expanduser()
    for file in (folder / ".credentials.json", folder / "settings.json"):
        if file.name == ".credentials.json" and file.is_file():
            return ok(subject, f"by {file}")
        if file.is_file() and "apiKeyHelper" in file.read_text(errors="replace"):
            return ok(subject, f"by the apiKeyHelper of {file}")
    return fail(subject, "there is neither a key nor a login", _LOG_IN)
