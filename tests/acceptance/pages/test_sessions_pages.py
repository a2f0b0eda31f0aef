"""Sessions, one session, its lines and errors of the demo in Chromium: what a person reads there is what the API says."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from acd.dashboard.formats import count, money, tokens
from tests.acceptance.pages.conftest import NARROW, Opener, text_in, told

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]


def session_where(site: str, query: str = "") -> Any:  # noqa: ANN401 - JSON
    found = told(site, f"/api/db/sessions?limit=1{query}")
    assert found, f"the demo has no session with {query}"
    return told(site, f"/api/db/sessions/{found[0]['id']}")


def test_the_list_has_the_rows_of_the_api(open_page: Opener) -> None:
    rows = told(open_page.site, "/api/db/sessions?limit=50")
    page = open_page("/sessions")
    shown = page.locator("#sessions tbody tr")
    assert shown.count() == len(rows)
    for n, row in enumerate(rows):
        text = " ".join(shown.nth(n).inner_text().split())
        assert f"{row['target']['name']} #{row['sessionNumber']}" in text
        assert row["status"] in text
        assert tokens(row["totalTokens"]) in text
        assert money(row["costUsd"]) in text


def test_filters_stand_in_the_address(open_page: Opener) -> None:
    site = open_page.site
    page = open_page("/sessions")
    page.select_option("select[name=status]", "failed")
    page.wait_for_url(re.compile(r"status=failed"))
    failed = told(site, "/api/db/sessions?limit=50&status=failed")
    assert failed, "the demo has no failed session: this shows nothing"
    assert page.locator("#sessions tbody tr").count() == len(failed)
    repo = failed[0]["target"]["repoId"]
    page = open_page(f"/sessions?target={repo}&type=coding")
    both = told(site, f"/api/db/sessions?limit=50&repoId={repo}&type=coding")
    assert page.locator("#sessions tbody tr").count() == len(both)
    assert page.input_value("select[name=target]") == repo
    page = open_page(f"/sessions?q={failed[0]['id'][:13]}")
    assert page.locator("#sessions tbody tr").count() == 1
    page = open_page("/sessions?from=2001-01-01&to=2001-01-02")
    assert "No session fits" in text_in(page, "#sessions")
    page = open_page("/sessions?model=nobody%27s")
    assert "No session fits" in text_in(page, "#sessions")


@pytest.mark.parametrize("query", ["", "&status=failed"])
def test_a_session_has_the_figures_of_the_api(open_page: Opener, query: str) -> None:
    row = session_where(open_page.site, query)
    page = open_page(f"/sessions/{row['id']}")
    sums = text_in(page, "#sums")
    for figure in (money(row["costUsd"]), tokens(row["totalTokens"]), str(row["requestCount"])):
        assert figure in sums
    for model in row["requestsByModel"]:
        part = text_in(page, "#models")
        assert model["model"] in part
        assert tokens(model["outputTokens"]) in part
    commits = text_in(page, "#commits")
    for commit in row["commits"]:
        assert commit["sha"][:10] in commits
        assert f"+{commit['additions']} \N{MINUS SIGN}{commit['deletions']}" in commits
    for change in row["featureChanges"]:
        assert change["featureKey"] in text_in(page, "#features")
    assert page.locator("#errors .list > li").count() == len(row["errors"])
    if row["status"] == "failed":
        assert row["errorType"].replace("_", " ") in text_in(page, "#why")


def test_the_timeline_adds_up_to_the_session_s_cost(open_page: Opener) -> None:
    row = session_where(open_page.site, "&status=completed")
    requests = told(open_page.site, f"/api/db/token-usage?limit=1000&sessionId={row['id']}")
    page = open_page(f"/sessions/{row['id']}?after=-1")
    steps = page.locator("#timeline .step.is-request")
    assert steps.count() == len(requests)
    last = steps.last.locator(".total").inner_text()
    assert last == money(row["costUsd"])
    tools = told(open_page.site, f"/api/db/sessions/{row['id']}/events?limit=1000")
    used = [each for each in tools if each["kind"] == "tool_used"]
    assert page.locator("#timeline .step.is-tool").count() >= len(used) - 2 > 0


def test_what_it_did_at_a_moment(open_page: Opener) -> None:
    row = session_where(open_page.site, "&status=completed")
    events = told(open_page.site, f"/api/db/sessions/{row['id']}/events?limit=1000")
    meant = events[len(events) // 2]
    at = datetime.fromisoformat(meant["occurredAt"])
    first = next(each for each in events if datetime.fromisoformat(each["occurredAt"]) >= at)
    page = open_page(f"/sessions/{row['id']}?at={meant['occurredAt'].replace('+', '%2B')}")
    assert urlsplit(page.url).fragment == f"e{first['seq']}"
    clock = (at + timedelta(hours=9)).strftime("%H:%M")  # the browser is in Tokyo
    page = open_page(f"/sessions/{row['id']}")
    page.fill("input[name=at]", clock)
    page.click(".moment button")
    page.wait_for_url(re.compile(r"after=-?\d+#e\d+$"))
    seq = int(urlsplit(page.url).fragment[1:])
    assert seq in {each["seq"] for each in events}
    refused = httpx.get(f"{open_page.site}/sessions/{row['id']}?at=noon")
    assert refused.status_code == 422
    assert "write it like 03:12" in refused.text


def test_lines_are_read_and_searched(open_page: Opener) -> None:
    row = session_where(open_page.site, "&status=completed")
    lines = told(open_page.site, f"/api/db/logs/{row['id']}?limit=1000")
    page = open_page(f"/sessions/{row['id']}/lines")
    shown = page.locator(".printed li")
    assert shown.count() == min(len(lines), 100)
    assert shown.first.locator("code").inner_text()[:1400] == lines[0]["text"][:1400]
    word = row["agentSessionId"]
    holding = [line for line in lines if word in line["text"]]
    page.fill("input[name=q]", word.upper())
    page.press("input[name=q]", "Enter")
    page.wait_for_url(re.compile(r"q="))
    assert page.locator(".printed li").count() == min(len(holding), 100) > 0
    page = open_page(f"/sessions/{row['id']}/lines?part=end")
    assert page.locator(".printed li code").last.inner_text()[:1400] == lines[-1]["text"][:1400]


def test_errors_by_kind(open_page: Opener) -> None:
    groups = told(open_page.site, "/api/db/errors/groups?days=30&resolved=all")
    assert groups, "the demo has no error: this shows nothing"
    page = open_page("/errors?days=30&state=all")
    rows = page.locator("#groups tbody tr")
    assert rows.count() == len(groups)
    for n, group in enumerate(groups):
        text = " ".join(rows.nth(n).inner_text().split())
        assert group["shape"] in text
        assert f"{count(group['errors'])} in {group['sessions']} session" in text
    page.click("#groups .shape >> nth=0")
    page.wait_for_selector("#errors table")
    assert page.locator("#errors tbody tr").count() == groups[0]["errors"]
    page.click("#errors tbody a[href*='/sessions/'] >> nth=0")
    page.wait_for_selector("#timeline")


def test_they_fit_a_telephone(open_page: Opener) -> None:
    row = session_where(open_page.site)
    for path in ("", "/lines"):
        page = open_page(f"/sessions/{row['id']}{path}", width=NARROW, theme="dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW


def test_what_is_not_there(open_page: Opener) -> None:
    for path in (
        "/sessions/00000000-0000-0000-0000-000000000000",
        "/sessions/00000000-0000-0000-0000-000000000000/lines",
        "/errors/nothing",
        "/errors/" + "0" * 32,
    ):
        answer = httpx.get(f"{open_page.site}{path}", headers={"Accept": "text/html"})
        assert answer.status_code == 404, path
        assert "<h1>" in answer.text
    for query in ("cursor=AAAA", "status=asleep", "from=yesterday", "q=" + "x" * 2000):
        answer = httpx.get(f"{open_page.site}/sessions?{query}", headers={"Accept": "text/html"})
        assert answer.status_code in (400, 422), query
        assert query.partition("=")[0] in answer.text
