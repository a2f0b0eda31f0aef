"""Feature lists in their known forms, and what is said about one that is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.core.errors import FeatureListError
from acd.core.models import Feature
from acd.harness.feature_entries import features_of
from acd.harness.features import FeatureChange, counts, diff, status_of


def read(*entries: object) -> list[Feature]:
    return features_of(json.dumps(list(entries)).encode())


def read_one(**entry: object) -> Feature:
    (feature,) = read({"id": "a", "name": "A", **entry})
    return feature


def test_both_forms_say_the_same() -> None:
    entries = [{"id": 1, "name": "One", "passes": True}, {"key": "two", "title": "Two"}]
    as_list = features_of(json.dumps(entries).encode())
    as_object = features_of(b"\xef\xbb\xbf" + json.dumps({"features": entries, "v": 2}).encode())
    assert as_list == as_object
    assert [(f.key, f.name, f.passes) for f in as_list] == [
        ("1", "One", True),
        ("two", "Two", False),
    ]


def test_an_entry_in_full() -> None:
    feature = read_one(
        description="long", category="ui", priority=2, steps=["s1", {"do": "s2"}], verify="pytest"
    )
    assert (feature.description, feature.category, feature.priority) == ("long", "ui", 2)
    assert feature.steps == ["s1", '{"do":"s2"}']
    assert feature.verify == "pytest"


def test_an_entry_with_a_description_only_has_a_key_of_its_own() -> None:
    first, second = read({"description": "log in"}, {"description": "log out"})
    assert first.name == "log in"
    assert first.key != second.key
    assert read({"description": "log in", "passes": True})[0].key == first.key


@pytest.mark.parametrize(
    ("entry", "passes", "skipped"),
    [
        ({}, False, False),
        ({"passes": True}, True, False),
        ({"completed": True}, True, False),
        ({"status": "passing"}, True, False),
        ({"status": "Done"}, True, False),
        ({"status": "pending"}, False, False),
        ({"status": "in progress"}, False, False),
        ({"passes": False, "status": "done"}, False, False),
        ({"passes": None, "completed": True}, True, False),
        ({"status": "skipped"}, False, True),
        ({"skipped": True}, False, True),
    ],
)
def test_whether_a_feature_passes(entry: dict[str, Any], passes: bool, skipped: bool) -> None:
    feature = read_one(**entry)
    assert (feature.passes, feature.skipped) == (passes, skipped)


@pytest.mark.parametrize(
    ("value", "priority"),
    [
        (3, 3),
        (-2, -2),
        (2.0, 2),
        ("P1", 1),
        ("p0", 0),
        ("7", 7),
        ("high", 1),
        ("", None),
        (None, None),
    ],
)
def test_priorities(value: object, priority: int | None) -> None:
    assert read_one(priority=value).priority == priority


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"passes": "yes"}, 'entry 1 ("a") "passes" must be true or false, not "yes"'),
        ({"passes": 1}, '"passes" must be true or false, not 1'),
        ({"priority": "soon"}, '"priority" must be a whole number, "P1" or the like, not "soon"'),
        ({"priority": 1.5}, '"priority"'),
        ({"priority": 10**30}, '"priority" must be a smaller number'),
        ({"priority": True}, '"priority"'),
        ({"steps": 7}, '"steps" must be a list of texts, not 7'),
        ({"name": ["A"]}, '"name" must be a text, not a list'),
        ({"id": {"x": 1}}, 'entry 1 "id" must be a text or a number, not an object'),
        ({"id": True}, '"id" must be a text or a number, not true'),
        ({"name": " "}, 'entry 1 ("a") has neither'),
    ],
)
def test_a_wrong_entry_is_named(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(FeatureListError) as error:
        read_one(**entry)
    assert message in str(error.value)


def test_the_place_of_a_wrong_entry() -> None:
    with pytest.raises(FeatureListError, match="entry 2: expected an object, not null"):
        read({"name": "A"}, None)
    with pytest.raises(FeatureListError, match='entries 1 and 3 have the same key "x"'):
        read({"id": "x", "name": "A"}, {"id": "y", "name": "B"}, {"id": "x", "name": "C"})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'[{"id": "a", "name": "A"}, {"id"',
        b'"text"',
        b"7",
        b"{}",
        b'{"features": {}}',
        b"\xff\xfe",
        b"[" * 200_000,
        b'[{"name": "\\ud800"}]',
        b'[{"name": "a", "priority": 1e999}]',
        b'[{"name": "a", "priority": ' + b"9" * 5000 + b"}]",
        b'[{"name": "a", "x": ' + b"[" * 900 + b"]" * 900 + b"}, 1]",
    ],
)
def test_what_is_no_feature_list(data: bytes) -> None:
    with pytest.raises(FeatureListError):
        features_of(data)


def test_text_can_be_stored() -> None:
    assert read_one(name="a\0b").name == "a\ufffdb"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ENTRY = st.dictionaries(
    st.sampled_from(["id", "key", "name", "title", "passes", "status", "priority", "steps"]), JSON
)


@given(st.lists(ENTRY | JSON))
def test_any_json_gives_features_or_the_one_error(entries: list[object]) -> None:
    try:
        features = features_of(json.dumps(entries).encode())
    except FeatureListError:
        return
    assert len({feature.key for feature in features}) == len(entries)


@given(st.binary())
def test_any_bytes_give_features_or_the_one_error(data: bytes) -> None:
    try:
        features_of(data)
    except FeatureListError:
        return


def test_changes() -> None:
    before = read(
        {"id": "kept", "name": "Kept"},
        {"id": "claimed", "name": "Claimed"},
        {"id": "lost", "name": "Lost", "passes": True},
        {"id": "said", "name": "Said", "passes": True},
        {"id": "gone", "name": "Gone", "passes": True},
    )
    after = read(
        {"id": "new", "name": "New", "completed": True},
        {"id": "said", "name": "Said otherwise", "passes": True},
        {"id": "lost", "name": "Lost", "passes": False, "notes": "broke"},
        {"id": "claimed", "name": "Claimed", "passes": True, "notes": "done"},
        {"id": "kept", "name": "Kept", "notes": "not yet"},
    )
    assert diff(before, after) == [
        FeatureChange("new", "added", "passing", "New"),
        FeatureChange("new", "claimed", "passing"),
        FeatureChange("said", "reworded", "passing", "Said → Said otherwise"),
        FeatureChange("lost", "regressed", "regressed"),
        FeatureChange("claimed", "claimed", "passing"),
        FeatureChange("gone", "removed", "removed"),
    ]
    assert diff(before, before) == []
    assert counts(before) == (5, 3)
    assert counts(after) == (5, 3)
    assert [status_of(f) for f in before][:3] == ["pending", "pending", "passing"]


def test_passing_and_reworded_at_once_are_two_changes() -> None:
    before = [read_one(steps=["one"])]
    after = [read_one(steps=["two"], passes=True)]
    assert [change.change for change in diff(before, after)] == ["reworded", "claimed"]


def test_the_order_of_keys_is_no_rewording() -> None:
    one = features_of(b'[{"id": "a", "name": "A", "x": {"p": 1, "q": 2}}]')
    two = features_of(b'[{"x": {"q": 2, "p": 1}, "name": "A", "id": "a"}]')
    assert one == two
