"""The pages in Debian's Chromium, on the demo's data. Whatever the console complains of fails the test.

site      address of `acd serve` in the demo's home
open_page a page at an address, of a width and in a theme; without the token unless `login` is given
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin

import httpx
import pytest

from acd.web.token import read_or_make_token
from tests.acceptance.performance import Stage, exact
from tests.acceptance.test_mission_examples import served

if TYPE_CHECKING:  # no part of what `make test` installs
    from playwright.sync_api import Browser, Page

WIDE, NARROW = 1440, 390
Theme = Literal["light", "dark"]
# As on a machine without the internet: nothing is looked up or fetched in the background.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a module: as long as it lives, this thread has an event loop of playwright's."""
    chromium = shutil.which("chromium")
    assert chromium, "install chromium (Debian: apt install chromium)"
    with importlib.import_module("playwright.sync_api").sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield found
        found.close()


@pytest.fixture(scope="module")
def site(demo: Stage) -> Iterator[str]:
    with served(demo.performance, 0) as address:
        yield address


@dataclass
class Opener:
    """Opens pages and remembers what their consoles complained of."""

    browser: Browser
    site: str
    complaints: list[str] = field(default_factory=list)

    def __call__(
        self,
        path: str,
        *,
        width: int = WIDE,
        theme: Theme = "light",
        login: str | None = None,
        scripts: bool = True,
        site: str | None = None,
    ) -> Page:
        """The page, loaded; `login` is the path of a link that lets this browser in."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            java_script_enabled=scripts,
            timezone_id="Asia/Tokyo",
            locale="en-GB",
        )
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if login:
            page.goto(urljoin(site or self.site, login), wait_until="load")
        page.goto(urljoin(site or self.site, path), wait_until="load")
        return page

    def _heard(self, message: Any) -> None:  # noqa: ANN401 - playwright is an extra
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture
def open_page(browser: Browser, site: str) -> Iterator[Opener]:
    opener = Opener(browser, site)
    yield opener
    for context in browser.contexts:
        context.close()
    assert opener.complaints == []


def login_link(site: str, home: Any) -> str:  # noqa: ANN401 - a folder
    """The path of a link that lets one browser change things."""
    token = read_or_make_token(home)
    answer = httpx.post(f"{site}/api/login", headers={"Authorization": f"Bearer {token}"})
    return str(answer.raise_for_status().json()["data"]["path"])


def told(site: str, path: str) -> Any:  # noqa: ANN401 - JSON
    """What the API says, with exact numbers."""
    return exact(httpx.get(f"{site}{path}").raise_for_status().text)["data"]


def text_in(page: Page, selector: str) -> str:
    """What a person reads in a part of a page, on one line."""
    return " ".join(page.inner_text(selector).split())
