"""`acd prices set`, `unset`, `acd reprice`: the program as a user calls it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

Program = Callable[..., subprocess.CompletedProcess[str]]


def exact(done: subprocess.CompletedProcess[str]) -> Any:  # noqa: ANN401 - JSON
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout, parse_float=Decimal)


def test_a_price_is_set_used_and_taken_back(acd: Program, seed: Callable[[], None]) -> None:
    seed()
    assert "mystery-1" in acd("prices").stdout.splitlines()[-1]
    done = acd(
        *("prices", "set", "mystery-1", "--input", "100000", "--output", "$2.50"),
        *("--cache-write-1h", "4", "--from", "2026-01-01"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "acd reprice --model mystery-1 --since 2026-01-01" in done.stdout
    (row,) = exact(acd("prices", "mystery-1", "--json"))
    assert row["source"] == "set by hand from 2026-01-01"
    assert row["tiers"][0] == {
        "aboveTokens": 0,
        "input": 100000,
        "output": Decimal("2.5"),
        "cacheRead": 100000,
        "cacheWrite5m": 100000,
        "cacheWrite1h": 4,
        "webSearch": 0,
    }
    assert exact(acd("prices", "mystery-1", "--day", "2025-12-31", "--json"))[0]["tiers"] is None
    tried = acd("reprice", "--model", "mystery-1", "--dry-run")
    assert (
        "1 request of 1 would cost something else now, in 1 session: $0.7000 in all" in tried.stdout
    )
    told = exact(acd("reprice", "--model", "mystery-1", "--json"))
    assert (told["changedRequests"], told["costAfterUsd"]) == (1, Decimal("0.7"))
    assert (told["unpricedBefore"], told["unpricedAfter"]) == (1, 0)
    session = exact(acd("session", "shop-api#7", "--json"))
    assert (session["unpricedRequests"], session["costUsd"]) == (0, Decimal("0.77000007"))
    assert "each has its price" in acd("reprice", "--model", "mystery-1").stdout
    assert "1 price of mystery-1 taken back" in acd("prices", "unset", "mystery-1").stdout
    assert exact(acd("prices", "mystery-1", "--json"))[0]["tiers"] is None


def test_a_price_for_one_provider_is_shown_beside_the_others(acd: Program) -> None:
    model = "claude-opus-5-5"
    (listed,) = exact(acd("prices", model, "--json"))
    for provider in ("groq", "anthropic"):
        acd("prices", "set", model, "--input", "7", "--output", "9", "--provider", provider)
        rows = exact(acd("prices", model, "--json"))
        inputs = {row["provider"]: row["tiers"][0]["input"] for row in rows}
        usual = None if provider == "groq" else provider
        rate = listed["tiers"][0]["input"] if usual is None else 7
        assert inputs == {usual: rate, "groq": 7}
        assert [row["requests"] for row in rows] == [listed["requests"], 0]
    assert f"{model} (groq)" in acd("prices", model).stdout
    acd("prices", "unset", model)
    assert exact(acd("prices", model, "--json")) == [listed]


def test_what_cannot_be_set_is_said(acd: Program, environment: dict[str, str]) -> None:
    whole = ("prices", "set", "m", "--input", "1", "--output", "1")
    for words, told in (
        (("prices", "set", "m", "--input", "1"), "--output"),
        (("prices", "set", "m", "--input", "x", "--output", "1"), "no amount of USD"),
        (("prices", "set", "m", "--input", "-1", "--output", "1"), "0 or more"),
        (("prices", "set", "m", "--input", "NaN", "--output", "1"), "0 or more"),
        ((*whole, "--from", "soon"), "--from"),
        (("prices", "unset", "m"), "no price of 'm' was set"),
        (("reprice", "--since", "soon"), "is no time"),
    ):
        done = acd(*words)
        assert done.returncode in (1, 2), words
        assert told in done.stderr, done.stderr
    there = acd(*whole, ACD_URL="http://127.0.0.1:1", DATABASE_URL="")
    assert there.returncode == 1
    assert "ACD_URL names another server" in there.stderr


def test_help_names_what_can_be_done(acd: Program) -> None:
    told = acd("prices", "--help").stdout
    assert all(word in told for word in ("list", "set", "unset"))
    assert "--cache-write-5m" in acd("prices", "set", "--help").stdout
