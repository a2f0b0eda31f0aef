"""Large charts as plain data: what they hold, how small parts become others, and that names never become markup."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from acd.core.comparison import ComparedModel, Comparison, Interval, Measure
from acd.core.figures import CacheSum, CostSum, Report
from acd.core.spending import CostByHour, CostOverTime, CostPart, HourCost, Step
from acd.dashboard import charts, model_charts
from acd.dashboard.figure_looks import looks
from acd.dashboard.stacking import MOST, OTHERS, stacks, table_of

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 2)
HOSTILE = "</script><img src=x onerror=alert(1)> <b>&amp;"


def over_time(*parts: tuple[date, str, str]) -> CostOverTime:
    rows = [
        CostPart(
            first_day=day,
            key=key,
            name=None,
            cost_usd=Decimal(usd),
            requests=1,
            unpriced_requests=0,
        )
        for day, key, usd in parts
    ]
    return CostOverTime(from_=FIRST, to=LAST, step="day", split_by="model", rows=rows)


def test_stacks_are_in_the_order_of_what_they_cost_and_their_days_in_that_of_time() -> None:
    told = over_time((LAST, "opus", "1"), (LAST, "haiku", "0.5"), (FIRST, "haiku", "4"))
    haiku, opus = stacks(told)
    assert (haiku.key, haiku.total, [part.first_day for part in haiku.parts]) == (
        "haiku",
        Decimal("4.5"),
        [FIRST, LAST],
    )
    assert opus.total == 1
    newest, oldest = table_of([haiku, opus])
    assert (newest.first_day, newest.total) == (LAST, Decimal("1.5"))
    assert [cell and cell.cost for cell in newest.cells] == [Decimal("0.5"), Decimal(1)]
    assert oldest.total == 4
    assert [cell and cell.cost for cell in oldest.cells] == [Decimal(4), None]


@pytest.mark.parametrize(("keys", "shown"), [(MOST + 1, MOST + 1), (MOST + 5, MOST + 1)])
def test_small_ones_are_others_together(keys: int, shown: int) -> None:
    told = over_time(*((LAST, f"m{n:02}", str(100 - n)) for n in range(keys)))
    found = stacks(told)
    assert len(found) == shown
    assert sum(stack.total for stack in found) == sum(part.cost_usd for part in told.rows)
    rest = [stack.name for stack in found if stack.key is OTHERS]
    assert rest == ([] if keys == MOST + 1 else ["5 others"])


def test_names_are_drawn_as_they_are_and_end_no_element() -> None:
    figures = [
        charts.cost_over_time(over_time((LAST, HOSTILE, "1"))),
        charts.targets(
            Report(
                from_=FIRST,
                to=LAST,
                group_by="target",
                total=cost_of(None),
                rows=[cost_of(HOSTILE)],
            )
        ),
        model_charts.success_rate(comparison(HOSTILE)),
    ]
    for figure in figures:
        text = str(figure.json())
        assert "<" not in text
        # Plotly draws entities as characters and a few tags as markup: there must be no tag after JSON is read.
        shown = [one for one in strings(json.loads(text)["data"]) if "onerror" in one]
        drawn = [one for one in shown if "&lt;b&gt;&amp;amp;" in one]
        assert drawn
        assert all("<img" not in one and "<b>" not in one for one in drawn)


@pytest.mark.parametrize(
    ("step", "said"),
    [("day", "2026-03-02"), ("week", "week of 2026-03-02"), ("month", "March 2026")],
)
def test_the_cache_is_told_by_the_step_of_its_rows(step: Step, said: str) -> None:
    row = CacheSum(
        key=LAST.isoformat(),
        name=None,
        cache_hit_rate=0.5,
        input_tokens=1,
        cache_read_tokens=1,
        cache_write_tokens=0,
        sessions=1,
        cost_usd=Decimal(1),
        wasted_sessions=0,
        wasted_cost_usd=Decimal(0),
    )
    told = Report(from_=FIRST, to=LAST, group_by=step, total=row, rows=[row])
    figure = charts.cache_hit_rate(told, step)
    assert figure.label == f"Cache hit rate by {step}"
    (trace,) = json.loads(str(figure.json()))["data"]
    assert trace["customdata"] == [f"{said}<br>50.0% of input from the cache"]


def test_a_figure_is_numbers_and_heights() -> None:
    figure = charts.hours(
        CostByHour(
            from_=FIRST,
            to=LAST,
            rows=[
                HourCost(
                    weekday=7, hour=3, sessions=2, cost_usd=Decimal("0.25"), unpriced_requests=0
                )
            ],
        )
    )
    (trace,) = json.loads(str(figure.json()))["data"]
    assert trace["z"][6][3] == 0.25
    assert sum(map(sum, trace["z"])) == 0.25
    assert trace["customdata"][6][3] == "Sun 03:00<br>$0.2500, 2 sessions"
    assert trace["customdata"][0][0] == "Mon 00:00<br>no session"


def test_dots_reach_from_end_to_end_of_their_intervals() -> None:
    (trace,) = json.loads(str(model_charts.success_rate(comparison("opus")).json()))["data"]
    assert trace["y"] == ["opus (n = 42)"]
    assert trace["x"][0] + trace["error_x"]["array"][0] == pytest.approx(0.97)
    assert trace["x"][0] - trace["error_x"]["arrayminus"][0] == pytest.approx(0.8)
    (nothing,) = json.loads(str(model_charts.cost_per_feature(comparison("opus")).json()))["data"]
    assert nothing["x"] == []
    (minutes,) = json.loads(str(model_charts.duration(comparison("opus")).json()))["data"]
    assert minutes["x"] == [2.0]
    assert "too few for an interval" in minutes["customdata"][0]


def test_both_themes_colour_the_same_things() -> None:
    light, dark = looks()["light"], looks()["dark"]
    assert light["layout"].keys() == dark["layout"].keys()
    assert len(light["layout"]["colorway"]) == len(set(dark["layout"]["colorway"])) == 8


def comparison(model: str) -> Comparison:
    none = Measure(None, 42, None)
    return Comparison(
        from_=FIRST,
        to=LAST,
        same_targets=True,
        targets=[],
        models=[
            ComparedModel(
                model=model,
                sessions=42,
                targets=1,
                features_completed=0,
                cost_usd=Decimal(1),
                unpriced_requests=0,
                success_rate=Measure(0.9, 42, Interval(0.8, 0.97)),
                features_per_session=Measure(0.0, 42, Interval(-0.1, 0.1)),
                cost_per_feature=none,
                duration_ms=Measure(120_000.0, 42, None),
            )
        ],
    )


def cost_of(name: str | None) -> CostSum:
    return CostSum(key=name, name=name, cost_usd=Decimal(1), requests=1, unpriced_requests=0)


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [one for each in value for one in strings(each)]
    if isinstance(value, dict):
        return [one for each in value.values() for one in strings(each)]
    return []
