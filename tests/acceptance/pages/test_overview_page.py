"""The overview of the demo in Chromium: what a person reads there is what the API says."""

from __future__ import annotations

import pytest

from acd.dashboard.formats import count, money, tokens
from tests.acceptance.pages.conftest import NARROW, WIDE, Opener, text_in, told

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_its_figures_are_those_of_the_api(open_page: Opener, width: int) -> None:
    site = open_page.site
    page = open_page("/", width=width)
    summary = told(site, "/api/db/targets/summary")
    head = text_in(page, "#head")
    assert f"{summary['passingFeatures']} / {summary['totalFeatures']} features passing" in head
    assert f"{summary['completeTargets']} / {summary['totalTargets']} targets complete" in head
    assert f"{summary['passingFeatures'] - summary['verifiedFeatures']} unverified" in head
    days = text_in(page, "#days")
    by_day = "?groupBy=day"
    cost = told(site, f"/api/reports/cost{by_day}")["rows"][0]
    used = told(site, f"/api/reports/tokens{by_day}")["rows"][0]
    done = told(site, f"/api/reports/throughput{by_day}")["rows"][0]
    assert f"Cost today {money(cost['costUsd'])}" in days
    assert f"Tokens today {tokens(used['totalTokens'])}" in days
    assert f"Features today +{done['featuresCompleted']}" in days
    assert f"Sessions today {count(done['sessions'])}" in days
    for row in told(site, "/api/glance/usage?days=7")[:6]:
        assert row["target"]["name"] in text_in(page, "#costliest")
        assert money(row["cost"]) in text_in(page, "#costliest")
