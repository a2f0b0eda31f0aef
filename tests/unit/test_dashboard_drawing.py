"""Geometry of the small drawings, words of states, addresses."""

from __future__ import annotations

import pytest

from acd.core.models import FeatureStatus
from acd.dashboard.addresses import query, target_page
from acd.dashboard.drawing import SPARK_HEIGHT, parts_of, spark, steps_of
from acd.dashboard.states import state


def test_a_sparkline_begins_at_zero_and_reaches_the_top() -> None:
    line = spark([0, 5, 10])
    assert line is not None
    assert line.line == f"M0.0 {SPARK_HEIGHT - 1}.0L50.0 12.0L100.0 1.0"
    assert line.area.endswith(f"V{SPARK_HEIGHT}H0Z")


def test_a_sparkline_shows_less_than_nothing_below() -> None:
    line = spark([2, -2])
    assert line is not None
    assert line.line == "M0.0 1.0L100.0 23.0"


@pytest.mark.parametrize("values", [[], [3]])
def test_one_value_makes_no_line(values: list[int]) -> None:
    assert spark(values) is None


def test_days_without_anything_make_a_flat_line() -> None:
    line = spark([0, 0])
    assert line is not None
    assert line.line == "M0.0 23.0L100.0 23.0"


def test_steps_go_across_before_they_go_up() -> None:
    assert steps_of([(0, 9), (4, 5), (8, 1)]) == "M0.0 9.0H4.0V5.0H8.0V1.0"


def test_parts_stand_side_by_side_and_never_beyond_the_end() -> None:
    parts = parts_of(4, ("verified", 1), ("unverified", 2), ("bad", 3))
    assert [(part.tone, part.x, part.width) for part in parts] == [
        ("verified", 0.0, 25.0),
        ("unverified", 25.0, 50.0),
        ("bad", 75.0, 25.0),
    ]
    assert parts_of(0, ("verified", 1)) == []


@pytest.mark.parametrize("word", FeatureStatus.__args__)  # type: ignore[attr-defined]
def test_every_status_has_a_word_a_tone_and_a_drawing(word: str) -> None:
    assert all(state(word))


def test_a_state_that_is_not_known_is_shown_quietly() -> None:
    assert state("some_new_one") == ("idle", "ring", "some new one")


def test_ids_of_people_cannot_leave_their_place_in_an_address() -> None:
    assert target_page("org/tool") == "/targets/org/tool"
    assert target_page('a?b#c"d%') == "/targets/a%3Fb%23c%22d%25"


def test_an_address_holds_what_is_set() -> None:
    assert query("/targets", {"q": "a b", "sort": None, "state": ""}) == "/targets?q=a+b"
    assert query("/targets", {"q": ""}) == "/targets"
