"""The nouns: targets, sessions, features, usage. Field names are the columns of the tables they end in."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from acd.core.budgets import Budget

SessionType = Literal["initializer", "coding", "interactive"]
Origin = Literal["harness", "import", "api"]
Isolation = Literal["worktree", "in-place"]
MergePolicy = Literal["fast-forward-or-merge", "fast-forward", "none"]
SessionStatus = Literal["running", "completed", "failed"]
TargetStatus = Literal["pending", "active", "complete", "paused", "blocked"]
Complexity = Literal["critical", "high", "medium", "low", "trivial"]
FeatureStatus = Literal[
    "pending", "claimed", "passing", "rejected", "regressed", "blocked", "skipped", "removed"
]
ErrorType = Literal[
    "auth",
    "billing",
    "rate_limit",
    "usage_limit",
    "overloaded",
    "server",
    "network",
    "model",
    "context",
    "output_limit",
    "max_turns",
    "budget",
    "permission",
    "config",
    "timeout",
    "stalled",
    "interrupted",
    "killed",
    "tampering",
    "verification",
    "disk_full",
    "internal",
    "unknown",
]

Billing = Literal["api", "subscription"]
"""How an account is billed: by the token, or by the month, whatever is used."""

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:acd")


def target_id_of(repo_id: str) -> UUID:
    """Id of the target named `repo_id` in the queue file; the same on every machine."""
    return uuid5(_NAMESPACE, f"target:{repo_id}")


def imported_session_id(agent: str, agent_session_id: str) -> UUID:
    """Id of a session that we did not start ourselves (rule 10 of the records)."""
    return uuid5(_NAMESPACE, f"session:{agent}:{agent_session_id}")


def error_id_of(session_or_target: UUID, source: str, offset: int) -> UUID:
    """Id of an error row: it comes from where the error was read, so that reading twice gives one row."""
    return uuid5(_NAMESPACE, f"error:{session_or_target}:{source}:{offset}")


class Usage(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Tokens of one request (or of one report), each counted once.

    `input_tokens` excludes everything cached; `cache_write_tokens` is the sum of the 5-minute and the
    1-hour writes and of writes whose kind is unknown; `reasoning_tokens` is a part of `output_tokens`.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    web_searches: int = 0

    @property
    def total(self) -> int:
        """The four kinds together: what `total_tokens` means in every table."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
        )


class ModelReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an agent says that it spent on one model. `cost_usd` is the agent's own figure, not our price."""

    usage: Usage
    cost_usd: Decimal | None = None


class Feature(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a feature list, in our one form whatever the file's own form was.

    `key` is the entry's id (else a hash of its name); `content_sha256` covers everything but `passes` and notes,
    so that a reworded feature shows. `priority`: lower is more important.
    """

    key: str
    name: str
    passes: bool
    description: str = ""
    category: str | None = None
    priority: int | None = None
    steps: list[str] = []
    skipped: bool = False
    verify: str | None = None
    content_sha256: str = ""


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the harness saw when it checked a feature on a commit, in a clean checkout.

    `exit_status` is negative for a signal, and None where the command did not come to an end (see `reason`).
    `output_tail` is the end of what it printed, with secrets redacted.
    """

    command: str
    commit: str | None = None
    exit_status: int | None = None
    output_tail: str = ""
    duration_ms: int = 0
    reason: str = ""


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """A repository in the queue, as its entry in the queue file (defaults applied, paths resolved) describes it.

    `clone` is what git clones it from on a machine where `path` does not exist.
    """

    repo_id: str
    name: str
    path: str
    priority: int = 99
    complexity: Complexity = "medium"
    enabled: bool = True
    focus: str | None = None
    prompt: str | None = None
    prd: str | None = None
    feature_list: str | None = None
    until_complete: bool = True
    serial_group: str | None = None
    tags: list[str] = []
    verify_command: str | None = None
    agent: str = "claude-code"
    max_sessions: int = 50
    session_delay_s: float = 0.0
    clone: str | None = None
    allow_tools: list[str] = []
    deny_tools: list[str] = []
    depends_on: list[str] = []
    budget: Budget = Budget()

    @property
    def id(self) -> UUID:
        """Primary key of the target's row."""
        return target_id_of(self.repo_id)


class Commit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A git commit with its size by `git log --numstat` (binary files count as a file with 0 lines)."""

    sha: str
    message: str
    author: str
    committed_at: datetime
    files_changed: int = 0
    additions: int = 0
    deletions: int = 0
    branch: str | None = None
