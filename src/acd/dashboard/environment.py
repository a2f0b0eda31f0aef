"""Templates: where they are, what they can do with figures, and how text gets into them."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from acd.core import billing
from acd.core.text import visible
from acd.dashboard.addresses import FILTERS as ADDRESSES
from acd.dashboard.drawing import FILTERS as DRAWINGS
from acd.dashboard.drawing import parts_of
from acd.dashboard.formats import FILTERS
from acd.dashboard.states import FILTERS as STATES


def environment() -> Environment:
    """Templates of the package, with the filters that they use."""
    templates = Environment(
        loader=PackageLoader("acd.dashboard"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.globals.update(
        parts_of=parts_of, billing_marks=billing.MARKS, billing_why=billing.WHY
    )
    templates.filters.update({**FILTERS, **ADDRESSES, **STATES, **DRAWINGS})
    templates.filters["at_list_price"] = billing.at_list_price
    return templates


def _shown(value: object) -> object:
    """What is put into a page: of text that is not markup of our own, nothing that cannot be seen or that moves other text."""
    if isinstance(value, Markup) or not isinstance(value, str) or value.isprintable():
        return value  # what is printable holds nothing of what `visible` shows: nearly all text
    return visible(value)
