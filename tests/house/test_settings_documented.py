"""docs/settings.md names every setting with its variable, default and meaning, and nothing that is none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from acd.core.environment import Described, described_settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
_ROW = re.compile(r"^\| `([A-Z_]+)`[^|]*\| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)


@pytest.mark.parametrize("setting", list(described_settings()), ids=lambda one: one.name)
def test_each_setting_stands_in_the_page(setting: Described) -> None:
    rows = {name: (default, meaning) for name, default, meaning in _ROW.findall(PAGE.read_text())}
    default, meaning = rows[setting.environment[0]]
    assert meaning.strip() == setting.description
    if setting.name not in ("home", "host_name"):  # their defaults depend on the machine
        shown = "" if setting.default in (None, "") else f"`{setting.default}`"
        assert default.strip() == shown


def test_the_page_names_nothing_else() -> None:
    known = {name for one in described_settings() for name in one.environment}
    assert set(re.findall(r"`(ACD_[A-Z_]+)`", PAGE.read_text())) <= known | {"ACD_DEBUG"}
