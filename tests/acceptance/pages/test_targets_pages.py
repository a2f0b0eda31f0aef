"""Targets, target and queue of the demo in Chromium: figures of the API, the address, changes in place."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from acd.dashboard.formats import money
from tests.acceptance.pages.conftest import Opener, login_link, text_in, told
from tests.acceptance.performance import Stage

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]


def test_the_figures_of_every_target_are_those_of_the_api(open_page: Opener) -> None:
    site = open_page.site
    shown = text_in(open_page("/targets"), "#targets")
    for target in told(site, "/api/db/targets"):
        name = target["repoId"]
        assert f"{target['name']}" in shown
        assert money(target["totalCostUsd"]) in shown
        own = open_page(f"/targets/{name}")
        facts = text_in(own, "#facts")
        assert f"Cost in all {money(target['totalCostUsd'])}" in facts
        assert f"Sessions {target['totalSessions']} Last session" in facts
        ahead = told(site, f"/api/reports/forecast?repoId={name}")
        assert f"{target['passingFeatures']} / {target['totalFeatures']} passing" in text_in(
            own, "#burn"
        )
        assert ahead["remaining"] == target["pendingFeatures"]
        features = own.locator("#features tbody tr").count()
        assert features == len(told(site, f"/api/db/features/{name}"))
        for commit in told(site, f"/api/db/commits/{name}"):
            assert commit["sha"][:8] in text_in(own, "#commits")


def test_search_and_filters_go_into_the_address_and_come_from_it(open_page: Opener) -> None:
    page = open_page("/targets")
    page.keyboard.press("/")
    page.keyboard.type("weather")
    page.keyboard.press("Enter")
    page.wait_for_url("**/targets?q=weather*")
    assert page.locator("#targets tbody tr").count() == 1
    shared = open_page(page.url)
    assert shared.input_value("input[type=search]") == "weather"
    assert shared.locator("#targets tbody tr").count() == 1
    shared.select_option("select[name=state]", "blocked")
    shared.wait_for_url("**state=blocked*")
    assert "No target fits." in text_in(shared, "#targets")


def test_a_key_searches_from_any_page(open_page: Opener) -> None:
    page = open_page("/queue")
    page.keyboard.press("/")
    page.wait_for_url("**/targets#search")
    page.wait_for_function("() => document.activeElement.type === 'search'")


def test_priority_and_enabled_are_changed_in_place(open_page: Opener, demo: Stage) -> None:
    site = open_page.site
    page = open_page("/targets", login=login_link(site, demo.performance.program.home))
    page.evaluate("window.kept = true")
    target = told(site, "/api/db/targets")[0]
    listed = Path(demo.performance.folder) / "acd" / "demo" / "2" / "repo-queue.json"
    before = listed.read_text()
    field = page.get_by_label(f"Priority of {target['name']}, lower first").first
    try:
        field.fill("7")
        field.press("Enter")
        page.wait_for_selector("#told:has-text('Priority changed.')")
        switch = page.get_by_role("switch", name=f"{target['name']} is worked").first
        switch.click()
        page.wait_for_function("() => document.querySelector('tr.off') !== null")
        changed = next(
            one for one in told(site, "/api/db/targets") if one["repoId"] == target["repoId"]
        )
        assert (changed["priority"], changed["enabled"]) == (7, False)
        entry = next(
            one for one in json.loads(listed.read_text())["repos"] if one["id"] == target["repoId"]
        )
        assert (entry["priority"], entry["enabled"]) == (7, False)
        assert page.evaluate("window.kept") is True
    finally:
        listed.write_text(before)
        httpx.post(f"{site}/api/db/targets/sync").raise_for_status()


def test_without_the_token_an_order_is_refused_in_words(open_page: Opener) -> None:
    """A page from before: its button is not disabled."""
    page = open_page("/queue")
    assert page.get_by_role("button", name="Pause").is_disabled()
    page.evaluate("for (const each of document.querySelectorAll('button')) each.disabled = false")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Do it").click()
    page.wait_for_selector("#told:has-text('This needs the token')")
    assert told(open_page.site, "/api/queue")["state"] == "running"
    assert open_page.complaints  # Chromium tells of every answer that is a refusal
    open_page.complaints.clear()
