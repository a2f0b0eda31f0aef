"""What a session did to its list: claims with the command that checks them, and what it may not do."""

from __future__ import annotations

import json
from typing import Any

from acd.core.models import Feature
from acd.harness.claims import Claim, weigh
from acd.harness.feature_entries import features_of


def features(*entries: dict[str, Any]) -> list[Feature]:
    return features_of(json.dumps(entries).encode())


def entry(key: str, passes: bool = False, **rest: object) -> dict[str, Any]:
    return {"id": key, "name": f"Feature {key}", "passes": passes, **rest}


BEFORE = features(entry("a", verify="check a"), entry("b"), entry("c", passes=True))


def test_a_claim_is_checked_by_the_command_that_stood_in_the_list_before() -> None:
    after = features(
        entry("a", True, verify="true"),
        entry("b", True),
        entry("c", True),
        entry("d", True, verify="true"),
    )
    weighed = weigh(BEFORE, after, "coding", "make test")
    assert weighed.claims == [
        Claim("a", "check a", own=True),
        Claim("b", "make test"),
        Claim("d", "make test"),
    ]
    assert [(c.key, c.change) for c in weighed.changes] == [
        ("a", "claimed"),
        ("b", "claimed"),
        ("d", "added"),
        ("d", "claimed"),
    ]
    assert [(c.key, c.detail) for c in weighed.tampering] == [("a", "reworded")]
    assert weigh(BEFORE, after, "coding", None).checked == [Claim("a", "check a", own=True)]


def test_what_a_coding_session_may_not_do() -> None:
    after = features(entry("a", verify="check a"), {"id": "b", "name": "Easier"}, entry("z"))
    weighed = weigh(BEFORE, after, "coding", None)
    assert [(c.key, c.change, c.status, c.detail) for c in weighed.tampering] == [
        ("b", "tampering", "pending", "reworded: Feature b → Easier"),
        ("c", "tampering", "passing", "removed from the list"),
    ]
    assert [(c.key, c.change) for c in weighed.changes] == [("z", "added")]
    status = features({"id": "s", "name": "S", "status": "todo"})
    aside = features({"id": "s", "name": "S", "status": "skipped"})
    assert [c.detail for c in weigh(status, aside, "coding", None).tampering] == [
        "set aside (skipped)"
    ]


def test_flags_and_notes_are_free() -> None:
    after = features(
        entry("c", notes="broken after all"), entry("b", notes="n"), entry("a", verify="check a")
    )
    weighed = weigh(BEFORE, after, "coding", None)
    assert weighed.tampering == []
    assert [(c.key, c.change, c.status) for c in weighed.changes] == [
        ("c", "regressed", "regressed")
    ]


def test_an_initializer_writes_the_list() -> None:
    after = features(entry("a", True, verify="true"))
    weighed = weigh([], after, "initializer", "make test")
    assert (weighed.tampering, weighed.claims) == ([], [Claim("a", "make test")])
    changed = weigh(BEFORE, after, "initializer", None)
    assert changed.tampering == []
    assert {c.change for c in changed.changes} == {"claimed", "reworded", "removed"}


def test_without_a_list_before_nothing_can_be_said() -> None:
    weighed = weigh(None, BEFORE, "coding", "make test")
    assert (weighed.claims, weighed.changes, weighed.tampering) == ([], [], [])
