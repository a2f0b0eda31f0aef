"""That costs are at list price, in words: the same ones everywhere."""

from __future__ import annotations

from decimal import Decimal

import pytest

from acd.cli.figures import listed
from acd.core.billing import MARKS, AtListPrice, at_list_price, part_of


@pytest.mark.parametrize(
    ("cost", "of_it", "part"),
    [("0", "0", "none"), ("3", "0", "none"), ("3.00", "3", "all"), ("3", "1", "part")],
)
def test_the_part_that_is_at_list_price(cost: str, of_it: str, part: AtListPrice) -> None:
    assert part_of(Decimal(cost), Decimal(of_it)) == part


def test_what_is_billed_as_it_stands_needs_no_words() -> None:
    assert (at_list_price("none"), MARKS["none"]) == ("", "")


def test_the_words_say_how_much_where_it_is_known() -> None:
    assert at_list_price("all", "$3.00").startswith("All of it is at list price: of sessions under")
    assert at_list_price("part").startswith("Some of it is at list price")
    assert listed(Decimal(3), Decimal("1.5")).startswith("$1.50 of it is at list price")
