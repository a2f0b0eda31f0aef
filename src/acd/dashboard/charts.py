"""The large charts: plotly figures, made of rows of `acd.reports`; the pages and `acd report --html` draw the same ones.

A figure is what plotly's script takes, as plain data (https://plotly.com/javascript/reference): plotly's Python package would only check it, and
is too large to be installed for that. Colours come from one of two templates, chosen where it is drawn; names of
targets and models are text and never markup, which plotly would draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

import msgspec
from markupsafe import Markup

from acd.core.comparison import ComparedModel, Comparison, Measure
from acd.core.figures import CacheSum, CommitCostSum, CostSum, FeatureCostSum, Report
from acd.core.spending import CostByHour, CostOverTime
from acd.core.text import visible
from acd.dashboard.formats import money
from acd.dashboard.stacking import OTHERS, stacks

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = 24
_NEUTRAL = "#8a94a6"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_PLAIN: Mapping[str, Any] = {"fixedrange": True, "title": None}
_DOLLARS: Mapping[str, Any] = {
    **_PLAIN,
    "tickprefix": "$",
    "exponentformat": "none",
    "rangemode": "tozero",
}
_HOVER = "%{customdata}<extra></extra>"


@dataclass(frozen=True)
class Figure:
    """Traces and layout as plotly's script takes them; `label` says in words what is seen; `height` in pixels."""

    label: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    height: int = 300

    def json(self) -> Markup:
        """As JSON that is safe inside a `script` element: nothing in it can end that."""
        told = {"data": self.data, "layout": {**self.layout, "height": self.height}}
        return safe_json(told)


def safe_json(value: object) -> Markup:
    """JSON without a `<`: no markup can begin or end in it, and it means the same."""
    text = _ENCODER.encode(value).decode()
    return Markup(  # noqa: S704 - nothing in it can end the element that it stands in
        text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    )


def cost_over_time(told: CostOverTime) -> Figure:
    """Stacked bars: what each model or target cost in each step of time; small ones together are others."""
    traces = [
        {
            "type": "bar",
            "name": _plain(stack.name),
            "x": [part.first_day for part in stack.parts],
            "y": [part.cost for part in stack.parts],
            "customdata": [
                f"{_day(part.first_day, told.step)}<br>{_plain(stack.name)}<br>{money(part.cost)}"
                for part in stack.parts
            ],
            "hovertemplate": _HOVER,
            **({"marker": {"color": _NEUTRAL}} if stack.key is OTHERS else {}),
        }
        for stack in stacks(told)
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.25,
        "xaxis": {**_PLAIN, "type": "date", "tickformat": "%-d %b", "nticks": 8},
        "yaxis": _DOLLARS,
        "showlegend": True,
    }
    return Figure(f"Cost by {told.step} and {told.split_by}", traces, layout, height=340)


def cache_hit_rate(told: Report[CacheSum]) -> Figure:
    """A line: which part of what was read came out of the cache, by day."""
    days = [row for row in reversed(told.rows) if row.cache_hit_rate is not None]
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [row.key for row in days],
        "y": [row.cache_hit_rate for row in days],
        "customdata": [
            f"{row.key}<br>{row.cache_hit_rate:.1%} of input from the cache" for row in days
        ],
        "hovertemplate": _HOVER,
    }
    layout = {
        "xaxis": {**_PLAIN, "type": "date", "tickformat": "%-d %b", "nticks": 6},
        "yaxis": {**_PLAIN, "tickformat": ".0%", "range": [0, 1.04]},
    }
    return Figure("Cache hit rate by day", [trace], layout, height=240)


def cost_of_results(features: Report[FeatureCostSum], commits: Report[CommitCostSum]) -> Figure:
    """Bars: what a feature and a commit cost, by model."""
    traces = [
        _result_bars("a feature", [(row.key, row.cost_per_feature) for row in features.rows]),
        _result_bars("a commit", [(row.key, row.cost_per_commit) for row in commits.rows]),
    ]
    layout = {
        "barmode": "group",
        "xaxis": _DOLLARS,
        "yaxis": {
            **_PLAIN,
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
                + (f"{money(cell.cost_usd)}, {cell.sessions} sessions" if cell else "no session")
                for hour, cell in enumerate(row)
            ]
            for day, row in enumerate(places)
        ],
        "hovertemplate": _HOVER,
        "autocolorscale": True,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
    }
    layout = {
        "xaxis": {**_PLAIN, "dtick": 3, "showgrid": False, "zeroline": False},
        "yaxis": {**_PLAIN, "autorange": "reversed", "showgrid": False},
    }
    return Figure("Cost by hour of the week in which sessions began", [trace], layout, height=240)


def targets(told: Report[CostSum]) -> Figure:
    """A treemap: what each target cost."""
    spent = [row for row in told.rows if row.cost_usd > 0]
    trace = {
        "type": "treemap",
        "ids": [row.key for row in spent],
        "labels": [_plain(row.name or row.key or "") for row in spent],
        "parents": [""] * len(spent),
        "values": [row.cost_usd for row in spent],
        "customdata": [money(row.cost_usd) for row in spent],
        "texttemplate": "%{label}<br>%{customdata}",
        "hovertemplate": "%{label}<br>%{customdata}<extra></extra>",
        "marker": {
            "colors": [row.cost_usd for row in spent],
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


def success_rate(told: Comparison) -> Figure:
    """Dots with intervals: which part of a model's sessions completed."""
    axis = {**_PLAIN, "tickformat": ".0%", "range": [0, 1.04]}
    return _dots("Success rate by model", told, lambda one: one.success_rate, axis, "{:.1%}".format)


def features_per_session(told: Comparison) -> Figure:
    """Dots with intervals: features that a session completed."""
    axis = {**_PLAIN, "rangemode": "tozero"}
    return _dots(
        "Features per session by model",
        told,
        lambda one: one.features_per_session,
        axis,
        "{:.2f}".format,
    )


def cost_per_feature(told: Comparison) -> Figure:
    """Dots with intervals: what a feature cost."""
    return _dots(
        "Cost per feature by model",
        told,
        lambda one: one.cost_per_feature,
        _DOLLARS,
        "${:,.2f}".format,
    )


def duration(told: Comparison) -> Figure:
    """Dots with intervals: the median length of a session, in minutes."""
    axis = {**_PLAIN, "ticksuffix": " min", "rangemode": "tozero"}
    return _dots(
        "Duration of a session by model",
        told,
        lambda one: in_minutes(one.duration_ms),
        axis,
        "{:.1f} min".format,
    )


def in_minutes(of: Measure) -> Measure:
    """A measure of milliseconds."""
    minute = 60_000
    interval = of.interval
    if interval is not None:
        interval = type(interval)(interval.low / minute, interval.high / minute)
    return Measure(None if of.value is None else of.value / minute, of.sessions, interval)


def templates() -> Mapping[str, Mapping[str, Any]]:
    """Colours of all figures, by theme: those of the style sheet, and eight for series that colour-blind people tell apart."""
    return {
        "light": _template(
            ink="#171b22",
            quiet="#5b6472",
            line="#e3e6eb",
            card="#ffffff",
            low="#eceff3",
            high="#3b5bdb",
            series=(
                "#3b5bdb",
                "#d9730d",
                "#17754a",
                "#b5488f",
                "#0b8aa2",
                "#b42318",
                "#8a6d00",
                "#6b4fd8",
            ),
        ),
        "dark": _template(
            ink="#e8ebf0",
            quiet="#9aa4b2",
            line="#2a303a",
            card="#161a21",
            low="#252b35",
            high="#4263eb",
            series=(
                "#91a7ff",
                "#ffa94d",
                "#63d29b",
                "#f08cc8",
                "#66d9e8",
                "#ff9088",
                "#f0d057",
                "#b9a3ff",
            ),
        ),
    }


def _template(
    *, ink: str, quiet: str, line: str, card: str, low: str, high: str, series: Sequence[str]
) -> Mapping[str, Any]:
    axis = {
        "gridcolor": line,
        "zerolinecolor": line,
        "linecolor": line,
        "tickfont": {"color": quiet},
    }
    return {
        "data": {"treemap": [{"marker": {"line": {"color": card, "width": 2}}}]},
        "layout": {
            "font": {
                "family": "system-ui, -apple-system, Segoe UI, Roboto, sans-serif",
                "size": 12,
                "color": ink,
            },
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": list(series),
            "treemapcolorway": list(series),
            "colorscale": {"sequential": [[0, low], [1, high]]},
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"t": 8, "l": 48, "r": 12, "b": 32},
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "yanchor": "bottom",
                "font": {"color": quiet},
            },
            "hoverlabel": {
                "bgcolor": card,
                "bordercolor": line,
                "font": {"color": ink},
                "align": "left",
            },
        },
    }


def _result_bars(name: str, rows: Sequence[tuple[str | None, Any]]) -> Mapping[str, Any]:
    shown = [(key or "no model", value) for key, value in rows if value is not None]
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": [_plain(key) for key, _ in shown],
        "x": [value for _, value in shown],
        "text": [money(value) for _, value in shown],
        "customdata": [f"{_plain(key)}<br>{money(value)} {name}" for key, value in shown],
        "hovertemplate": _HOVER,
    }


def _dots(
    label: str,
    told: Comparison,
    of: Callable[[ComparedModel], Measure],
    axis: Mapping[str, Any],
    written: Callable[[float], str],
) -> Figure:
    shown = [(one.model, measure, measure.value) for one in told.models for measure in (of(one),)]
    known = [(model, measure, value) for model, measure, value in shown if value is not None]
    ends = [
        (measure.interval.low, measure.interval.high) if measure.interval else (value, value)
        for _, measure, value in known
    ]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "marker": {"size": 10},
        "y": [f"{_plain(model)} (n = {measure.sessions})" for model, measure, _ in known],
        "x": [value for _, _, value in known],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [high - value for (_, high), (_, _, value) in zip(ends, known, strict=True)],
            "arrayminus": [
                value - low for (low, _), (_, _, value) in zip(ends, known, strict=True)
            ],
            "thickness": 2,
            "width": 5,
        },
        "customdata": [
            f"{_plain(model)}: {written(value)}<br>"
            + (
                f"95 %: {written(low)} to {written(high)}<br>"
                if measure.interval
                else "too few for an interval<br>"
            )
            + f"{measure.sessions} sessions"
            for (model, measure, value), (low, high) in zip(known, ends, strict=True)
        ],
        "hovertemplate": _HOVER,
    }
    layout = {
        "xaxis": dict(axis),
        "yaxis": {
            **_PLAIN,
            "type": "category",
            "automargin": True,
            "autorange": "reversed",
            "ticksuffix": "  ",
        },
    }
    return Figure(label, [trace], layout, height=70 + 44 * max(1, len(known)))


def _day(day: date, step: str) -> str:
    return {"day": f"{day}", "week": f"week of {day}", "month": f"{day:%B %Y}"}[step]


def _plain(text: str) -> str:
    """Text that plotly draws as it is: it takes a few tags and entities for markup. What hides is made visible."""
    return escape(visible(text), quote=False)
