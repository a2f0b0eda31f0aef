"""The walk of docs/dashboard.md: four questions of somebody who never saw the pages, each answered within two clicks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.acceptance.pages.conftest import Opener, text_in
from tests.acceptance.program import Program
from tests.acceptance.serving import served_by
from tests.integration.serving import put_seed

if TYPE_CHECKING:  # no part of what `make test` installs
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]

# The shop is stuck, and its fifth session worked through the night: from 03:00 to 03:20 in Tokyo, where the viewer is.
STORY = """
UPDATE targets SET status = 'blocked', status_reason = '3 sessions without progress: feature mail was rejected'
WHERE repo_id = 'shop-api';
UPDATE harness_sessions SET started_at = '2026-03-01 18:00+00', finished_at = '2026-03-01 18:20+00'
WHERE session_number = 5;
UPDATE harness_sessions SET status = 'completed', finished_at = '2026-03-01 17:10+00' WHERE session_number = 7;
INSERT INTO session_events (target_id, session_id, seq, kind, occurred_at, tool_name, text)
SELECT 'a0000000-0000-0000-0000-000000000001', '50000000-0000-0000-0000-000000000005', 10 * minute, 'tool_used',
       timestamptz '2026-03-01 18:00+00' + minute * interval '1 minute', 'Bash', 'pytest -q --step ' || minute
FROM generate_series(1, 15) AS minute;
"""


@pytest.fixture
def walked(browser: Browser, database_url: str, tmp_path: Path) -> Iterator[Opener]:
    put_seed(database_url)
    with psycopg.connect(database_url) as connection:
        for statement in STORY.split(";\n"):
            connection.execute(statement.encode())
    program = Program(tmp_path / "walk", DATABASE_URL=database_url)
    with served_by(program) as site:
        opener = Opener(browser, site)
        yield opener
        for context in browser.contexts:
            context.close()
        assert opener.complaints == []


def click(page: Page, selector: str) -> None:
    page.locator(selector).first.click()
    page.wait_for_load_state("load")


def test_each_question_is_answered_within_two_clicks(walked: Opener) -> None:
    page = walked("/")
    # The costliest target of the week: on the overview itself, and one click on at Cost, with all others.
    assert "Shop API $0.2800" in text_in(page, "#costliest")
    click(page, "nav a[href='/cost']")
    assert "Costliest target of the last 7 days $0.2800 + unpriced Shop API" in text_in(
        page, ".tiles"
    )

    # Why a target is stuck: on the overview, in words; one click on, with what to do.
    page = walked("/")
    needs = text_in(page, "#needs")
    assert "Shop API" in needs
    assert "3 sessions without progress: feature mail was rejected" in needs
    click(page, "#needs a[href='/targets/shop-api']")
    assert "acd unblock shop-api" in text_in(page, "#why")

    # The commit that made a feature pass: beside the feature, on that target's page.
    feature = text_in(page, "#features tr:has-text('Payments')")
    assert "check passed on c2" in feature
    click(page, "#features tr:has-text('Payments') a[href^='/sessions/']")
    assert re.search(r"c2\b.*Test payments", text_in(page, "main"))

    # What a session did at 03:12: Sessions, the session, and the time.
    page = walked("/")
    click(page, "nav a[href='/sessions']")
    click(page, "main a[href='/sessions/50000000-0000-0000-0000-000000000005']")
    page.fill("input[name=at]", "03:12")
    page.press("input[name=at]", "Enter")
    page.wait_for_url("**#e120")
    assert "pytest -q --step 12" in text_in(page, "#e120")
