"""One plotly figure as plain data, and what all of ours share.

A figure is what plotly's script takes (https://plotly.com/javascript/reference): plotly's Python package would only check it, and is too
large to be installed for that. Names of targets and models are text and never markup, which plotly would draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import msgspec
from markupsafe import Markup

from acd.core.text import visible

_ENCODER = msgspec.json.Encoder(decimal_format="number")
PLAIN: Mapping[str, Any] = {"fixedrange": True, "title": None}
DOLLARS: Mapping[str, Any] = {
    **PLAIN,
    "tickprefix": "$",
    "exponentformat": "none",
    "rangemode": "tozero",
}
HOVER = "%{customdata}<extra></extra>"


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


def plain(text: str) -> str:
    """Text that plotly draws as it is: it takes a few tags and entities for markup. What hides is made visible."""
    return escape(visible(text), quote=False)
