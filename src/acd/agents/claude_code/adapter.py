"""The adapter of Claude Code."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from acd.agents.claude_code.account import account_in
from acd.agents.claude_code.locate import locate
from acd.agents.claude_code.permissions import (
    SETTINGS_FILE,
    permission_arguments,
    permission_variables,
    settings_document,
)
from acd.agents.claude_like import (
    find_transcripts,
    prompt_argument,
    stream_events,
    transcript_events,
)
from acd.agents.protocol import Binary, Launch
from acd.agents.version import find_version
from acd.core.events import Event
from acd.core.settings import Settings


class ClaudeCode:
    """Claude Code, with whatever login it has on this machine."""

    name = "claude-code"
    provider = "anthropic"

    minimum_version: str | None = "2.1.197"

    environment_names: tuple[str, ...] = ("ANTHROPIC_*", "CLAUDE_CODE_*", "CLAUDE_CONFIG_DIR")
    """The cloud credentials of Bedrock and Vertex (`AWS_*`, `GOOGLE_*`) are good for more than models, so they
    are not on the list: who uses them names them in `ACD_AGENT_ENV`."""

    own_settings: tuple[str, ...] = (
        *(".mcp.json", ".claude/*"),
        *("!.claude/CLAUDE.md", "!.claude/rules/*", "!.claude/worktrees/*"),
    )
    """All but what is text for the model (facts: a hook, a server or a variable of these files took effect unasked)."""

    def find(self, settings: Settings) -> Binary:
        """By the setting, else on PATH, else in the package `claude-agent-sdk`.

        Raises:
            AgentMissing: with what to install.
        """
        return Binary(argv=[str(locate(settings.claude_binary))])

    def parse_version(self, text: str) -> str | None:
        """`2.1.330` out of `2.1.330 (Claude Code)`."""
        return find_version(text)

    def command(self, binary: Binary, launch: Launch, settings: Settings) -> list[str]:
        """The prompt stands right after `-p`: `--allowedTools` would take every word that follows it.

        Raises:
            ConfigError: the prompt is too long for a command line, or everything is to be allowed to root.
        """
        argv = [*binary.argv, "-p", prompt_argument(launch.prompt)]
        argv += ["--session-id", str(launch.session_id), "--model", launch.model]
        argv += ["--output-format", "stream-json", "--verbose"]
        if launch.fallback_model and launch.fallback_model != launch.model:
            argv += ["--fallback-model", launch.fallback_model]
        if launch.budget_usd is not None:
            argv += ["--max-budget-usd", f"{Decimal(str(launch.budget_usd)):f}"]
        if launch.max_turns is not None:
            argv += ["--max-turns", str(launch.max_turns)]
        return [*argv, *permission_arguments(launch, settings)]

    def session_files(self, launch: Launch, settings: Settings) -> Mapping[str, bytes]:
        """The session's own settings file."""
        document = settings_document(launch, _config_dir(settings), Path.home())
        return {SETTINGS_FILE: msgspec.json.format(msgspec.json.encode(document))}

    def environment(self, launch: Launch, settings: Settings) -> Mapping[str, str]:
        """No update in mid-session, no traffic but to the model; its own folder where the setting names one."""
        variables = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        if settings.claude_config_dir is not None:
            variables["CLAUDE_CONFIG_DIR"] = str(_config_dir(settings))
        return {**variables, **permission_variables(launch)}

    def account(self, settings: Settings, environment: Mapping[str, str]) -> str:
        """By the key or token that it is given, else by the account that is logged in; see `account_in`."""
        chosen = settings.claude_config_dir
        return account_in(environment, chosen.expanduser().absolute() if chosen else None)

    def transcripts(self, agent_session_id: str, workspace: Path, settings: Settings) -> list[Path]:
        """In its own folder, so that its login serves and sessions begun by hand are found, too."""
        return find_transcripts(_config_dir(settings), agent_session_id)

    def read_stream(self, line: bytes) -> list[Event]:
        """See `acd.agents.claude_like`."""
        return stream_events(self.name, line)

    def read_transcript(self, line: bytes, *, mirror: bool = False) -> list[Event]:
        """See `acd.agents.claude_like`."""
        return transcript_events(self.name, line, mirror=mirror)


def _config_dir(settings: Settings) -> Path:
    chosen = settings.claude_config_dir
    return chosen.expanduser().absolute() if chosen else Path.home() / ".claude"
