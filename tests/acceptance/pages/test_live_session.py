"""A session that runs, followed on its page without a reload, and stopped from there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.acceptance.pages.conftest import Opener, login_link, text_in, told
from tests.acceptance.program import Program, wait_for
from tests.acceptance.test_outage import Run
from tests.data.queue.place import Place

if TYPE_CHECKING:  # no part of what `make test` installs
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.extra, pytest.mark.timeout(600)]
PATIENCE_MS = 120_000


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    """One target; its agent waits for the page to be looked at, says something, and then does nothing for good."""
    place = Place(tmp_path / "place", database_url)
    place.settings = msgspec.structs.replace(place.settings, home=place.folder / "acd")
    place.repository("shop", ["F1"])
    steps = [
        {"do": "say"},
        {"do": "subagent", "requests": 2, "description": "look"},
        {"do": "bash", "command": f"until [ -e {seen(place)} ]; do sleep 0.05; done"},
        {"do": "say"},
        {"do": "bash", "command": "while true; do sleep 0.2; done"},
    ]
    place.write_scenario(shop={"sessions": [{"steps": steps}]})
    place.write_queue({"id": "shop"})
    return place


def seen(place: Place) -> Path:
    return place.folder / "somebody-looks"


@pytest.fixture
def run(place: Place) -> Iterator[Run]:
    program = Program(
        place.folder,
        DATABASE_URL=place.settings.database_url or "",
        ACD_QUEUE_FILE=str(place.queue),
        ACD_SCENARIO=str(place.scenario),
        ACD_FREE_SPACE_FLOOR="0",
    )
    run = Run(program)
    try:
        yield run
    finally:
        run.process.terminate()
        run.process.wait(60)
        run.end()


def test_a_session_is_followed_and_stopped_from_its_page(
    browser: Browser, place: Place, run: Run
) -> None:
    run.wait_for(lambda: "pages and API at" in run.text)
    address = re.findall(r"pages and API at (http://[^\s/]+)", run.text)[0]
    run.wait_for(lambda: told(address, "/api/db/sessions?status=running"))
    (row,) = told(address, "/api/db/sessions?status=running")
    opener = Opener(browser, address)
    page = opener(f"/sessions/{row['id']}", login=login_link(address, place.settings.home))
    page.evaluate("window.kept = true")
    assert "It still runs." in text_in(page, "#why")
    page.wait_for_selector(
        "#timeline .branch", timeout=PATIENCE_MS
    )  # what a subagent did is nested
    page.wait_for_function(
        "() => document.querySelector('#timeline').textContent.includes('until [')",
        timeout=PATIENCE_MS,
    )
    seen(place).touch()
    page.wait_for_function(
        "() => document.querySelector('#timeline').textContent.includes('while true')",
        timeout=PATIENCE_MS,
    )

    page.click("#stopping button")
    page.click("#confirm button[value=no]")
    assert told(address, f"/api/db/sessions/{row['id']}")["status"] == "running"
    page.click("#stopping button")
    page.click("#confirm button[value=yes]")
    page.wait_for_function(
        "() => document.querySelector('#why').textContent.includes('It failed: interrupted')",
        timeout=PATIENCE_MS,
    )
    assert page.evaluate("window.kept"), "the page was loaded anew"
    wait_for(lambda: page.locator("#stopping button").count() == 0)
    ended = told(address, f"/api/db/sessions/{row['id']}")
    assert (ended["status"], ended["errorType"]) == ("failed", "interrupted")
    for context in browser.contexts:
        context.close()
    assert opener.complaints == []
