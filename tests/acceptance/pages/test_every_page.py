"""Every page: at both widths and in both themes nothing overflows, nothing serious is found by axe, and it is readable
without scripts.
"""

from __future__ import annotations

import importlib

import pytest

from acd.dashboard.site import PAGES
from tests.acceptance.pages.conftest import NARROW, WIDE, Opener, Theme, told

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]
# Pages below those of the navigation, by what names one of them in the demo's data.
BELOW = {
    "target": "/targets/{target}",
    "session": "/sessions/{session}",
    "lines": "/sessions/{session}/lines",
    "errors of a kind": "/errors/{group}",
}
PATHS = [page.ENTRY.path for page in PAGES] + list(BELOW.values()) + ["/nothing"]
# What has to be scrolled sideways, or is cut off.
SIDEWAYS = """[...document.querySelectorAll("main *, nav")].filter(each => each.clientWidth
    && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== "inline"
    && !each.closest(".hidden, thead, svg, .chart, input, select")).map(each => each.outerHTML.slice(0, 200))"""
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def names(site: str) -> dict[str, str]:
    """A session that failed, its target, and the kind of its error."""
    (session, *_) = told(site, "/api/db/sessions?status=failed")
    (group, *_) = told(site, "/api/db/errors/groups?resolved=all")
    return {"target": session["target"]["repoId"], "session": session["id"], "group": group["key"]}


@pytest.mark.parametrize("path", PATHS)
def test_the_page_fits_and_axe_finds_nothing_serious(
    open_page: Opener, names: dict[str, str], path: str
) -> None:
    path = path.format(**names)
    axe = importlib.import_module("axe_playwright_python.sync_playwright").Axe()
    looks: list[tuple[int, Theme]] = [(WIDE, "light"), (NARROW, "dark")]
    for width, theme in looks:
        page = open_page(path, width=width, theme=theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, theme)
        if width == NARROW:
            assert page.evaluate(SIDEWAYS) == []
        found = axe.run(page).response["violations"]
        serious = [
            (rule["id"], [node["html"][:200] for node in rule["nodes"][:3]])
            for rule in found
            if rule["impact"] in SERIOUS
        ]
        assert serious == [], (width, theme)
    if path == "/nothing":  # the browser itself complains of a 404
        open_page.complaints.clear()


@pytest.mark.parametrize("path", PATHS[:-1])
def test_the_page_says_the_same_without_scripts(
    open_page: Opener, names: dict[str, str], path: str
) -> None:
    path = path.format(**names)
    with_scripts, without = open_page(path), open_page(path, scripts=False)
    headings = [page.locator("h1, h2").all_inner_texts() for page in (with_scripts, without)]
    assert headings[0] == headings[1]
    assert headings[0]
