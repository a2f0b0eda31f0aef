"""A queue at work, seen in a browser: figures move without a reload, and the queue is stopped from its page."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.pages.conftest import Opener, text_in, told
from tests.acceptance.program import Program, wait_for
from tests.acceptance.serving import served_by

if TYPE_CHECKING:  # no part of what `make test` installs
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]
PATIENCE_MS = 90_000


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[tuple[Program, str, subprocess.Popen[str]]]:
    """The demo, slowly, and a server beside it."""
    program = Program(tmp_path / "work")
    with served_by(Program(tmp_path / "work", BACKEND_PORT="0")) as address:
        demo = program.start("demo", "--json", "--pace", "8")
        try:
            wait_for(lambda: demo.poll() is not None or told(address, "/api/queue")["running"])
            yield program, address, demo
        finally:
            demo.terminate()
            demo.communicate(timeout=60)
            demo.kill()


def test_figures_move_without_a_reload_and_the_queue_is_stopped_from_its_page(
    browser: Browser, at_work: tuple[Program, str, subprocess.Popen[str]]
) -> None:
    program, address, demo = at_work
    opener = Opener(browser, address)
    overview = opener("/")
    overview.evaluate("window.kept = true")
    overview.wait_for_function(
        "() => document.querySelector('.live').dataset.state === 'on'", timeout=PATIENCE_MS
    )
    assert told(address, "/api/queue")["running"][0]["target"]["name"] in text_in(
        overview, "#running"
    )
    requests = "#running [data-label=Requests]"
    before = overview.locator(requests).all_inner_texts()
    overview.wait_for_function(
        "([part, before]) => [...document.querySelectorAll(part)].map(each => each.textContent).join()"
        " !== before",
        arg=[requests, ",".join(before)],
        timeout=PATIENCE_MS,
    )

    link = program.call("login", "--port", address.rpartition(":")[2])
    assert link.stdout.startswith(f"{address}/login?code="), link
    queue = opener("/queue", login=link.stdout.strip())
    queue.evaluate("window.kept = true")
    queue.get_by_role("button", name="Stop").click()
    assert "in order, on every machine" in queue.inner_text("#confirm")
    queue.get_by_role("button", name="Leave it").click()
    assert demo.poll() is None
    queue.get_by_role("button", name="Stop").click()
    queue.get_by_role("button", name="Do it").click()
    queue.wait_for_selector("#told:has-text('The queue stops.')", timeout=PATIENCE_MS)
    wait_for(lambda: demo.poll() is not None, seconds=90)
    for page, part in ((overview, "#running"), (queue, "#targets")):
        page.wait_for_function(
            "part => !document.querySelector(part).querySelector('.is-running')"
            " && !document.querySelector(part).querySelector('[data-as=elapsed]')",
            arg=part,
            timeout=PATIENCE_MS,
        )
        assert page.evaluate("window.kept") is True
    assert "No session runs." in text_in(overview, "#running")
    assert opener.complaints == []
