"""Every setting, its default and its unit. `acd config` shows them; docs/settings.md must name each (a test holds it)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from acd.core.errors import ConfigError


class Settings(BaseSettings):
    """Settings from the environment: `DATABASE_URL` and `BACKEND_PORT` as they are, the rest as `ACD_*`.

    Durations are seconds and sizes bytes unless the name says otherwise.
    """

    model_config = SettingsConfigDict(
        env_prefix="ACD_", frozen=True, extra="ignore", populate_by_name=True
    )

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("acd")),
        description="Folder of everything that acd keeps: sessions, locks, the token, the embedded database.",
    )
    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "ACD_DATABASE_URL"),
        description="PostgreSQL to use; when set, nothing else is ever used. Unset: the embedded server.",
    )
    port: int = Field(
        default=3434,
        ge=0,
        le=65535,
        validation_alias=AliasChoices("BACKEND_PORT", "ACD_PORT"),
        description="Port of the API and the pages.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the server binds.")
    timezone: str = Field(
        default="UTC", description="The zone in which a day is a day; stored in the database."
    )
    queue_file: Path = Field(
        default=Path("repo-queue.json"), description="The queue file that `run` and `sync` read."
    )
    embedded_binaries: Literal["auto", "wheel", "system"] = Field(
        default="auto", description="Where the embedded server's programs come from."
    )

    concurrency: int = Field(
        default=1, ge=1, le=64, description="Sessions at a time in one worker."
    )
    session_timeout: float = Field(default=3600, gt=0, description="Longest time of one session.")
    silence_timeout: float = Field(
        default=900, gt=0, description="Longest time without a line from the agent."
    )
    result_timeout: float = Field(
        default=30, gt=0, description="Time for the agent to exit after its result line."
    )
    terminate_grace: float = Field(
        default=10, gt=0, description="Time between TERM and KILL of the agent's processes."
    )
    output_limit: int = Field(
        default=2 * 1024**3, gt=0, description="Most bytes that an agent may print in a session."
    )
    free_space_floor: int = Field(
        default=512 * 1024**2, ge=0, description="No session starts with less free space than this."
    )
    retry_base: float = Field(
        default=5, gt=0, description="First wait after a failure that may pass; doubles each time."
    )
    retry_max: float = Field(default=900, gt=0, description="Longest such wait.")
    max_failures: int = Field(
        default=5, ge=1, description="Failed sessions in a row after which a target is blocked."
    )

    claude_binary: Path | None = Field(default=None, description="Path of the Claude Code program.")
    claude_config_dir: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("CLAUDE_CONFIG_DIR", "ACD_CLAUDE_CONFIG_DIR"),
        description="Claude Code's own folder (login, transcripts); default ~/.claude.",
    )
    scenario: Path | None = Field(
        default=None, description="Scenario file of the scripted agent (tests and demo)."
    )
    agent_env: str = Field(
        default="",
        description="Comma-separated names of further environment variables that agents may see.",
    )
    session_budget_usd: float | None = Field(
        default=None, gt=0, description="Told to agents that can hold a budget themselves."
    )
    max_turns: int | None = Field(default=None, ge=1, description="Most turns of one session.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {value!r}") from error
        return value

    @property
    def sessions_dir(self) -> Path:
        """Where session folders are: `<home>/sessions/<session id>/`."""
        return self.home / "sessions"

    @property
    def targets_dir(self) -> Path:
        """Where journals without a session are: `<home>/targets/<target id>/journal.jsonl`."""
        return self.home / "targets"

    @property
    def locks_dir(self) -> Path:
        """Where lock files are."""
        return self.home / "locks"


def load_settings(**overrides: object) -> Settings:
    """Read the settings; `overrides` (from flags) win over the environment.

    Raises:
        ConfigError: naming each setting that is wrong and why.
    """
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigError("bad settings:\n  " + "\n  ".join(lines)) from error
