"""The reading commands against known rows: the figures of `reports/seed.sql`."""

from __future__ import annotations

import csv
import io
import json
import stat
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

Program = Callable[..., subprocess.CompletedProcess[str]]
Seed = Callable[[], None]
SEVENTH = "50000000-0000-0000-0000-000000000007"


def exact(done: subprocess.CompletedProcess[str]) -> Any:  # noqa: ANN401 - JSON
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, parse_float=Decimal)


def line_with(done: subprocess.CompletedProcess[str], word: str) -> str:
    assert done.returncode == 0, done.stderr
    return next(line for line in done.stdout.splitlines() if word in line)


def test_status_of_known_rows(program: Program, seed: Seed) -> None:
    seed()
    done = program("status", COLUMNS="80")
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    working = next(line for line in done.stdout.splitlines() if "#7" in line)
    assert working.split()[:3] == ["shop-api", "#7", "opus"]
    assert "Bash" in working
    shop = next(line for line in done.stdout.splitlines() if line.startswith("shop-api  active"))
    assert shop.split()[-3:] == ["7", "31.2k", "$0.2800+?"]
    assert "1 disabled target" in done.stdout
    assert "2 errors" in done.stdout
    assert "3 lines" in done.stdout
    assert "1 request" in done.stdout


def test_status_labels_what_nobody_verified(acd: Program, seed: Seed) -> None:
    seed()
    done = acd("status", "--all")
    assert "2/2 unverified" in line_with(done, "org/tool")
    assert "1/3 " in line_with(done, "shop-api  active")
    assert "disabled" in line_with(done, "docs")


def test_status_as_json_is_exact(acd: Program, seed: Seed) -> None:
    seed()
    found = exact(acd("status", "--json"))
    assert found["summary"]["totalCostUsd"] == Decimal("0.2800004")
    assert found["pending"] == {"folders": 0, "bytes": 0}
    assert [row["id"] for row in found["running"]] == [SEVENTH]
    assert [row["repoId"] for row in found["targets"]] == ["docs", "shop-api", "org/tool"]
    assert found["standing"].pop("limits") == []
    assert found["standing"] == {"gapSessions": 0, "gapUsd": 0, "leftOutLines": 3, "openErrors": 2}


def test_status_tells_which_limits_hold_and_until_when(
    acd: Program, seed: Seed, database_url: str
) -> None:
    seed()
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO account_limits (agent, limit_window, status, resets_at, seen_at) VALUES"
            " ('claude-code', 'seven_day', 'rejected', now() + interval '1 hour', now()),"
            " ('claude-code', 'five_hour', 'rejected', now() - interval '1 hour', now()),"
            " ('scripted', 'five_hour', 'allowed', now() + interval '1 hour', now())"
        )
    done = acd("status")
    assert "wait until" in line_with(done, "Limit of claude-code (seven_day)")
    assert "five_hour" not in done.stdout, "it is over, or nobody met it"


def test_status_tells_gaps_between_what_agents_report_and_the_ledger(
    acd: Program, seed: Seed, database_url: str
) -> None:
    seed()
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE harness_sessions SET cost_gap_usd = 0.5 WHERE session_number = 1"
        )
    assert "1 session" in line_with(acd("status"), "+$0.5000")


def test_sessions(acd: Program, seed: Seed) -> None:
    seed()
    done = acd("sessions", "--repo", "shop-api", "--status", "failed")
    rows = done.stdout.splitlines()
    assert len(rows) == 2
    assert "shop-api #6" in rows[1]
    assert "overloaded" in rows[1]
    assert "\N{MINUS SIGN}1" in rows[1]
    assert len(exact(acd("sessions", "--limit", "3", "--json"))) == 3


def test_one_session_by_number_and_by_id(acd: Program, seed: Seed) -> None:
    seed()
    done = acd("session", "shop-api#5")
    assert "Add payments" in done.stdout
    assert line_with(done, "claimed").split()[1:3] == ["claimed", "pay"]
    assert "verified" in done.stdout
    assert "claude-opus-4-8" in done.stdout
    assert acd("session", SEVENTH[:-1] + "6").stdout.count("the model is <i>overloaded</i>") == 1
    whole = exact(acd("session", SEVENTH, "--json"))
    assert whole["sessionNumber"] == 7
    assert {one["model"] for one in whole["requestsByModel"]} == {"claude-opus-4-8", "mystery-1"}
    events = exact(acd("session", SEVENTH, "--events", "--json"))
    assert [(one["seq"], one["toolName"]) for one in events] == [
        (10, "Read"),
        (20, "Bash"),
        (30, None),
    ]


@pytest.mark.parametrize("name", ["5000", "nothing", "shop-api#99", "%%%%"])
def test_a_session_that_cannot_be_meant(acd: Program, seed: Seed, name: str) -> None:
    seed()
    done = acd("session", name)
    assert done.returncode == 1
    assert "session" in done.stderr
    assert done.stdout == ""


def test_features_errors_and_commits(acd: Program, seed: Seed) -> None:
    seed()
    features = acd("features", "shop-api")
    assert [line.split()[1] for line in features.stdout.splitlines()[1:4]] == [
        "login",
        "mail",
        "pay",
    ]
    assert "1 of 3 features pass." in features.stdout
    assert "no feature list yet" in acd("features", "docs").stdout
    assert "connection reset" in line_with(acd("errors"), "org/tool")
    assert "oops" not in acd("errors").stdout
    assert "oops" in acd("errors", "--all").stdout
    assert "shop-api #5" in line_with(acd("commits"), "Test payments")
    assert [one["sha"] for one in exact(acd("commits", "shop-api", "--json"))] == ["c2", "c1"]


def test_usage(acd: Program, seed: Seed) -> None:
    seed()
    by_model = acd("usage")
    assert line_with(by_model, "claude-opus-4-8").split()[1:] == [
        "7",
        "2.8k",
        "280",
        "28.0k",
        "140",
        "31.2k",
        "$0.2800",
    ]
    assert line_with(by_model, "all ").split()[-1] == "$0.2800+?"
    by_target = exact(acd("usage", "--by", "target", "--days", "30", "--json"))
    assert [(one["key"], one["costUsd"]) for one in by_target["rows"]] == [
        ("shop-api", Decimal("0.28000028")),
        ("org/tool", Decimal("0.00000012")),
    ]
    assert [one["unpricedRequests"] for one in exact(acd("usage", "--json"))["rows"]] == [0, 1]
    assert len(acd("usage", "--by", "day").stdout.splitlines()) >= 2
    assert acd("usage", "--daily").stdout == acd("usage", "--by", "day").stdout


def test_usage_as_csv_has_every_digit(acd: Program, seed: Seed) -> None:
    seed()
    done = acd("usage", "--by", "target", "--days", "30", "--csv")
    rows = {row["key"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert rows["org/tool"]["costUsd"] == "0.00000012"
    assert rows["shop-api"]["models"] == "claude-opus-4-8 mystery-1"


def test_usage_of_sessions_and_blocks(acd: Program, seed: Seed) -> None:
    seed()
    since = ("--since", "2026-03-01T00:30", "--until", "2026-03-02", "--timezone", "UTC")
    sessions = acd("usage", "--by", "session", "--limit", "2", *since)
    assert line_with(sessions, "shop-api #7").split()[-1] == "mystery-1"
    assert "5 more are in the sum only" in sessions.stdout
    blocks = acd("usage", "--blocks", *since)
    assert len(blocks.stdout.splitlines()) == 5
    assert "will come to" not in blocks.stdout


def test_usage_that_cannot_be_meant(acd: Program) -> None:
    for words, told in (
        (("--daily", "--weekly"), "one key at a time"),
        (("--since", "7d", "--days", "2"), "either --days or --since"),
        (("--since", "now", "--until", "yesterday"), "later than --since"),
        (("--csv", "--json"), "one of"),
        (("--timezone", "Nowhere"), "unknown time zone"),
        (("--since", "soon"), "is no time"),
    ):
        done = acd("usage", *words)
        assert done.returncode in (1, 2)
        assert told in done.stderr


def test_prices_of_what_was_used(acd: Program, seed: Seed) -> None:
    seed()
    done = acd("prices", "--day", "2026-03-01")
    assert line_with(done, "claude-opus-4-8").split()[1:7] == [
        "$5.00",
        "$25.00",
        "$0.50",
        "$6.25",
        "$10.00",
        "7",
    ]
    assert "mystery-1" in line_with(done, "Without a known price")
    rows = {one["model"]: one for one in exact(acd("prices", "--json"))}
    assert rows["mystery-1"]["tiers"] is None
    assert rows["claude-opus-4-8"]["tiers"][0]["cacheRead"] == Decimal("0.5")


def test_an_unknown_target_is_named(acd: Program) -> None:
    done = acd("features", "nobody")
    assert done.returncode == 1
    assert "'nobody'" in done.stderr


@pytest.mark.parametrize("command", ["status", "sessions", "errors", "commits", "usage", "prices"])
def test_an_empty_database_says_something(acd: Program, command: str) -> None:
    done = acd(command)
    assert done.returncode == 0
    assert done.stdout.strip()
    assert done.stderr == ""


def test_a_new_home_is_its_owners_alone(acd: Program, environment: dict[str, str]) -> None:
    assert acd("status").returncode == 0
    assert stat.S_IMODE(Path(environment["ACD_HOME"]).stat().st_mode) == 0o700


def test_a_home_that_cannot_be_made_is_told(acd: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = acd("status", "--home", str(tmp_path / "file" / "home"))
    assert done.returncode == 1
    assert "ACD_HOME" in done.stderr
