"""What the harness knows of a session, one fact a line of `journal.jsonl`: the closed union that the ledger reads.

A fact is written and fsynced before anything else happens because of it. `stream_offset` is the size of the
session's stream when the fact was written: it gives the order between the two files without any clock.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec

from acd.core.models import (
    Billing,
    Commit,
    ErrorType,
    Evidence,
    Feature,
    FeatureStatus,
    Isolation,
    Origin,
    SessionStatus,
    SessionType,
    Target,
    Usage,
)


class _Fact(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="fact", kw_only=True):
    at: datetime
    stream_offset: int = 0


class TargetSeen(_Fact, frozen=True, tag="target_seen"):
    """A program named a target (`ensure_target`)."""

    target: Target


class Started(_Fact, frozen=True, tag="started"):
    """The first fact of every session: enough to make its row without asking anybody.

    `model` is the family that was asked for (haiku, sonnet, opus, …), `session_number` the number that the harness
    chose; where the database already has that number for another session, the ledger gives the next free one.
    `queue_dir` is the queue file's folder: a root for the feature list, kept for whoever has to end the session.
    `workspace` is the agent's working folder and `feature_list` the list that it was told of. With isolation `worktree`
    the workspace lies in the git worktree `worktree` on the branch `branch`, made from `head_before`; accepted commits
    go to `base_branch` (None: the target's repository has no branch checked out, but a commit).
    `account`: which login of the agent works, by a fingerprint; empty where that is not known.
    `verified`: keys of features that the harness saw pass before; `reverify`: those whose checks it runs again at the end.
    `billing`: how the agent's account is billed where the settings say so; else the agent tells.
    """

    session_id: UUID
    target: Target
    session_type: SessionType
    origin: Origin
    agent: str
    model: str
    host: str
    session_number: int | None = None
    agent_version: str | None = None
    branch: str | None = None
    head_before: str | None = None
    prompt_sha256: str | None = None
    workspace: str | None = None
    git_common_dir: str | None = None
    queue_dir: str | None = None
    isolation: Isolation = "in-place"
    worktree: str | None = None
    base_branch: str | None = None
    feature_list: str | None = None
    account: str = ""
    verified: list[str] = []
    reverify: list[str] = []
    billing: Billing | None = None


class ProcessStarted(_Fact, frozen=True, tag="process_started"):
    """The agent's process. `created` is psutil's create_time: pid and created together name a process for good."""

    pid: int
    created: float
    argv: list[str]


class Adopted(_Fact, frozen=True, tag="adopted"):
    """Another harness process took over a session whose own had died."""

    host: str
    pid: int


class FeaturesSeen(_Fact, frozen=True, tag="features_seen"):
    """The whole feature list as it stood before or after the session, or when someone asked for a sync.

    `left`: as the agent left it, where the harness had to judge it; those are claims, and `after` tells what became of them.
    """

    when: Literal["before", "left", "after", "sync"]
    features: list[Feature]
    commit: str | None = None


class FeatureChanged(_Fact, frozen=True, tag="feature_changed"):
    """One change of one feature.

    `change` says which: added, claimed, regressed, reworded or removed (the list says so); tampering and restored (what a
    coding session may not do, put back); and with `evidence`, what the harness found out itself: passing, rejected,
    unjudged, confirmed or regressed.
    """

    key: str
    change: str
    status: FeatureStatus
    commit: str | None = None
    detail: str = ""
    evidence: Evidence | None = None


class CommitSeen(_Fact, frozen=True, tag="commit_seen"):
    """A commit that was made in the session."""

    commit: Commit


class WorkLeft(_Fact, frozen=True, tag="work_left"):
    """The commit at which the agent left its worktree, told before the harness itself commits there."""

    commit: str | None = None


class LeftoversKept(_Fact, frozen=True, tag="leftovers_kept"):
    """What the agent had not committed in its worktree lies under `ref`, never to be merged.

    `left_out` says of each file that was not kept why (it looks like a secret, it is too large); both None: all was.
    """

    ref: str | None = None
    commit: str | None = None
    files: int = 0
    left_out: dict[str, str] = {}


DeliveryOutcome = Literal["merged", "nothing", "kept", "refused", "conflict"]


class Delivered(_Fact, frozen=True, tag="delivered"):
    """Where the commits of a session went that worked in its own worktree.

    `merged`: into the target's branch, whose tip is `commit` now; `nothing`: there were none. Else they lie under `ref`:
    `kept` as the settings say, `refused` by git (changes in the way), `conflict` with what others did meanwhile. `refused`
    without a `ref`: they are merged, but a feature list that git does not know could not be brought back.
    """

    outcome: DeliveryOutcome
    commit: str | None = None
    ref: str | None = None
    reason: str = ""


class LimitHit(_Fact, frozen=True, tag="limit_hit"):
    """An account's limit stopped the session; work waits until `resets_at`."""

    window: str
    resets_at: datetime | None = None


class BudgetNoticed(_Fact, frozen=True, tag="budget"):
    """A budget that this session counts against is nearly used up, used up, or cannot be counted in full."""

    notice: Literal["warning", "used_up", "unpriced"]
    message: str


class HarnessFailed(_Fact, frozen=True, tag="harness_failed"):
    """Something went wrong on our side of the session, or around the agent (a time limit, a lost process)."""

    error_type: ErrorType
    message: str
    error_code: str | None = None
    stack_trace: str | None = None
    context: dict[str, str] = {}
    retryable: bool = False


class UsageReported(_Fact, frozen=True, tag="usage_reported"):
    """What another program says that its session spent in all (`end_session` of `acd.metrics_db`)."""

    model: str
    usage: Usage
    cost_usd: Decimal | None = None


class DailyStats(_Fact, frozen=True, tag="daily_stats"):
    """The size of a target's feature list on a day (`update_daily_stats` of `acd.metrics_db`)."""

    total_features: int
    passing_features: int | None = None


class Ended(_Fact, frozen=True, tag="ended"):
    """The last fact of every session. `duration_ms` is monotonic where we ran it through, else None.

    An error that came from the agent stands in the stream already; one of ours has a `HarnessFailed` before this.
    """

    status: SessionStatus
    error_type: ErrorType | None = None
    error_message: str | None = None
    exit_code: int | None = None
    duration_ms: int | None = None
    branch: str | None = None
    head_after: str | None = None
    features_before: int | None = None
    features_after: int | None = None
    features_completed: int | None = None
    commits_made: int | None = None


Fact = (
    TargetSeen
    | Started
    | ProcessStarted
    | Adopted
    | FeaturesSeen
    | FeatureChanged
    | CommitSeen
    | WorkLeft
    | LeftoversKept
    | Delivered
    | LimitHit
    | BudgetNoticed
    | HarnessFailed
    | UsageReported
    | DailyStats
    | Ended
)
