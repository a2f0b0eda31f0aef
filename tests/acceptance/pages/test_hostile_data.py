"""A hundred hostile texts in every field that an agent can write, seen on every page in a real browser.

No dialog, nothing that runs, no element that came from data, nothing that hides or moves other text.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from acd.dashboard.site import PAGES
from acd.files.folder import SessionFolder
from tests.acceptance.pages.conftest import QUIET as QUIET
from tests.acceptance.pages.hostile import COUNT, HIDDEN, payloads
from tests.integration.serving import serving_process

if TYPE_CHECKING:  # no part of what `make test` installs
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = [pytest.mark.extra, pytest.mark.timeout(600)]
FOUND = r"""() => ({
    harmed: window.harmed ?? null,
    elements: document.querySelectorAll("[data-harm], iframe, base, math, embed, object").length,
    handlers: [...document.querySelectorAll("*")].filter(
        each => [...each.attributes].some(one => one.name.startsWith("on"))).length,
    scripts: [...document.scripts].filter(
        each => !/^\/(static|charts)\//.test(each.src.replace(location.origin, ""))
            && !(each.type === "application/json" && JSON.parse(each.textContent))).length,
    links: [...document.querySelectorAll("a, form, link")].map(
        each => each.href?.baseVal ?? each.href ?? each.action).filter(
        each => each && !each.startsWith(location.origin)).length,
    text: document.documentElement.innerHTML,
})"""


@pytest.fixture
def harmful(database_url: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The server over such data, and the id of the session that has all of it."""
    texts = payloads()
    statements = Path(__file__).with_name("hostile.sql").read_text().split(";\n")
    values = {"texts": [text.replace("\0", "") for text in texts], "host": socket.gethostname()}
    with psycopg.connect(database_url) as connection:
        for statement in statements:
            if statement.strip():
                connection.execute(statement, values)
        row = connection.execute("SELECT md5('s1')::uuid").fetchone()
    assert row
    folder = SessionFolder(tmp_path / "home" / "sessions" / str(row[0]))
    folder.create()
    folder.stream.write_bytes("\n".join(text.replace("\n", " ") for text in texts).encode() + b"\n")
    with serving_process(database_url, tmp_path) as (_, address):
        yield address, str(row[0])


def test_it_stays_text_on_every_page(browser: Browser, harmful: tuple[str, str]) -> None:
    address, session = harmful
    groups = httpx.get(f"{address}/api/db/errors/groups?limit=3").json()["data"]
    target = httpx.get(f"{address}/api/db/sessions/{session}").json()["data"]["target"]
    paths = [page.ENTRY.path for page in PAGES]
    paths += [
        f"/targets/{httpx.URL('http://x/').copy_with(path='/' + target['repoId']).raw_path.decode()[1:]}",
        f"/sessions/{session}?after=-1",
        f"/sessions/{session}?show=tools",
        f"/sessions/{session}/lines",
        f"/sessions/{session}/lines?q=harm",
        "/sessions?q=%3Cscript%20data-harm%3Ealert(1)%3C/script%3E&model=%22%3E%3Cimg%20data-harm%3E",
        "/errors?target=%22%20autofocus%20onfocus=alert(1)%20data-harm=%22",
        *(f"/errors/{group['key']}" for group in groups),
    ]
    dialogs: list[str] = []
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(120_000)
    page.on("dialog", lambda dialog: _heard(dialog, dialogs))
    page.on("pageerror", lambda error: dialogs.append(str(error)))
    page.on(
        "console",
        lambda told: dialogs.append(told.text) if "Content Security" in told.text else None,
    )
    shown = 0
    for path in paths:
        answer = page.goto(f"{address}{path}", wait_until="load")
        assert answer is not None
        if answer.status == 404 and path.startswith("/targets/"):
            continue
        assert answer.ok, f"{path}: {answer.status}"
        assert "set-cookie" not in answer.headers
        if page.locator("script[type='application/json']").count():
            page.wait_for_selector(".main-svg")  # what draws from data has done so
        _hover_everything(page)
        found = page.evaluate(FOUND)
        text = found.pop("text")
        assert found == {"harmed": None, "elements": 0, "handlers": 0, "scripts": 0, "links": 0}, (
            path
        )
        assert HIDDEN.intersection(text) == frozenset(), path
        shown += text.count("data-harm")
    assert dialogs == []
    assert shown > 20 * COUNT, "the texts are hardly on the pages: this shows nothing"
    page.context.close()


def _hover_everything(page: Page) -> None:
    """Move over a good part of the page, open what can be opened."""
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    for y in range(100, 900, 160):
        page.mouse.move(500, y)


def _heard(dialog: Dialog, dialogs: list[str]) -> None:
    dialogs.append(dialog.message)
    dialog.dismiss()
