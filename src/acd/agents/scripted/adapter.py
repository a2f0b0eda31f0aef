"""The adapter of the scripted agent."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from acd.agents.claude_like import (
    find_transcripts,
    prompt_argument,
    stream_events,
    transcript_events,
)
from acd.agents.fingerprint import fingerprint
from acd.agents.protocol import Binary, Launch
from acd.core.errors import ConfigError
from acd.core.events import Event
from acd.core.settings import Settings

# -P: its working directory is the target, and a folder `acd` in there must not be taken for ours.
_ARGV = ("-P", "-m", "acd.testing.scripted_agent")


class Scripted:
    """An agent for tests and the demo; a process of its own, like any other."""

    name = "scripted"
    provider = "anthropic"
    minimum_version: str | None = None
    environment_names: tuple[str, ...] = ("SCRIPTED_*",)
    own_settings: tuple[str, ...] = ()

    def find(self, settings: Settings) -> Binary:
        """This Python, running the agent's module."""
        return Binary(argv=[sys.executable, *_ARGV])

    def parse_version(self, text: str) -> str | None:
        """It has none of its own: it comes with acd."""
        return None

    def command(self, binary: Binary, launch: Launch, settings: Settings) -> list[str]:
        """Like Claude Code's as far as it goes, with the scenario and the session's type.

        Raises:
            ConfigError: no scenario is set, or the prompt is too long for a command line.
        """
        if settings.scenario is None:
            raise ConfigError("the scripted agent needs a scenario file: set ACD_SCENARIO")
        argv = [*binary.argv, "-p", prompt_argument(launch.prompt)]
        argv += ["--session-id", str(launch.session_id), "--model", launch.model]
        argv += ["--session-type", launch.session_type]
        argv += ["--scenario", str(settings.scenario.absolute())]
        if launch.fallback_model:
            argv += ["--fallback-model", launch.fallback_model]
        if launch.max_turns is not None:
            argv += ["--max-turns", str(launch.max_turns)]
        if launch.budget_usd is not None:
            argv += ["--max-budget-usd", f"{Decimal(str(launch.budget_usd)):f}"]
        return argv

    def session_files(self, launch: Launch, settings: Settings) -> Mapping[str, bytes]:
        """None."""
        return {}

    def environment(self, launch: Launch, settings: Settings) -> Mapping[str, str]:
        """Tells it where its own folder is."""
        return {"SCRIPTED_CONFIG_DIR": str(_config_dir(settings))}

    def account(self, settings: Settings, environment: Mapping[str, str]) -> str:
        """By the file `account` in its own folder, where a test put one."""
        try:
            name = (_config_dir(settings) / "account").read_text(encoding="utf-8").strip()
        except OSError:
            return ""
        return f"login {fingerprint(name)}"

    def transcripts(self, agent_session_id: str, workspace: Path, settings: Settings) -> list[Path]:
        """In its own folder, laid out as Claude Code's is."""
        return find_transcripts(_config_dir(settings), agent_session_id)

    def read_stream(self, line: bytes) -> list[Event]:
        """See `acd.agents.claude_like`."""
        return stream_events(self.name, line)

    def read_transcript(self, line: bytes, *, mirror: bool = False) -> list[Event]:
        """See `acd.agents.claude_like`."""
        return transcript_events(self.name, line, mirror=mirror)


def _config_dir(settings: Settings) -> Path:
    return settings.home.absolute() / "scripted-agent"
