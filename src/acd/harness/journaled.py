"""What stands in a session's journal, gathered for whoever closes the session or goes on with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from acd.core.facts import (
    CommitSeen,
    Ended,
    Fact,
    FeatureChanged,
    FeaturesSeen,
    HarnessFailed,
    LimitHit,
    ProcessStarted,
    Started,
)
from acd.core.models import Feature


@dataclass
class Journaled:
    """What a session's journal says so far. `features_left`: the list as its agent left it (the first look at it)."""

    started: Started | None = None
    process: ProcessStarted | None = None
    ended: Ended | None = None
    features_before: list[Feature] | None = None
    features_left: FeaturesSeen | None = None
    changes: set[tuple[str, str]] = field(default_factory=set)
    commits: set[str] = field(default_factory=set)
    failures: list[HarnessFailed] = field(default_factory=list)
    limit_hit: bool = False

    @classmethod
    def of(cls, facts: Sequence[Fact]) -> Journaled:
        """Gather the facts."""
        journaled = cls()
        for fact in facts:
            journaled._take(fact)
        return journaled

    def _take(self, fact: Fact) -> None:
        match fact:
            case Started():
                self.started = fact
            case ProcessStarted():
                self.process = fact
            case Ended():
                self.ended = fact
            case FeaturesSeen(when="before"):
                self.features_before = fact.features
            case FeaturesSeen(when="after"):
                self.features_left = self.features_left or fact
            case FeatureChanged():
                self.changes.add((fact.key, fact.change))
            case CommitSeen():
                self.commits.add(fact.commit.sha)
            case HarnessFailed():
                self.failures.append(fact)
            case LimitHit():
                self.limit_hit = True
