"""What the short way of `acd import` and `acd usage` loads, and that it knows what the ordinary way knows."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args

import pytest

from acd.agents.histories import load_history
from acd.agents.layout.installed import LAYOUTS, only_ours
from acd.cli import short, short_import, short_usage
from acd.cli.output import Column, make_console, show_table
from acd.cli.plain import Paper, table
from acd.cli.short import settings_by
from acd.core.environment import described_settings, load_settings
from acd.core.errors import NotQuick
from acd.core.usage_rows import UsageBy
from acd.reports import used

HEAVY = {
    "acd.cli.main",
    "acd.core.settings",
    "asyncio",
    "dataclasses",
    "importlib.metadata",
    "msgspec",
    "psycopg",
    "rich",
    "subprocess",
    "typer",
    "typing_extensions",
    "uuid",
}


@pytest.mark.parametrize("command", ["import", "usage"])
def test_it_loads_little(command: str) -> None:
    code = f"import sys, acd.cli.entry, acd.cli.short_{command}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert f"acd.cli.short_{command}" in loaded
    assert not loaded & HEAVY


def test_it_knows_every_history_of_ours() -> None:
    ours = {(e.name, e.value) for e in entry_points(group="acd.histories")}
    assert ours == {(layout.name, layout.entry) for layout in LAYOUTS}
    assert only_ours(sys.path)
    home = {"HOME": "/nonexistent", "CLAUDE_CONFIG_DIR": "/a//b/, ~/c"}
    settings = load_settings(home)
    for layout in LAYOUTS:
        assert layout.roots(home) == load_history(layout.name).roots(settings, home)


def test_a_plugin_is_noticed(tmp_path: Path) -> None:
    for kind in ("dist-info", "egg-info"):
        plugin = tmp_path / kind / f"more-1.0.{kind}"
        plugin.mkdir(parents=True)
        assert only_ours([*sys.path, str(plugin.parent)])
        (plugin / "entry_points.txt").write_text("[x]\na = b:c\n\n[acd.histories]\nmore=more:HISTORY\n")  # fmt: skip
        assert not only_ours([*sys.path, str(plugin.parent)])
    assert not only_ours([str(tmp_path)])
    packed = tmp_path / "packed.zip"
    packed.write_bytes(b"")
    assert not only_ours([*sys.path, str(packed)])


def test_it_reads_settings_as_the_ordinary_way(tmp_path: Path) -> None:
    for more in (
        {},
        {"ACD_HOST_NAME": "builder", "ACD_TIMEZONE": "UTC", "BACKEND_PORT": "80", "ACD_TOKEN": "x"},
        {"ACD_DATABASE_URL": "postgresql://a/b"},
        {"DATABASE_URL": "postgresql://c/d", "ACD_DATABASE_URL": "postgresql://a/b", "ACD_PORT": ""},
    ):  # fmt: skip
        environment = {"ACD_HOME": str(tmp_path), **more}
        found, wanted = settings_by(environment), load_settings(environment)
        assert (found.home, found.database_url, found.host_name) == (
            wanted.home,
            wanted.database_url,
            wanted.host_name,
        )
        assert found.timezone == (wanted.timezone if "timezone" in wanted.given else None)


def test_it_leaves_settings_that_might_be_wrong_to_the_ordinary_way(tmp_path: Path) -> None:
    free = {"ACD_ALLOWED_HOSTS", "ACD_HOST", "ACD_NOTIFY_URLS", "ACD_TIMEZONE", "ACD_HOME"}
    free |= {"DATABASE_URL", "ACD_DATABASE_URL", "CLAUDE_CONFIG_DIR"}
    names = {name for setting in described_settings() for name in setting.environment}
    assert free < names
    for name in names - free:
        with pytest.raises(NotQuick):
            settings_by({"ACD_HOME": str(tmp_path), name: "a b"})


ROWS = [["2026-01-01", "5", "$1.00", "a, b"], ["all", "1,200", "$12.00", ""], ["x" * 70, "1", "$0", "m"]]  # fmt: skip
COLUMNS = [Column("Day", flexible=True), Column("Requests", right=True, needs=60), Column("Cost", right=True), Column("Models", flexible=True, needs=110)]  # fmt: skip


@pytest.mark.parametrize("width", [25, 40, 59, 60, 90, 110, 111, 300])
def test_its_tables_are_those_of_rich(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for force, bold in (("1", True), ("", False)):
        monkeypatch.setenv("FORCE_COLOR", force)
        assert make_console().is_terminal == bold
        show_table(COLUMNS, ROWS)
        assert table(COLUMNS, ROWS, Paper(width, bold)) == capsys.readouterr().out


@pytest.mark.parametrize("cell", ["\u00e9", "a\x1b[0m", "x" * 401])
def test_what_is_not_plain_is_left_to_rich(cell: str) -> None:
    with pytest.raises(NotQuick):
        table([Column("A")], [[cell]], Paper(1000, False))


@pytest.mark.parametrize("words", ["usage", "import"])
@pytest.mark.parametrize("error", [NotQuick("x"), PermissionError(13, "x"), ValueError("x")])
def test_whatever_goes_wrong_is_left_to_the_ordinary_way(
    words: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(short, "settings_by", fail)
    done = {"usage": short_usage.done, "import": short_import.done}[words]
    assert done([]) is False


def test_it_knows_every_key_that_sums_are_kept_of() -> None:
    assert set(short_usage._SUMMED) == set(get_args(UsageBy)) - set(used._SHARED)
    flags = {words[0]: by for words, by in short_usage._WORDS.items() if len(words) == 1}
    assert flags == {"--daily": "day", "--weekly": "week", "--monthly": "month"}
    named = {words[1]: by for words, by in short_usage._WORDS.items() if len(words) == 2}
    assert all(key == by for key, by in named.items())
