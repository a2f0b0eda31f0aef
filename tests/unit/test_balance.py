"""Reports against requests: every case of the rule "the ledger balances"."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

from acd.core.models import ModelReport, Usage
from acd.ledger.balance import Report, Rest, Spent, reported_by_model, rests

OPUS = "claude-opus-5-5"


def report(total: int, own: int | None = None, cost: str | None = None) -> Report:
    of = ModelReport(Usage(input_tokens=total), Decimal(cost) if cost else None)
    part = None if own is None else {OPUS: ModelReport(Usage(input_tokens=own))}
    return Report({OPUS: of}, part)


def reported(*reports: Report) -> int:
    return reported_by_model(reports)[OPUS].usage.input_tokens


def test_a_report_that_repeats_another_adds_nothing() -> None:
    assert reported(report(34, 17), report(34, 17), report(34)) == 34


def test_of_a_resumed_session_seen_only_at_its_end_only_the_own_part_counts() -> None:
    assert reported(report(34, 17)) == 17


def test_the_parts_of_a_resumed_session_add_up_in_any_order() -> None:
    parts = [report(17, 17), report(34, 17), report(50, 16), report(40)]
    assert {reported(*order) for order in permutations(parts)} == {50}


def test_running_totals_without_own_parts_count_once() -> None:
    assert reported(report(10), report(25)) == 25


def test_agreement_leaves_no_rest() -> None:
    spent = {OPUS: Spent(Usage(input_tokens=34), Decimal("0.1"), 0)}
    assert rests(reported_by_model([report(34, cost="0.1")]), spent) == []


def test_an_interrupted_request_is_the_rest() -> None:
    spent = {OPUS: Spent(Usage(input_tokens=30), Decimal("0.1"), 0)}
    assert rests(reported_by_model([report(34, cost="0.15")]), spent) == [
        Rest(OPUS, Usage(input_tokens=4), Decimal("0.05"))
    ]


def test_where_the_agent_reports_less_the_requests_stand() -> None:
    spent = {OPUS: Spent(Usage(input_tokens=40), Decimal("0.2"), 0)}
    assert rests(reported_by_model([report(34, cost="0.1")]), spent) == []


def test_a_difference_in_price_alone_is_a_gap_and_no_row() -> None:
    spent = {OPUS: Spent(Usage(input_tokens=34), Decimal("0.1"), 0)}
    assert rests(reported_by_model([report(34, cost="0.11")]), spent) == []


def test_the_agents_cost_stands_in_for_a_model_that_we_cannot_price() -> None:
    spent = {"mystery": Spent(Usage(input_tokens=34), Decimal(0), 1)}
    said = {"mystery": ModelReport(Usage(input_tokens=34), Decimal("0.7"))}
    assert rests(said, spent) == [Rest("mystery", Usage(), Decimal("0.7"))]


def test_names_of_one_model_with_date_or_context_mark_are_one_model() -> None:
    spent = {"claude-sonnet-4-5-20250929": Spent(Usage(input_tokens=34), Decimal("0.1"), 0)}
    said = {"claude-sonnet-4-5[1m]": ModelReport(Usage(input_tokens=34), Decimal("0.1"))}
    assert rests(said, spent) == []


def test_what_no_request_line_told_is_the_rest_whole() -> None:
    said = {OPUS: ModelReport(Usage(output_tokens=5), Decimal("0.0001"))}
    assert rests(said, {}) == [Rest(OPUS, Usage(output_tokens=5), Decimal("0.0001"))]
