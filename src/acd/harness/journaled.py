"""What stands in a session's journal, gathered for whoever closes the session or goes on with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from acd.core.facts import (
    CommitSeen,
    Delivered,
    Ended,
    Fact,
    FeatureChanged,
    FeaturesSeen,
    HarnessFailed,
    LeftoversKept,
    LimitHit,
    ProcessStarted,
    Started,
    WorkLeft,
)
from acd.core.models import Feature

NOT_KEPT = "leftovers_not_kept"
"""Error code of a session whose uncommitted work could not be kept: its worktree is left as it is."""

UNMERGED = "merge is set to none"
"""Why a session's work is kept on its branch, for a person to merge."""

_AGAINST = ("rejected", "unjudged", "regressed", "restored")
"""Changes of features that whoever watches should hear of at once."""


@dataclass
class Journaled:
    """What a session's journal says so far.

    `features_left`: the list as its agent left it (the first look at it); `features_last`: as it counts by now.
    `judged`: what the harness found out about features itself, by key.
    """

    started: Started | None = None
    process: ProcessStarted | None = None
    ended: Ended | None = None
    features_before: list[Feature] | None = None
    features_left: FeaturesSeen | None = None
    features_last: list[Feature] | None = None
    features_after: FeaturesSeen | None = None
    changes: set[tuple[str, str]] = field(default_factory=set)
    judged: dict[str, FeatureChanged] = field(default_factory=dict)
    commits: set[str] = field(default_factory=set)
    failures: list[HarnessFailed] = field(default_factory=list)
    limit_hit: bool = False
    work_left: WorkLeft | None = None
    leftovers: LeftoversKept | None = None
    delivered: Delivered | None = None

    @classmethod
    def of(cls, facts: Sequence[Fact]) -> Journaled:
        """Gather the facts."""
        journaled = cls()
        for fact in facts:
            journaled.take(fact)
        return journaled

    @property
    def has_work_left(self) -> bool:
        """Whether the session's worktree alone has what was not committed."""
        return self.leftovers is None and any(f.error_code == NOT_KEPT for f in self.failures)

    def kept_on(self) -> str | None:
        """The branch whose work a person is to merge; not that of a failed session, which is kept apart."""
        delivered = self.delivered
        if delivered is None or delivered.outcome != "kept" or delivered.reason != UNMERGED:
            return None
        return (delivered.ref or "").removeprefix("refs/heads/")

    def against_the_agent(self) -> dict[str, list[str]]:
        """Keys of the features of which something did not hold, by what it was; nothing where all did."""
        found = {
            change: sorted(key for key, each in self.changes if each == change)
            for change in _AGAINST
        }
        return {change: keys for change, keys in found.items() if keys}

    def take(self, fact: Fact) -> None:
        """Take in one more fact."""
        match fact:
            case FeaturesSeen(when="before"):
                self.features_before = fact.features
            case FeaturesSeen(when="left"):
                self.features_left = fact
            case FeaturesSeen(when="after"):
                self.features_left = self.features_left or fact
                self.features_last = fact.features
                self.features_after = fact
            case FeatureChanged():
                self.changes.add((fact.key, fact.change))
                if fact.evidence is not None:
                    self.judged[fact.key] = fact
            case CommitSeen():
                self.commits.add(fact.commit.sha)
            case HarnessFailed():
                self.failures.append(fact)
            case LimitHit():
                self.limit_hit = True
            case _:
                self._take_single(fact)

    def _take_single(self, fact: Fact) -> None:
        """Facts of which a session has one."""
        match fact:
            case Started():
                self.started = fact
            case ProcessStarted():
                self.process = fact
            case WorkLeft():
                self.work_left = fact
            case LeftoversKept():
                self.leftovers = fact
            case Delivered():
                self.delivered = fact
            case Ended():
                self.ended = fact
