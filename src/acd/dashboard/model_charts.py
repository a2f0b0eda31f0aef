"""The charts of a comparison of models: each figure a dot, with its interval and how many sessions stand behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from acd.core.comparison import ComparedModel, Comparison, Measure
from acd.dashboard.figure import DOLLARS, HOVER, PLAIN, Figure, plain


def success_rate(told: Comparison) -> Figure:
    """Dots with intervals: which part of a model's sessions completed."""
    axis = {**PLAIN, "tickformat": ".0%", "range": [0, 1.04]}
    return _dots("Success rate by model", told, lambda one: one.success_rate, axis, "{:.1%}".format)


def features_per_session(told: Comparison) -> Figure:
    """Dots with intervals: features that a session completed."""
    axis = {**PLAIN, "rangemode": "tozero"}
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
        DOLLARS,
        "${:,.2f}".format,
    )


def duration(told: Comparison) -> Figure:
    """Dots with intervals: the median length of a session, in minutes."""
    axis = {**PLAIN, "ticksuffix": " min", "rangemode": "tozero"}
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


class _Dot(NamedTuple):
    """A model's measure that has a value."""

    model: str
    measure: Measure
    value: float

    @property
    def low(self) -> float:
        return self.measure.interval.low if self.measure.interval else self.value

    @property
    def high(self) -> float:
        return self.measure.interval.high if self.measure.interval else self.value

    def told(self, written: Callable[[float], str]) -> str:
        interval = (
            f"95 %: {written(self.low)} to {written(self.high)}"
            if self.measure.interval
            else "too few for an interval"
        )
        head = f"{plain(self.model)}: {written(self.value)}"
        return f"{head}<br>{interval}<br>{self.measure.sessions} sessions"


def _dots(
    label: str,
    told: Comparison,
    of: Callable[[ComparedModel], Measure],
    axis: Mapping[str, Any],
    written: Callable[[float], str],
) -> Figure:
    measured = [(one.model, of(one)) for one in told.models]
    dots = [
        _Dot(model, measure, measure.value)
        for model, measure in measured
        if measure.value is not None
    ]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "marker": {"size": 10},
        "y": [f"{plain(dot.model)} (n = {dot.measure.sessions})" for dot in dots],
        "x": [dot.value for dot in dots],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [dot.high - dot.value for dot in dots],
            "arrayminus": [dot.value - dot.low for dot in dots],
            "thickness": 2,
            "width": 5,
        },
        "customdata": [dot.told(written) for dot in dots],
        "hovertemplate": HOVER,
    }
    layout = {
        "xaxis": dict(axis),
        "yaxis": {
            **PLAIN,
            "type": "category",
            "automargin": True,
            "autorange": "reversed",
            "ticksuffix": "  ",
        },
    }
    return Figure(label, [trace], layout, height=70 + 44 * max(1, len(dots)))
