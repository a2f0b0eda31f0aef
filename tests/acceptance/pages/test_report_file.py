"""`acd report --html`: one file that opens in Chromium with the network off and shows the figures of the API."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acd.dashboard.formats import money
from tests.acceptance.pages.conftest import told
from tests.acceptance.performance import Stage

if TYPE_CHECKING:  # no part of what `make test` installs
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]

# Of the demo's whole day and of the one before: what the API is asked for too.
SINCE = ("--since", "yesterday", "--timezone", "UTC")


def test_the_file_opens_offline_with_the_figures_of_the_api(
    browser: Browser, site: str, demo: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    written = demo.performance.program.call("report", *SINCE, "--html", str(file))
    assert written.returncode == 0, written.stderr
    complaints: list[str] = []
    asked: list[str] = []
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri(), wait_until="load")
    page.wait_for_selector("html[data-drawn=yes]", state="attached", timeout=120_000)
    plots = page.evaluate("() => [...document.querySelectorAll('.plot')].map(plot => plot.data)")
    text = page.inner_text("main")
    width = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert complaints == []
    assert asked == [file.as_uri()]
    assert width <= 390
    first, last = days_of(file)
    cost = told(site, f"/api/reports/cost?groupBy=target&from={first}&to={last}")
    assert dict(zip(plots[1][0]["ids"], plots[1][0]["values"], strict=True)) == {
        row["key"]: pytest.approx(float(row["costUsd"])) for row in cost["rows"] if row["costUsd"]
    }
    assert money(cost["total"]["costUsd"]) in text
    comparison = f"/api/reports/model-comparison?from={first}&to={last}"
    shared = told(site, comparison)["models"]  # none, where no target was worked by all of them
    models = shared or told(site, f"{comparison}&sameTargets=false")["models"]
    assert models
    success = plots[5][0]
    assert success["x"] == [pytest.approx(float(one["successRate"]["value"])) for one in models]


def test_it_is_the_same_from_a_server(site: str, demo: Stage, tmp_path: Path) -> None:
    here, there = tmp_path / "here.html", tmp_path / "there.html"
    program = demo.performance.program
    until = f"{datetime.now().astimezone():%Y-%m-%dT%H:%M}"
    asked = ("report", *SINCE, "--until", until, "--html")
    assert program.call(*asked, str(here)).returncode == 0
    over_http = type(program)(program.folder, ACD_URL=site)
    answer = over_http.call(*asked, str(there))
    assert answer.returncode == 0, answer.stderr
    made = re.compile(r"made <span.*?</span>")
    assert made.sub("", here.read_text()) == made.sub("", there.read_text())


def days_of(file: Path) -> tuple[date, date]:
    found = re.search(r"Money and models, ([0-9-]+) to ([0-9-]+)", file.read_text())
    assert found
    return date.fromisoformat(found[1]), date.fromisoformat(found[2])
