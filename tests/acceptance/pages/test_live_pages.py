"""A queue at work, seen in a browser: figures move without a reload, and the queue is stopped from its page."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
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
def at_work(tmp_path: Path) -> Iterator[tuple[Program, str, Callable[[], subprocess.Popen[str]]]]:
    """A server with nothing to show, and what starts the demo beside it, slowly."""
    program = Program(tmp_path / "work")
    demos: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        demos.append(program.start("demo", "--json", "--pace", "8"))
        return demos[0]

    with served_by(Program(tmp_path / "work", BACKEND_PORT="0")) as address:
        try:
            yield program, address, start
        finally:
            for demo in demos:
                demo.terminate()
                demo.communicate(timeout=60)
                demo.kill()


def test_figures_move_without_a_reload_and_the_queue_is_stopped_from_its_page(
    browser: Browser, at_work: tuple[Program, str, Callable[[], subprocess.Popen[str]]]
) -> None:
    program, address, start = at_work
    opener = Opener(browser, address)
    overview, targets = opener("/"), opener("/targets")
    for page in (overview, targets):
        assert "Nothing in the queue yet" in text_in(page, "#empty")
        page.evaluate("window.kept = true")
    demo = start()
    wait_for(lambda: demo.poll() is not None or told(address, "/api/queue")["running"])
    for page, part in ((overview, "#running [data-as=elapsed]"), (targets, "#targets .is-running")):
        page.wait_for_selector(part, timeout=PATIENCE_MS)
        assert page.locator("#empty").count() == 0
        assert page.evaluate("window.kept") is True
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
