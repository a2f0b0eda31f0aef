"""The two templates that figures are drawn with, light and dark; the page chooses where it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def looks() -> Mapping[str, Mapping[str, Any]]:
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
