"""`acd report` over known rows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import psycopg
import pytest

# `make test` is to take less than five minutes.
pytestmark = pytest.mark.extra

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.usefixtures("filled")
def test_a_night_is_told(acd: Program) -> None:
    done = acd("report", "--since", "2026-03-01", "--until", "2026-03-02", "--timezone", "UTC")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("From 2026-03-01 00:00 to 2026-03-02 00:00 (UTC):\n")
    assert "1 verified" in done.stdout
    assert "rejected" not in done.stdout
    assert "shop-api" in done.stdout
    assert "runs now" in done.stdout
    period = json.loads(
        acd("report", "--since", "2026-03-01", "--until", "2026-03-02", "--json").stdout
    )["period"]
    assert f"{period['sessions']} sessions ({period['failedSessions']} failed)" in done.stdout


@pytest.mark.usefixtures("filled")
def test_rejected_claims_are_told(acd: Program, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE feature_changes SET change = 'rejected', status = 'rejected' WHERE source_offset = 20"
        )
    done = acd("report", "--since", "2026-03-01", "--until", "2026-03-02", "--timezone", "UTC")
    assert "1 claim rejected" in done.stdout
    assert "1 (1 rejected)" in done.stdout


@pytest.mark.usefixtures("filled")
def test_a_zone_moves_the_days(acd: Program) -> None:
    words = ("report", "--since", "2026-03-01", "--until", "2026-03-02", "--json")
    found = json.loads(acd(*words, "--timezone", "Asia/Tokyo").stdout)["period"]
    assert found["since"] == "2026-02-28T15:00:00+00:00"


@pytest.mark.usefixtures("filled")
def test_costs_are_told(acd: Program) -> None:
    night = ("--since", "2026-03-01", "--until", "2026-03-02", "--timezone", "UTC")
    done = acd("report", "--costs", *night)
    assert (done.returncode, done.stderr) == (0, "")
    row = next(line for line in done.stdout.splitlines() if line.startswith("shop-api"))
    assert row.split()[1:] == [
        *("7", "$0.2800+?", "1", "$0.2800", "1", "$0.2800"),
        *("$0.1400", "$0.0600", "$0", "$0.0600"),
    ]
    assert "shop-api: 2 features to go, about $0.4000" in done.stdout
    assert "overloaded" in done.stdout
    exact = json.loads(acd("report", "--costs", "--repo", "nobody", *night, "--json").stdout)
    assert exact["targets"] == []
    assert "No session began" in acd("report", "--costs", "--repo", "nobody", *night).stdout
    assert acd("report", "--repo", "shop-api").returncode == 2


@pytest.mark.usefixtures("filled")
def test_what_is_at_list_price_is_told(acd: Program, database_url: str) -> None:
    night = ("--since", "2026-03-01", "--until", "2026-03-02", "--timezone", "UTC")
    commands = (
        ("report", *night),
        ("report", "--costs", *night),
        ("usage", "--blocks", "--since", "2026-03-01"),
        ("usage", "--since", "2026-03-01"),
        ("status",),
    )
    assert not any("at list price" in acd(*words).stdout for words in commands)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE harness_sessions SET billing = 'subscription'")
    for words in commands:
        assert "All of it is at list price: of sessions under a subscription" in (
            " ".join(acd(*words).stdout.split())
        ), words


def test_what_cannot_be_meant_is_said(acd: Program) -> None:
    for words, status, told in (
        (("--since", "soon"), 1, "'soon' is no time"),
        (("--timezone", "Nowhere"), 1, "unknown time zone"),
        (("--since", "now", "--until", "yesterday"), 2, "later than --since"),
    ):
        done = acd("report", *words)
        assert done.returncode == status
        assert told in done.stderr


@pytest.fixture
def filled(seed: Callable[[], None]) -> None:
    seed()
