"""The overview page of the demo in a real Chromium: what a person reads there is what the API says."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import httpx
import pytest

from acd.dashboard.formats import money, tokens
from tests.acceptance.performance import Stage, exact
from tests.acceptance.test_mission_examples import served

pytestmark = [pytest.mark.extra, pytest.mark.timeout(400)]

# As on a machine without the internet: nothing is looked up or fetched in the background.
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def seen(address: str, folder: Path) -> tuple[str, str]:
    """The page's text as Chromium has it after its scripts, and what Chromium's console complained of."""
    chromium = shutil.which("chromium")
    assert chromium, "install chromium (Debian: apt install chromium)"
    ended = subprocess.run(
        [
            chromium,
            *QUIET,
            "--enable-logging=stderr",
            f"--user-data-dir={folder}",
            "--dump-dom",
            address,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", ended.stdout)))
    complaints = [line for line in ended.stderr.splitlines() if "CONSOLE" in line]
    return text, "\n".join(complaints)


def test_the_overview_shows_the_figures_of_the_api(demo: Stage, tmp_path: Path) -> None:
    with served(demo.performance, 0) as address:
        summary = exact(httpx.get(f"{address}/api/db/targets/summary").text)["data"]
        targets = exact(httpx.get(f"{address}/api/db/targets").text)["data"]
        text, complaints = seen(address, tmp_path / "profile")
    assert complaints == ""
    assert f"{summary['passingFeatures']} / {summary['totalFeatures']}" in text
    assert tokens(summary["totalTokens"]) in text
    assert money(summary["totalCostUsd"]) in text
    assert f"{summary['verifiedFeatures']}" == "0"
    assert f"{summary['passingFeatures']} unverified" in text
    for target in targets:
        assert target["name"] in text
        assert target["repoId"] in text
