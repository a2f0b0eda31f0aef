"""Cost and Models in Chromium: what is drawn is what the API says, in both themes and at both widths."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.pages.conftest import NARROW, Opener, told

if TYPE_CHECKING:  # no part of what `make test` installs
    from playwright.sync_api import Page

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]

_DRAWN = "html[data-drawn=yes]"
_TRACES = """() => [...document.querySelectorAll('.plot')].map(plot => plot.data)"""
_INK = """() => document.querySelector('.plot').layout.template.layout.font.color"""


def drawn(page: Page) -> Page:
    page.wait_for_selector(_DRAWN, state="attached", timeout=120_000)
    return page


def test_cost_draws_the_figures_of_the_api(open_page: Opener, site: str) -> None:
    page = drawn(open_page("/cost"))
    bars, areas, _, _, hours = page.evaluate(_TRACES)
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for part in told(site, "/api/reports/cost-over-time")["rows"]:
        expected[part["key"]] += part["costUsd"]
    assert {one["name"]: sum(one["y"]) for one in bars} == {
        key: pytest.approx(float(usd)) for key, usd in expected.items()
    }
    targets = told(site, "/api/reports/cost?groupBy=target")["rows"]
    assert dict(zip(areas[0]["ids"], areas[0]["values"], strict=True)) == {
        row["key"]: pytest.approx(float(row["costUsd"])) for row in targets if row["costUsd"]
    }
    by_hour = told(site, "/api/reports/cost-by-hour")["rows"]
    assert sum(map(sum, hours[0]["z"])) == pytest.approx(float(sum(r["costUsd"] for r in by_hour)))
    # Drawn, not only handed over: bars, areas and cells have shapes on the page.
    assert page.locator(".plot .bars .point path").count() >= len(expected)
    assert page.locator(".plot .treemaplayer path.surface").count() >= len(areas[0]["ids"])
    assert page.locator(".plot .heatmaplayer image").count() == 1


def test_models_draw_the_figures_of_the_api(open_page: Opener, site: str) -> None:
    page = drawn(open_page("/models?all=true"))
    success, *_ = page.evaluate(_TRACES)
    models = told(site, "/api/reports/model-comparison?sameTargets=false")["models"]
    assert success[0]["x"] == [pytest.approx(float(one["successRate"]["value"])) for one in models]
    assert success[0]["y"] == [f"{one['model']} (n = {one['sessions']})" for one in models]
    assert page.locator(".plot .errorbar").count() > 0


def test_charts_follow_the_theme_and_the_width(open_page: Opener) -> None:
    page = drawn(open_page("/cost", theme="dark", width=NARROW))
    dark = page.evaluate(_INK)
    page.locator("[data-theme-switch]").first.click()  # from the system's to light
    page.wait_for_function(f"{_INK[6:]} !== '{dark}'")
    widths = page.evaluate(
        "() => [...document.querySelectorAll('.plot .main-svg')].map(e => e.clientWidth)"
    )
    assert 0 < max(widths) <= NARROW
