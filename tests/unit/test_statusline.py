"""The status line: from whatever Claude Code tells and whatever the file holds, always one line, with little loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acd.cli.statusline import FILE, line_of
from acd.core.settings import default_home
from acd.queue.status_file import NAME

NOW = 1_800_000_000.0
TOLD: dict[str, Any] = {
    "model": {"id": "claude-opus-5-5", "display_name": "Opus"},
    "workspace": {"current_dir": "/repos/shop/src"},
    "cost": {"total_cost_usd": 0.4249},
    "context_window": {"used_percentage": 41.6},
}
KEPT: dict[str, Any] = {
    "writtenAt": NOW - 10,
    "dayEnds": NOW + 100,
    "todayUsd": "12.3",
    "blockUsd": "4.10",
    "blockEnds": NOW + 2 * 3600 + 10 * 60 + 5,
    "targets": [
        {"path": "/repos", "repoId": "all", "passing": 1, "total": 2},
        {"path": "/repos/shop", "repoId": "shop-api", "passing": 12, "total": 20},
        {"path": "/repos/shop/src2", "repoId": "other", "passing": 0, "total": 1},
    ],
}


def test_everything_that_is_known_stands_in_the_line() -> None:
    assert line_of(TOLD, KEPT, NOW) == (
        "Opus 42% \u00b7 $0.42 session \u00b7 $12.30 today \u00b7 $4.10 block, 2h10m left \u00b7 shop-api 12/20"
    )


def test_what_is_at_list_price_says_so() -> None:
    kept = {**KEPT, "todayListed": "partly at list price", "blockListed": "at list price"}
    line = line_of({}, kept, NOW)
    assert "$12.30 today partly at list price" in line
    assert "$4.10 block at list price, 2h10m left" in line


def test_what_is_over_or_old_is_not_told_as_new() -> None:
    assert "today" not in line_of({}, KEPT, NOW + 101)
    assert "block" not in line_of({}, KEPT, NOW + 3 * 3600)
    old = line_of({}, {**KEPT, "dayEnds": NOW + 9999}, NOW + 3700)
    assert old.startswith("$12.30 today (")


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({}, {}),
        ({"model": None, "cost": [], "workspace": "x"}, {"targets": 7, "writtenAt": "x"}),
        (
            {"model": {"display_name": 5}, "cost": {"total_cost_usd": True}},
            {"targets": [3, None, {}]},
        ),
        ({"cost": {"total_cost_usd": float("nan")}}, {"writtenAt": NOW, "dayEnds": float("inf")}),
    ],
)
def test_what_has_another_form_is_left_out(told: dict[str, Any], kept: dict[str, Any]) -> None:
    assert line_of(told, kept, NOW) == "acd"


def test_names_of_others_do_not_steer_the_terminal() -> None:
    line = line_of({"model": {"display_name": "\x1b[31mO\nx"}}, {}, NOW)
    assert line == "?[31mO?x"


def call(stdin: bytes, home: Path | None, code: str = "") -> subprocess.CompletedProcess[bytes]:
    environment = {"HOME": "/nonexistent"} | ({"ACD_HOME": str(home)} if home else {})
    program = ["-c", code, "statusline"] if code else ["-m", "acd", "statusline"]
    return subprocess.run(
        [sys.executable, *program],
        input=stdin,
        capture_output=True,
        timeout=60,
        env=environment,
        check=False,
    )


def test_the_program_prints_one_line_whatever_it_is_given(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps(KEPT))
    done = call(json.dumps(TOLD).encode(), tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("Opus 42% \u00b7 $0.42 session")
    (tmp_path / FILE).write_bytes(b"{\xff" + b"[" * 100_000)
    done = call(b"[" * 100_000, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"acd\n", b"")
    for bad in (
        b"",
        b"{bad",
        b'{"a":',
        b'{"a":1e999,"b":NaN}',
        b"\xff\xfe",
        b"[]",
        b'{"a":"\x01"}',
    ):
        done = call(bad, tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"acd\n", b""), bad


def test_it_loads_next_to_nothing() -> None:
    code = "import sys; from acd.cli.entry import main; main(); print(*sorted(sys.modules), file=sys.stderr)"
    loaded = call(b"{}", None, code).stderr.decode().split()
    assert "acd.cli.statusline" in loaded
    heavy = {
        "re",
        "json.decoder",
        "typer",
        "rich",
        "psycopg",
        "msgspec",
        "asyncio",
        "pathlib",
        "acd.cli.main",
        "difflib",
    }
    assert not heavy & set(loaded)


def test_it_finds_the_same_home_as_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os; from acd.core.home import home_by; print(home_by(os.environ))"
    for given in ({}, {"XDG_DATA_HOME": "/somewhere"}):
        monkeypatch.delenv("XDG_DATA_HOME", raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        found = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=dict(os.environ),
        )
        assert found.stdout.strip() == str(default_home())
    assert FILE == NAME


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1e14", "1e999", "true"])
def test_no_number_is_too_large_for_it(number: str) -> None:
    kept = {"writtenAt": json.loads(number), "dayEnds": json.loads(number), "todayUsd": "1"}
    told = {"cost": {"total_cost_usd": json.loads(number)}, "model": {"display_name": "M" * 500}}
    assert len(line_of(told, kept, 1e9).partition(" \u00b7 ")[0]) <= 40
