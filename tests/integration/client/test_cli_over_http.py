"""The reading commands with ACD_URL: what they print is what they print on the server's own machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.integration.serving import serving_process

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

Program = Callable[..., subprocess.CompletedProcess[str]]
FIFTH = "50000000-0000-0000-0000-000000000005"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def url(seed: Callable[[], None], database_url: str, tmp_path: Path) -> Iterator[str]:
    """A server of the known rows, in a home that is not the commands' own."""
    seed()
    folder = tmp_path / "builder"
    folder.mkdir()
    with serving_process(database_url, folder) as (_, address):
        yield address


COMMANDS = [
    "status --all",
    "sessions",
    "sessions --repo shop-api --status failed",
    "sessions --model opus --limit 3",
    "session shop-api#5",
    f"session {FIFTH}",
    "session shop-api#7 --events",
    "features shop-api",
    "features docs",
    "features org/tool --removed",
    "errors",
    "errors --all --repo shop-api",
    "commits",
    "commits shop-api --limit 1",
    "usage",
    "usage --by day --days 30",
    "usage --by target --days 3660",
    "usage --repo shop-api",
    "usage --by session --since 2026-03-01T00:00 --timezone Asia/Tokyo --limit 3",
    "report --costs --since 2026-01-01 --until 2026-12-01",
    "usage --blocks --since 2026-03-01",
    "prices --day 2026-03-01",
    "report --since 2026-01-01 --until 2026-12-01T12:00",
]


def test_tables_and_json_are_the_same(acd: Program, url: str) -> None:
    """One server for all of them: starting one costs more than asking it."""
    lines = [words.split() for line in COMMANDS for words in (line, f"{line} --json")]
    for words in lines:
        here = acd(*words)
        there = acd(*words, ACD_URL=url, DATABASE_URL=NOWHERE)
        assert here.returncode == there.returncode == 0, there.stderr
        assert there.stdout == here.stdout, words
        assert there.stdout, words


def test_what_is_not_there_is_told_the_same_way(acd: Program, url: str) -> None:
    for line in ("features nobody", "session shop-api#99", "session 5000"):
        here = acd(*line.split())
        there = acd(*line.split(), ACD_URL=url, DATABASE_URL=NOWHERE)
        assert (here.returncode, here.stdout) == (there.returncode, there.stdout) == (1, "")
        assert there.stderr == here.stderr


def test_a_timeline_of_many_pages_is_put_together(
    acd: Program, url: str, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO session_events (target_id, session_id, seq, kind, text) "
            "SELECT s.target_id, s.id, 100 + n, 'text', 'line ' || n FROM harness_sessions s, "
            "generate_series(1, 2500) AS n WHERE s.id = %s",
            (FIFTH,),
        )
    here = acd("session", FIFTH, "--events", "--json")
    there = acd("session", FIFTH, "--events", "--json", ACD_URL=url, DATABASE_URL=NOWHERE)
    assert there.stdout == here.stdout
    rows = json.loads(there.stdout)
    assert [row["seq"] for row in rows[-2500:]] == list(range(101, 2601))


def test_exports_are_the_same(acd: Program, url: str, tmp_path: Path) -> None:
    for kind in ("sessions", "usage", "errors", "commits"):
        here = acd("export", kind, "--format", "jsonl")
        file = tmp_path / f"{kind}.jsonl"
        words = ("export", kind, "--format", "jsonl", "--output", str(file))
        there = acd(*words, ACD_URL=url, DATABASE_URL=NOWHERE)
        assert there.returncode == 0, there.stderr
        assert file.read_text() == here.stdout
        assert f"{file.stat().st_size:,} bytes" in there.stdout
    assert list(tmp_path.glob(".*.part")) == []


def test_an_export_that_fails_leaves_the_file_as_it_was(acd: Program, tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    file.write_text("the old one")
    done = acd("export", "usage", "--output", str(file), ACD_URL="http://127.0.0.1:1")
    assert done.returncode == 3
    assert file.read_text() == "the old one"
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".part")] == []


def test_a_flag_for_this_machine_wins_over_the_url(
    acd: Program, url: str, database_url: str
) -> None:
    done = acd("sessions", "--database-url", database_url, ACD_URL="http://127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    assert "shop-api #7" in done.stdout


def test_a_server_that_wants_its_token(
    acd: Program, seed: Callable[[], None], database_url: str, tmp_path: Path
) -> None:
    seed()
    with serving_process(database_url, tmp_path, ACD_AUTH="always") as (_, address):
        refused = acd("sessions", ACD_URL=address, ACD_HOME=str(tmp_path / "other"))
        assert refused.returncode == 1
        assert "ACD_TOKEN" in refused.stderr
        token = (tmp_path / "home" / "token").read_text().strip()
        given = acd("sessions", ACD_URL=address, ACD_HOME=str(tmp_path / "other"), ACD_TOKEN=token)
        assert given.returncode == 0, given.stderr
        assert "shop-api #7" in given.stdout


def test_a_command_over_http_loads_no_database_driver(
    environment: dict[str, str], url: str
) -> None:
    """It would only slow its start."""

    def loaded(**more: str) -> str:
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "acd", "status"],
            env=environment | more,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stderr

    here, there = loaded(), loaded(ACD_URL=url)
    assert ("psycopg" in here, "psycopg" in there) == (True, False)
    assert ("httpx" in here, "httpx" in there) == (False, True)
