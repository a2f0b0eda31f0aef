"""The large charts of what was spent, made of rows of `acd.reports`; the pages and `acd report --html` draw the same ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from acd.core.figures import CacheSum, CommitCostSum, CostSum, FeatureCostSum, Report
from acd.core.spending import CostByHour, CostOverTime, Step
from acd.dashboard.figure import DOLLARS, HOVER, PLAIN, Figure, plain
from acd.dashboard.formats import money, spent
from acd.dashboard.stacking import OTHERS, stacks

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = 24
_NEUTRAL = "#8a94a6"


def cost_over_time(told: CostOverTime) -> Figure:
    """Stacked bars: what each model or target cost in each step of time; small ones together are others."""
    traces = [
        {
            "type": "bar",
            "name": plain(stack.name),
            "x": [part.first_day for part in stack.parts],
            "y": [part.cost for part in stack.parts],
            "customdata": [
                f"{_day(part.first_day, told.step)}<br>{plain(stack.name)}<br>{spent(part.cost, part.unpriced)}"
                for part in stack.parts
            ],
            "hovertemplate": HOVER,
            **({"marker": {"color": _NEUTRAL}} if stack.key is OTHERS else {}),
        }
        for stack in stacks(told)
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.25,
        "xaxis": {**PLAIN, "type": "date", "tickformat": "%-d %b", "nticks": 6, "tickangle": 0},
        "yaxis": DOLLARS,
        "showlegend": True,
    }
    return Figure(f"Cost by {told.step} and {told.split_by}", traces, layout, height=340)


def cache_hit_rate(told: Report[CacheSum], step: Step) -> Figure:
    """A line: which part of what was read came out of the cache, by step of time."""
    steps = [row for row in reversed(told.rows) if row.cache_hit_rate is not None]
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [row.key for row in steps],
        "y": [row.cache_hit_rate for row in steps],
        "customdata": [
            f"{_day(date.fromisoformat(row.key or ''), step)}<br>{row.cache_hit_rate:.1%} of input from the cache"
            for row in steps
        ],
        "hovertemplate": HOVER,
    }
    layout = {
        "xaxis": {**PLAIN, "type": "date", "tickformat": "%-d %b", "nticks": 6, "tickangle": 0},
        "yaxis": {**PLAIN, "tickformat": ".0%", "range": [0, 1.04]},
    }
    return Figure(f"Cache hit rate by {step}", [trace], layout, height=240)


def cost_of_results(features: Report[FeatureCostSum], commits: Report[CommitCostSum]) -> Figure:
    """Bars: what a feature and a commit cost, by model."""
    traces = [
        _result_bars("a feature", [(row.key, row.cost_per_feature) for row in features.rows]),
        _result_bars("a commit", [(row.key, row.cost_per_commit) for row in commits.rows]),
    ]
    layout = {
        "barmode": "group",
        "xaxis": DOLLARS,
        "yaxis": {
            **PLAIN,
            "type": "category",
            "automargin": True,
            "autorange": "reversed",
            "ticksuffix": "  ",
        },
        "showlegend": True,
    }
    height = 110 + 52 * max(1, len(features.rows))
    return Figure("Cost of a feature and of a commit by model", traces, layout, height=height)


def hours(told: CostByHour) -> Figure:
    """A heat map: what sessions cost by the hour of the week in which they began."""
    cells = {(row.weekday, row.hour): row for row in told.rows}
    places = [[cells.get((day, hour)) for hour in range(HOURS)] for day in range(1, 8)]
    trace = {
        "type": "heatmap",
        "x": list(range(HOURS)),
        "y": list(WEEKDAYS),
        "z": [[cell.cost_usd if cell else 0 for cell in row] for row in places],
        "customdata": [
            [
                f"{WEEKDAYS[day]} {hour:02d}:00<br>"
                + (
                    f"{spent(cell.cost_usd, cell.unpriced_requests)}, {cell.sessions} sessions"
                    if cell
                    else "no session"
                )
                for hour, cell in enumerate(row)
            ]
            for day, row in enumerate(places)
        ],
        "hovertemplate": HOVER,
        "autocolorscale": True,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
    }
    layout = {
        "xaxis": {**PLAIN, "dtick": 3, "showgrid": False, "zeroline": False},
        "yaxis": {**PLAIN, "autorange": "reversed", "showgrid": False},
    }
    return Figure("Cost by hour of the week in which sessions began", [trace], layout, height=240)


def targets(told: Report[CostSum]) -> Figure:
    """A treemap: what each target cost."""
    dear = [row for row in told.rows if row.cost_usd > 0]
    trace = {
        "type": "treemap",
        "ids": [row.key for row in dear],
        "labels": [plain(row.name or row.key or "") for row in dear],
        "parents": [""] * len(dear),
        "values": [row.cost_usd for row in dear],
        "customdata": [spent(row.cost_usd, row.unpriced_requests) for row in dear],
        "texttemplate": "%{label}<br>%{customdata}",
        "hovertemplate": "%{label}<br>%{customdata}<extra></extra>",
        "marker": {
            "colors": [row.cost_usd for row in dear],
            "cmin": 0,
            "autocolorscale": True,
            "showscale": False,
            "pad": dict.fromkeys("tlrb", 0),
        },
        "tiling": {"pad": 0},
        "pathbar": {"visible": False},
    }
    return Figure(
        "Cost by target, as areas", [trace], {"margin": dict.fromkeys("tlrb", 0)}, height=320
    )


def _result_bars(name: str, rows: Sequence[tuple[str | None, Any]]) -> Mapping[str, Any]:
    shown = [(key or "no model", value) for key, value in rows if value is not None]
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": [plain(key) for key, _ in shown],
        "x": [value for _, value in shown],
        "text": [money(value) for _, value in shown],
        "customdata": [f"{plain(key)}<br>{money(value)} {name}" for key, value in shown],
        "hovertemplate": HOVER,
    }


def _day(day: date, step: Step) -> str:
    return {"day": f"{day}", "week": f"week of {day}", "month": f"{day:%B %Y}"}[step]
