"""What a session did to its feature list, judged as claims and tampering. Pure.

A change of `passes` from false to true is a claim. In a coding session nothing but flags and notes may change
(records.md: features are remembered by key and content hash); an initializer writes the list and may change everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from acd.core.models import Feature, SessionType
from acd.harness.features import FeatureChange, diff, status_of
from acd.harness.list_text import is_set_aside


class Claim(msgspec.Struct, frozen=True):
    """A feature that the session says works. `command` None: there is nothing that could check it.

    `own`: the command is the feature's own, which stood in the list before the session.
    """

    key: str
    command: str | None = None
    own: bool = False


class Weighed(msgspec.Struct, frozen=True):
    """What came of a session's list. `changes` has claims, regressions and additions, `tampering` what is put back."""

    claims: list[Claim]
    changes: list[FeatureChange]
    tampering: list[FeatureChange]

    @property
    def checked(self) -> list[Claim]:
        """Those claims that a command can check."""
        return [claim for claim in self.claims if claim.command is not None]


def weigh(
    before: Sequence[Feature] | None,
    after: Sequence[Feature],
    session_type: SessionType,
    verify_command: str | None,
) -> Weighed:
    """Judge a list by the one before it.

    Args:
        before: the list as it stood before the session; None: unknown, so that nothing can be said.
        after: as the session left it.
        session_type: decides what may change.
        verify_command: the target's own, for features without one.
    """
    if before is None:
        return Weighed([], [], [])
    old = {feature.key: feature for feature in before}
    changes = diff(before, after)
    claims = [
        _claim(old.get(change.key), change.key, verify_command)
        for change in changes
        if change.change == "claimed"
    ]
    if session_type != "coding":
        return Weighed(claims, changes, [])
    allowed = [change for change in changes if change.change not in {"removed", "reworded"}]
    return Weighed(claims, allowed, list(_tampering(old, after)))


def _claim(old: Feature | None, key: str, verify_command: str | None) -> Claim:
    """A session does not choose the command that judges it: an entry that it added has none of its own."""
    if old is not None and old.verify is not None:
        return Claim(key, old.verify, own=True)
    return Claim(key, verify_command)


def _tampering(old: dict[str, Feature], after: Iterable[Feature]) -> Iterator[FeatureChange]:
    left = dict(old)
    for new in after:
        was = left.pop(new.key, None)
        if was is None:
            continue
        if is_set_aside(was, new):
            yield FeatureChange(new.key, "tampering", status_of(was), "set aside (skipped)")
        elif was.content_sha256 != new.content_sha256:
            words = f": {was.name} → {new.name}" if was.name != new.name else ""
            yield FeatureChange(new.key, "tampering", status_of(was), f"reworded{words}")
    for was in left.values():
        yield FeatureChange(was.key, "tampering", status_of(was), "removed from the list")
