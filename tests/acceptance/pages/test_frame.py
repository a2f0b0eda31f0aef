"""The frame in a browser: keys, theme, times in the viewer's zone."""

from __future__ import annotations

import re

import pytest

from acd.dashboard.site import PAGES
from tests.acceptance.pages.conftest import Opener

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]


def test_keys_go_to_pages_and_show_help(open_page: Opener) -> None:
    page = open_page("/")
    for entry in [each.ENTRY for each in PAGES][::-1]:
        page.keyboard.press("g")
        page.keyboard.press(entry.key)
        page.wait_for_url(re.compile(rf"{re.escape(entry.path)}$"))
    page.keyboard.press("?")
    assert "Search" in page.inner_text("dialog#keys[open]")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_the_theme_follows_the_system_until_one_is_chosen_and_is_remembered(
    open_page: Opener,
) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = open_page("/"), open_page("/", theme="dark")
    assert light.evaluate(ground) != dark.evaluate(ground)
    switch = light.locator("[data-theme-switch]")
    switch.click()
    assert switch.inner_text() == "Theme: light"
    switch.click()
    assert switch.inner_text() == "Theme: dark"
    light.reload()
    assert light.evaluate(ground) == dark.evaluate(ground)
    switch.click()
    assert switch.inner_text() == "Theme: system"
    assert light.evaluate(ground) != dark.evaluate(ground)


def test_times_are_in_the_viewers_zone_with_utc_on_hover(open_page: Opener) -> None:
    """The browser is in Tokyo: nine hours after UTC, all year."""
    page = open_page("/")
    told = page.evaluate(
        """async () => {
            const { tell } = await import(document.querySelector("script[type=module]").src.replace("acd.js", "times.js"));
            const place = document.createElement("div");
            place.innerHTML = '<time datetime="2020-03-01T20:30:00+00:00">x</time>';
            tell(place);
            return place.textContent;
        }"""
    )
    assert told == "2 Mar 2020, 05:30"
    written = page.locator("time[datetime]").first
    assert re.fullmatch(r"[\d-]{10} [\d:]{8} UTC", written.get_attribute("title") or "")
