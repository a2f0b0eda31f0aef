"""Every setting, its default and its unit. `acd config` shows them; docs/settings.md must name each (a test holds it).

Read with msgspec and not with pydantic-settings: that alone took 0.35 s of every command's start (measured
2026-11-24, `python -X importtime -c "import pydantic_settings"`), and `acd status` has half a second in all.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import platformdirs
from msgspec import Meta

from acd.core.models import Isolation, MergePolicy
from acd.core.notices import NOTICE_KINDS
from acd.core.permissions import Profile


def default_home() -> Path:
    """The folder of this user's data, by the habits of the system."""
    return Path(platformdirs.user_data_dir("acd"))


SECRET_SETTINGS = frozenset({"notify_urls"})
"""Those whose value is a secret as a whole: whoever shows settings shows that they are set."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. Durations are seconds and sizes bytes unless the name says otherwise; made by `acd.core.environment.load_settings`.

    `given` names those that were set on purpose, by the environment or by a flag.
    """

    home: Annotated[
        Path,
        Meta(
            description="Folder of everything that acd keeps: sessions, locks, the token, the embedded database."
        ),
    ] = msgspec.field(default_factory=default_home)
    database_url: Annotated[
        str | None,
        Meta(
            description="PostgreSQL to use; when set, nothing else is ever used. Unset: the embedded server."
        ),
    ] = None
    url: Annotated[
        str | None,
        Meta(
            description="Server that the reading and controlling commands ask, in place of this machine's database: http://builder:3434."
        ),
    ] = None
    port: Annotated[int, Meta(ge=0, le=65535, description="Port of the API and the pages.")] = 3434
    host: Annotated[str, Meta(description="Address that the server binds.")] = "127.0.0.1"
    allowed_hosts: Annotated[
        str,
        Meta(
            description="Comma-separated names by which other machines call this server; needed beyond loopback."
        ),
    ] = ""
    auth: Annotated[
        Literal["auto", "always"],
        Meta(
            description="What needs the token: on loopback only what changes something (auto), or every request (always)."
        ),
    ] = "auto"
    host_name: Annotated[
        str,
        Meta(
            pattern=r"^[^:\s]+$",
            description="What this machine is called in the records; each machine on one database needs a name of its own.",
        ),
    ] = msgspec.field(default_factory=socket.gethostname)
    timezone: Annotated[
        str, Meta(description="The zone in which a day is a day; stored in the database.")
    ] = "UTC"
    queue_file: Annotated[Path, Meta(description="The queue file that `run` and `sync` read.")] = (
        Path("repo-queue.json")
    )
    embedded_binaries: Annotated[
        Literal["auto", "wheel", "system"],
        Meta(description="Where the embedded server's programs come from."),
    ] = "auto"

    concurrency: Annotated[
        int, Meta(ge=1, le=64, description="Sessions at a time in one worker.")
    ] = 1
    session_timeout: Annotated[float, Meta(gt=0, description="Longest time of one session.")] = 3600
    isolation: Annotated[
        Isolation,
        Meta(
            description="Where agents work: each session in a git worktree of its own, or in the target's folder (in-place)."
        ),
    ] = "worktree"
    merge: Annotated[
        MergePolicy,
        Meta(
            description="How a session's commits get into the target's branch; with none they stay on a branch of their own."
        ),
    ] = "fast-forward-or-merge"
    keep_failed_work: Annotated[
        Literal["merge", "ref"],
        Meta(
            description="Commits of a session that failed: merged too, or only kept under refs/acd/ (ref)."
        ),
    ] = "merge"
    keep_refs_days: Annotated[
        float,
        Meta(
            ge=0,
            description="Days after which refs under refs/acd/ are deleted, when a session ends in their repository; 0: never.",
        ),
    ] = 30
    silence_timeout: Annotated[
        float, Meta(gt=0, description="Longest time without a line from the agent.")
    ] = 900
    result_timeout: Annotated[
        float, Meta(gt=0, description="Time for the agent to exit after its result line.")
    ] = 30
    terminate_grace: Annotated[
        float, Meta(gt=0, description="Time between TERM and KILL of the agent's processes.")
    ] = 10
    output_limit: Annotated[
        int, Meta(gt=0, description="Most bytes that an agent may print in a session.")
    ] = 2 * 1024**3
    free_space_floor: Annotated[
        int, Meta(ge=0, description="No session starts with less free space than this.")
    ] = 512 * 1024**2
    lease_seconds: Annotated[
        float,
        Meta(
            ge=2,
            description="After so long without a sign of life a worker counts as dead to other machines.",
        ),
    ] = 300
    clone_timeout: Annotated[
        float, Meta(gt=0, description="Longest time that cloning a repository may take.")
    ] = 1800
    retry_base: Annotated[
        float,
        Meta(gt=0, description="First wait after a failure that may pass; doubles each time."),
    ] = 5
    retry_max: Annotated[float, Meta(gt=0, description="Longest such wait.")] = 900
    max_failures: Annotated[
        int,
        Meta(ge=1, description="Failed sessions in a row after which a target's breaker opens."),
    ] = 5
    breaker_cooldown: Annotated[
        float,
        Meta(
            ge=0, description="Rest of a target whose breaker is open, before one session is tried."
        ),
    ] = 900
    breaker_probes: Annotated[
        int,
        Meta(ge=0, description="Such tries that may fail before a target is blocked; 0: no try."),
    ] = 3
    feature_attempts: Annotated[
        int, Meta(ge=1, description="Rejected claims after which a feature is blocked.")
    ] = 3
    limit_jitter: Annotated[
        float, Meta(ge=0, description="Most seconds that sessions wait beyond a limit's reset.")
    ] = 1
    limit_backoff: Annotated[
        float, Meta(gt=0, description="Wait after a limit whose reset the agent did not tell.")
    ] = 300
    limit_backoff_max: Annotated[
        float,
        Meta(gt=0, description="Longest such wait of an account that refuses again and again."),
    ] = 3600
    limit_refusals: Annotated[
        int,
        Meta(
            ge=1,
            description="Sessions refused without a named window (429) after which the whole account waits.",
        ),
    ] = 3
    limit_canary_lease: Annotated[
        float,
        Meta(gt=0, description="Longest time that others wait for the session that goes first."),
    ] = 120
    no_progress_sessions: Annotated[
        int,
        Meta(
            ge=1, description="Sessions in a row without progress after which a target is blocked."
        ),
    ] = 3

    permission_profile: Annotated[
        Profile,
        Meta(
            description="What agents may do: use a shell (standard), or only listed commands and no network (strict)."
        ),
    ] = "standard"
    allow_push: Annotated[bool, Meta(description="Whether agents may use `git push`.")] = False
    agent_sandbox: Annotated[
        bool,
        Meta(
            description="Whether Claude Code runs shell commands in its sandbox; it does not start where there is none."
        ),
    ] = False
    denial_limit: Annotated[
        int,
        Meta(
            ge=1,
            description="Denied tool calls after which a session is ended and its target blocked.",
        ),
    ] = 20
    verify_timeout: Annotated[
        float, Meta(gt=0, description="Longest time of one verify command.")
    ] = 600
    reverify_sample: Annotated[
        int,
        Meta(ge=0, description="Passing features whose own checks are run again after a session."),
    ] = 2

    claude_binary: Annotated[Path | None, Meta(description="Path of the Claude Code program.")] = (
        None
    )
    claude_config_dir: Annotated[
        Path | None,
        Meta(description="Claude Code's own folder (login, transcripts); default ~/.claude."),
    ] = None
    scenario: Annotated[
        Path | None, Meta(description="Scenario file of the scripted agent (tests and demo).")
    ] = None
    agent_env: Annotated[
        str,
        Meta(
            description="Comma-separated names of further environment variables that agents and verify commands may see."
        ),
    ] = ""
    session_budget_usd: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(
            description="Most USD of one session; also told to agents that can hold a budget themselves."
        ),
    ] = None
    session_budget_tokens: Annotated[
        Annotated[int, Meta(gt=0)] | None,
        Meta(description="Most tokens of one session, of all four kinds."),
    ] = None
    target_budget_usd: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="Most USD of a target in all.")
    ] = None
    target_budget_tokens: Annotated[
        Annotated[int, Meta(gt=0)] | None, Meta(description="Most tokens of a target in all.")
    ] = None
    target_budget_sessions: Annotated[
        Annotated[int, Meta(gt=0)] | None, Meta(description="Most sessions of a target in all.")
    ] = None
    target_budget_hours: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Most hours of sessions of a target in all."),
    ] = None
    day_budget_usd: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="Most USD of all targets on one day.")
    ] = None
    day_budget_tokens: Annotated[
        Annotated[int, Meta(gt=0)] | None,
        Meta(description="Most tokens of all targets on one day."),
    ] = None
    day_budget_sessions: Annotated[
        Annotated[int, Meta(gt=0)] | None,
        Meta(description="Most sessions of all targets on one day."),
    ] = None
    day_budget_hours: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Most hours of sessions of all targets on one day."),
    ] = None
    total_budget_usd: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="Most USD of all targets in all.")
    ] = None
    total_budget_tokens: Annotated[
        Annotated[int, Meta(gt=0)] | None, Meta(description="Most tokens of all targets in all.")
    ] = None
    total_budget_sessions: Annotated[
        Annotated[int, Meta(gt=0)] | None, Meta(description="Most sessions of all targets in all.")
    ] = None
    total_budget_hours: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Most hours of sessions of all targets in all."),
    ] = None
    budget_warning: Annotated[
        float, Meta(gt=0, le=1, description="Share of a budget at which a warning is given, once.")
    ] = 0.8
    max_turns: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="Most turns of one session.")
    ] = None

    billing: Annotated[
        Literal["auto", "api", "subscription"],
        Meta(
            description="How the agents' account is billed: as the agent tells (auto), by the token (api), or by the month (subscription)."
        ),
    ] = "auto"

    notify_urls: Annotated[
        str,
        Meta(
            description="Apprise URLs that notifications go to, separated by blanks; shown nowhere. None: nothing is sent."
        ),
    ] = ""
    notify_urls_file: Annotated[
        Path | None, Meta(description="File with further such URLs, one a line.")
    ] = None
    notify_on: Annotated[
        str, Meta(description="Comma-separated kinds of events that are notified.")
    ] = ",".join(NOTICE_KINDS)
    notify_every: Annotated[
        float,
        Meta(ge=0, description="Least time between two notifications of a kind about one target."),
    ] = 900

    skip_permissions: bool = False
    """Agents ask for nothing. Only a flag says so, `--dangerously-skip-permissions`: no variable, no file."""

    given: frozenset[str] = frozenset()

    @property
    def sessions_dir(self) -> Path:
        """Where session folders are: `<home>/sessions/<session id>/`."""
        return self.home / "sessions"

    @property
    def targets_dir(self) -> Path:
        """Where journals without a session are: `<home>/targets/<target id>/journal.jsonl`."""
        return self.home / "targets"

    @property
    def clones_dir(self) -> Path:
        """Where clones of targets are that have no folder on this machine: `<home>/clones/<repo id>/`."""
        return self.home / "clones"

    @property
    def worktrees_dir(self) -> Path:
        """Where the git worktrees of sessions are: `<home>/worktrees/<session id>/<name of the repository>`."""
        return self.home.absolute() / "worktrees"

    @property
    def checks_dir(self) -> Path:
        """Where commits are checked out to be verified: `<home>/checks/<session id>/`, removed again."""
        return self.home / "checks"

    @property
    def locks_dir(self) -> Path:
        """Where lock files are."""
        return self.home / "locks"
