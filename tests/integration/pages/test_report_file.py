"""`acd report --html` without a browser: figures, text of agents, and what its policy allows."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from acd.cli.report_page import write_report
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from tests.integration.pages.conftest import text_of
from tests.integration.serving import put_seed

SPRING = (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), ZoneInfo("UTC"))


def test_the_file_has_all_it_needs(database_url: str, tmp_path: Path) -> None:
    put_seed(database_url)
    settings = Settings(home=tmp_path / "home", database_url=database_url)
    file = tmp_path / "report.html"
    assert write_report(settings, file, *SPRING) == file.stat().st_size
    page = file.read_text()
    text = text_of(page.partition("<script>/**")[0])
    assert "2026-02-01 00:00 to 2026-04-01 00:00 , UTC" in text
    assert "Sessions 8 1 failed" in text
    assert "Money and models, 2026-02-01 to 2026-03-31" in text
    assert "Models on the 1 target that each of them worked" in text
    assert "<b>Tool</b>" not in page
    assert "<i>overloaded</i>" not in page
    markup = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"\b(src|href)=", markup)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    assert "default-src 'none'" in unescape(policy[1])
    for script in re.findall(r'<script(?: type="module")?>(.*?)</script>', page, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in unescape(policy[1])


def test_a_file_that_cannot_be_written_is_told(database_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", database_url=database_url)
    with pytest.raises(ConfigError, match="cannot be written"):
        write_report(settings, tmp_path / "nothing" / "report.html", *SPRING)
