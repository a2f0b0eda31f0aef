"""A feature list is corrected in its own form: nothing changes but what was wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.core.errors import FeatureListError
from acd.harness.feature_entries import features_of
from acd.harness.list_text import corrected

BEFORE = b"""{
    "project": "shop",
    "features": [
        {"id": "F1", "name": "One", "passes": true, "x": [1,  2]},
        {"id": "F2", "name": "Two", "passes": false},
        {"id": "F3", "name": "Three", "completed": false}
    ],
    "v": 2
}
"""


def guard(
    current: bytes, before: bytes = BEFORE, *, withdrawn: frozenset[str] = frozenset()
) -> bytes:
    return corrected(current, before, withdrawn=withdrawn, guarded=True)


def test_a_correct_list_stays_byte_for_byte() -> None:
    assert guard(BEFORE) is BEFORE
    claimed = BEFORE.replace(b'"Two", "passes": false', b'"Two", "passes": true')
    assert guard(claimed) is claimed


def test_a_withdrawn_claim_is_one_word() -> None:
    claimed = BEFORE.replace(b'"passes": false', b'"passes": true').replace(
        b'"completed": false', b'"completed": true'
    )
    assert guard(claimed, withdrawn=frozenset({"F2", "F3"})) == BEFORE
    assert guard(claimed, withdrawn=frozenset({"F2"})) == claimed.replace(
        b'"Two", "passes": true', b'"Two", "passes": false'
    )


def test_a_status_goes_back_to_its_own_word() -> None:
    before = (
        b'[{"id": "a", "name": "A", "status": "todo"}, {"id": "b", "name": "B", "status": "done"}]'
    )
    claimed = before.replace(b"todo", b"done")
    assert guard(claimed, before, withdrawn=frozenset({"a"})) == before
    regressed = guard(before, before, withdrawn=frozenset({"b"}))
    assert regressed == before.replace(b"done", b"pending")
    assert guard(regressed, before, withdrawn=frozenset({"b"})) == regressed


@pytest.mark.parametrize("key", ["F1", "F2", "F3"])
def test_what_was_deleted_is_back_in_its_place(key: str) -> None:
    document = json.loads(BEFORE)
    document["features"] = [each for each in document["features"] if each["id"] != key]
    shorter = json.dumps(document, indent=4).encode()
    back = json.loads(guard(shorter))
    assert back == json.loads(BEFORE)


def test_deleted_lines_come_back_as_they_were() -> None:
    lines = BEFORE.splitlines(keepends=True)
    assert guard(b"".join(lines[:3] + lines[4:])) == BEFORE
    assert guard(b"".join(lines[:4] + lines[5:])) == BEFORE
    assert (
        guard(BEFORE.replace(b',\n        {"id": "F3", "name": "Three", "completed": false}', b""))
        == BEFORE
    )
    assert guard(b"[]") == BEFORE


def test_new_wording_goes_and_state_and_notes_stay() -> None:
    easier = BEFORE.replace(
        b'{"id": "F2", "name": "Two", "passes": false}',
        b'{"id": "F2", "name": "Two, but easy", "passes": true, "notes": "half"}',
    )
    assert guard(easier) == BEFORE.replace(
        b'{"id": "F2", "name": "Two", "passes": false}',
        b'{"id": "F2", "name": "Two", "passes": true, "notes": "half"}',
    )
    assert guard(easier, withdrawn=frozenset({"F2"})) == BEFORE.replace(
        b'{"id": "F2", "name": "Two", "passes": false}',
        b'{"id": "F2", "name": "Two", "passes": false, "notes": "half"}',
    )


def test_a_feature_cannot_be_set_aside() -> None:
    before = b'[{"id": "a", "name": "A", "status": "todo"}]'
    assert guard(before.replace(b"todo", b"skipped"), before) == before
    assert guard(before.replace(b"todo", b"wontfix"), before) == before
    assert guard(before.replace(b'"todo"', b'"todo", "skipped": true'), before) == before


def test_a_list_that_cannot_be_read_comes_back_whole() -> None:
    for broken in (b"", BEFORE[:40], b"[1]", b'{"features": 3}'):
        assert guard(broken) == BEFORE
    with pytest.raises(FeatureListError):
        corrected(b"", None, withdrawn=(), guarded=True)
    with pytest.raises(FeatureListError):
        corrected(b"", BEFORE, withdrawn=(), guarded=False)


def test_an_initializer_may_change_everything() -> None:
    new = b'[{"id": "z", "name": "Z", "passes": true}]'
    assert corrected(new, BEFORE, withdrawn=(), guarded=False) is new
    assert corrected(new, BEFORE, withdrawn={"z"}, guarded=False) == new.replace(b"true", b"false")


_FLAG = st.sampled_from(["passes", "completed"])
_ENTRY = st.builds(
    lambda name, flag, value, extra: {"name": name, flag: value, **extra},
    st.text('abcäé"\\{[,]}: ', min_size=1).filter(str.strip),
    _FLAG,
    st.booleans(),
    st.dictionaries(st.sampled_from(["notes", "steps", "z"]), st.just("ü")),
)


@given(st.lists(_ENTRY, min_size=1, max_size=6), st.data(), st.sampled_from([None, 1, 4, "\t"]))
def test_whatever_was_done_the_list_is_the_old_one_with_its_flags(
    entries: list[dict[str, Any]], data: st.DataObject, indent: int | str | None
) -> None:
    old = [{"id": f"k{n}", **entry} for n, entry in enumerate(entries)]
    new = []
    for entry in old:
        fate = data.draw(st.sampled_from(["kept", "gone", "claimed", "reworded"]))
        if fate == "gone":
            continue
        flag = "passes" if "passes" in entry else "completed"
        changed = {**entry, flag: True} if fate == "claimed" else dict(entry)
        new.append({**changed, "name": "easy"} if fate == "reworded" else changed)
    new = data.draw(st.permutations(new))
    before = json.dumps(old, indent=indent).encode()
    now = json.dumps({"features": new}, indent=indent, ensure_ascii=False).encode()
    withdrawn = frozenset(data.draw(st.sets(st.sampled_from([e["id"] for e in old]))))
    fixed = guard(now, before, withdrawn=withdrawn)
    assert guard(fixed, before, withdrawn=withdrawn) == fixed
    hashes = {f.key: f.content_sha256 for f in features_of(before)}
    claimed = {f.key: f.passes for f in features_of(now)}
    was = {f.key: f.passes for f in features_of(before)}
    for feature in features_of(fixed):
        assert feature.content_sha256 == hashes.pop(feature.key)
        expected = claimed.get(feature.key, was[feature.key]) and feature.key not in withdrawn
        assert feature.passes == expected
    assert hashes == {}
