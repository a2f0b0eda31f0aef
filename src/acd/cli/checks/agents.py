"""Agents: their program, its version, their login."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

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
        found.append(_login(adapter, settings))
    return found


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
