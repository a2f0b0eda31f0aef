"""What a check says of a feature, as the fact that tells it. Pure."""

from __future__ import annotations

from acd.core.facts import FeatureChanged
from acd.core.models import Evidence, FeatureStatus
from acd.files.journal import Stamp
from acd.harness.verify import Check, Result

_OF_CLAIM: dict[Result, tuple[str, FeatureStatus]] = {
    "passed": ("passing", "passing"),
    "failed": ("rejected", "rejected"),
    "not_judged": ("unjudged", "claimed"),
    "cannot_run": ("unjudged", "claimed"),
}
_OF_SECOND_LOOK: dict[Result, tuple[str, FeatureStatus]] = {
    "passed": ("confirmed", "passing"),
    "failed": ("regressed", "regressed"),
}


def on_claim(now: Stamp, key: str, check: Check) -> FeatureChanged:
    """What became of a claim."""
    return _told(now, key, check, *_OF_CLAIM[check.result])


def on_second_look(now: Stamp, key: str, check: Check) -> FeatureChanged | None:
    """Whether a feature that had passed still does; None where the check could not tell."""
    found = _OF_SECOND_LOOK.get(check.result)
    return None if found is None else _told(now, key, check, *found)


def _told(now: Stamp, key: str, check: Check, change: str, status: FeatureStatus) -> FeatureChanged:
    return FeatureChanged(
        **now,
        key=key,
        change=change,
        status=status,
        commit=check.evidence.commit,
        detail=words_on(check.evidence),
        evidence=check.evidence,
    )


def words_on(evidence: Evidence) -> str:
    """What a check showed, in one line."""
    command = f"`{evidence.command}`"
    if evidence.exit_status == 0:
        return f"{command} succeeded"
    if evidence.exit_status is None:
        return f"{command}: {evidence.reason}"
    if evidence.exit_status < 0:
        return f"{command} was ended by signal {-evidence.exit_status}"
    return f"{command} exited with status {evidence.exit_status}"
