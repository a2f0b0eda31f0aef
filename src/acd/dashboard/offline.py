"""`acd report --html`: the summary of a period with the charts of the pages, as one file that needs nothing beside it."""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

from markupsafe import Markup

from acd import __version__
from acd.core.billing import part_of
from acd.core.charted import Spent
from acd.core.comparison import Comparison
from acd.core.summary_rows import NightSummary
from acd.dashboard import views
from acd.dashboard.environment import environment
from acd.dashboard.figure import safe_json
from acd.dashboard.figure_looks import looks
from acd.dashboard.script import packed_script


@dataclass(frozen=True)
class Told:
    """What the file shows. Times are shown in `zone`; charts are of whole days, as `spent` and `compared` say."""

    night: NightSummary
    spent: Spent
    compared: Comparison
    zone: ZoneInfo
    made_at: datetime


def page(told: Told) -> str:
    """The file. Its policy allows the scripts that it carries, by their hashes, and nothing from anywhere else.

    Raises:
        ConfigError: acd was installed without the script that draws charts.
    """
    scripts = {
        "plotly": gzip.decompress(packed_script()).decode(),
        "drawing": _static("charts.js"),
    }
    templates = environment()
    templates.globals.update(has_page=frozenset())
    return templates.get_template("report.html").render(
        told=told,
        period=told.night.period,
        zone=told.zone,
        version=__version__,
        step=told.spent.over_time.step,
        split=told.spent.over_time.split_by,
        styles=[_own(_static(name)) for name in ("acd.css", "charts.css")],
        scripts={name: _own(text) for name, text in scripts.items()},
        hashes=[_hash_of(text) for text in scripts.values()],
        templates=safe_json(looks()),
        billed=part_of(told.night.period.cost_usd, told.night.period.list_price_cost_usd),
        **views.of_money(told.spent),
        **views.of_models(told.compared),
    )


def _static(name: str) -> str:
    return (files("acd.dashboard") / "static" / name).read_text(encoding="utf-8")


def _own(text: str) -> Markup:
    """A part of our own package, put in as it is; it must not end the element that it stands in."""
    if "</script" in text or "</style" in text:
        raise ValueError("a script or style of the package would end its element")
    return Markup(text)  # noqa: S704 - nothing of anybody else's


def _hash_of(script: str) -> str:
    """As a policy names a script that stands in the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
