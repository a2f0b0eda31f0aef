"""`/docs`: a page whose parts all come from this machine, and that works under our policy."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx
import pytest

from acd.core.settings import Settings
from tests.integration.api.served import served

CHROMIUM = Path("/usr/bin/chromium")


async def test_every_part_is_served_by_us(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    parts = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(parts) >= 4
    for part in parts:
        assert part.startswith("/"), part
        answer = await client.get(part)
        assert answer.status_code == 200, part
        assert answer.content
    assert not re.search(r"<script[^>]*>[^<]", page.text), "the policy forbids inline scripts"
    assert (await client.get("/docs/parts/nothing.js")).status_code == 404


@pytest.mark.extra
def test_a_browser_shows_the_operations(database_settings: Settings, tmp_path: Path) -> None:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: install chromium (tests marked `extra` need it)")
    with served(database_settings) as address:
        done = subprocess.run(
            [
                *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
                *(f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000"),
                *("--enable-logging=stderr", "--v=0", f"{address}/docs"),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=110,
        )
    assert "Refused to" not in done.stderr
    assert "Content Security Policy" not in done.stderr
    assert "operations-sessions-listSessions" in done.stdout
    assert "operations-reports-reportCost" in done.stdout
