"""`acd doctor` finds what is wrong with a real machine, database and queue file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from acd.files.folder import SessionFolder
from acd.harness.environment import MARK
from tests.data.queue.place import Place

Program = Callable[..., subprocess.CompletedProcess[str]]
Findings = dict[str, list[dict[str, str]]]


@pytest.fixture
def place(tmp_path: Path, database_url: str, environment: dict[str, str]) -> Place:
    environment["ACD_FREE_SPACE_FLOOR"] = "0"
    environment["ACD_CLAUDE_BINARY"] = str(claude(tmp_path / "claude", "2.1.330 (Claude Code)"))
    environment["ANTHROPIC_API_KEY"] = "key"
    return Place(tmp_path, database_url)


def claude(path: Path, version: str) -> Path:
    """A program that tells a version and does nothing else."""
    path.write_text(f"#!/bin/sh\necho '{version}'\n")
    path.chmod(0o755)
    return path


def findings(done: subprocess.CompletedProcess[str], status: int) -> Findings:
    assert done.returncode == status, done.stdout + done.stderr
    by_subject: Findings = {}
    for one in json.loads(done.stdout):
        by_subject.setdefault(one["subject"], []).append(one)
    return by_subject


def test_a_machine_that_is_well(acd: Program, place: Place) -> None:
    place.repository("one", ["F1"])
    place.write_queue({"id": "one"})
    found = findings(acd("doctor", "--json"), 0)
    states = {subject: {one["state"] for one in ones} for subject, ones in found.items()}
    assert states.pop("git identity") == {"warn"}  # the test's user has none
    assert set(states) == {
        *("python", "git", "claude-code", "claude-code login", "scripted", "disk", "home", "port"),
        *("claude-code sandbox", "database", "time zone", "ledger", "recording", "queue file"),
    }
    assert {state for each in states.values() for state in each} == {"ok"}
    assert "2.1.330" in found["claude-code"][0]["message"]
    shown = acd("doctor", COLUMNS="80")
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    assert "Everything can work; 1 to know about." in shown.stdout


def test_a_verify_command_is_proposed_until_there_is_one(acd: Program, place: Place) -> None:
    """Also until the features have commands of their own."""
    for name in ("one", "two", "three"):
        (place.repository(name, ["F1"]) / "Makefile").write_text("test:\n\ttrue\n")
    own = '[{"id": "F1", "name": "One", "passes": false, "verify": "true"}]'
    (place.folder / "three" / "feature_list.json").write_text(own)
    place.write_queue({"id": "one"}, {"id": "two", "verify": "make test"}, {"id": "three"})
    found = findings(acd("doctor", "--json"), 0)
    (proposed,) = found["one"]
    assert proposed["state"] == "warn"
    assert '`make test`. Where that is right, confirm it: write "verify"' in proposed["advice"]
    assert not {"two", "three"} & set(found)


def test_everything_wrong_with_a_queue_is_named(acd: Program, place: Place) -> None:
    place.repository("good", ["F1"])
    broken = place.repository("broken", None)
    (broken / "feature_list.json").write_text("[{")
    (place.folder / "plain").mkdir()
    place.write_queue(
        {"id": "good", "prompt": "prompts/none.md"},
        {"id": "broken"},
        {"id": "plain"},
        {"id": "gone"},
        {"id": "odd", "path": "good", "agent": "nonsuch", "featureList": "good/other.json"},
        {"id": "", "path": "nowhere"},
        {"id": "off", "path": "gone-too", "enabled": False},
    )
    found = findings(acd("doctor", "--json"), 1)
    assert found["good"][0]["state"] == "warn"
    assert "none.md" in found["good"][0]["message"]
    assert "feature_list.json" in found["broken"][0]["message"]
    assert "no git repository" in found["plain"][0]["message"]
    assert "no folder" in found["gone"][0]["message"]
    assert "nonsuch" in found["odd"][0]["message"]
    assert found["nonsuch"][0]["state"] == "fail"
    assert "repos[5]" in found["queue file"][1]["message"]
    assert "off" not in found
    assert [one["state"] for one in found["broken"] + found["plain"] + found["gone"]] == [
        "fail"
    ] * 3


@pytest.mark.parametrize(("used", "state", "status"), [(True, "fail", 1), (False, "warn", 0)])
def test_an_agent_that_is_too_old_matters_where_it_is_used(
    acd: Program, place: Place, used: bool, state: str, status: int
) -> None:
    old = claude(place.folder / "old", "1.0.3 (Claude Code)")
    place.repository("one", ["F1"])
    place.write_queue({"id": "one", "agent": "claude-code" if used else "scripted"})
    found = findings(acd("doctor", "--json", ACD_CLAUDE_BINARY=str(old)), status)
    (one,) = found["claude-code"]
    assert one["state"] == state
    assert "1.0.3" in one["message"]


def test_a_missing_login_is_found_and_each_kind_of_login_counts(
    acd: Program, place: Place, environment: dict[str, str]
) -> None:
    place.repository("one", ["F1"])
    place.write_queue({"id": "one", "agent": "claude-code"})
    del environment["ANTHROPIC_API_KEY"]
    (login,) = findings(acd("doctor", "--json"), 1)["claude-code login"]
    assert "CLAUDE_CODE_OAUTH_TOKEN" in login["advice"]
    (login,) = findings(acd("doctor", "--json", CLAUDE_CODE_OAUTH_TOKEN="t"), 0)[
        "claude-code login"
    ]
    assert login["state"] == "ok"
    folder = Path(environment["HOME"]) / ".claude"
    folder.mkdir()
    (folder / ".credentials.json").write_text("{}")
    (login,) = findings(acd("doctor", "--json"), 0)["claude-code login"]
    assert ".credentials.json" in login["message"]


def test_sums_that_disagree_are_a_failure(
    acd: Program, place: Place, seed: Callable[[], None], database_url: str
) -> None:
    seed()
    place.write_queue()
    found = findings(acd("doctor", "--json"), 0)
    assert found["lines"][0]["state"] == found["prices"][0]["state"] == "warn"
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE harness_sessions SET input_tokens = input_tokens + 1 WHERE session_number = 1"
        )
    found = findings(acd("doctor", "--json"), 1)
    assert "input_tokens" in found["ledger"][0]["message"]


def test_a_database_that_is_away_and_a_full_disk(acd: Program, place: Place) -> None:
    place.write_queue()
    url = "postgresql://acd_user:hunter2hunter2@127.0.0.1:1/none"
    done = acd("doctor", "--json", DATABASE_URL=url, ACD_FREE_SPACE_FLOOR=str(2**60))
    found = findings(done, 1)
    assert found["database"][0]["state"] == found["disk"][0]["state"] == "fail"
    assert "hunter2" not in done.stdout


def test_an_open_home_and_a_stray_agent(
    acd: Program, place: Place, environment: dict[str, str]
) -> None:
    place.write_queue()
    session_id = uuid4()
    folder = SessionFolder(place.settings.sessions_dir / str(session_id))
    folder.create()
    place.settings.home.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-c", "import time; print(flush=True); time.sleep(300)"],
        env={"PATH": os.environ["PATH"], MARK: str(session_id)},
        stdout=subprocess.PIPE,
    ) as stray:
        assert stray.stdout is not None
        stray.stdout.readline()
        try:
            found = findings(acd("doctor", "--json"), 0)
        finally:
            stray.kill()
    assert str(stray.pid) in found["stray agent"][0]["message"]
    assert found["home"][0]["advice"] == f"chmod 700 {environment['ACD_HOME']}"


def test_a_sandbox_that_is_wanted_and_cannot_be_had(acd: Program, place: Place) -> None:
    place.repository("one", ["F1"])
    place.write_queue({"id": "one", "agent": "claude-code"})
    nothing = {"PATH": str(Path(sys.executable).parent), "ACD_AGENT_SANDBOX": "1"}
    (sandbox,) = findings(acd("doctor", "--json", **nothing), 1)["claude-code sandbox"]
    assert sandbox["state"] == "fail"
    assert "bwrap and socat not found" in sandbox["message"]
    assert "bubblewrap" in sandbox["advice"]


def test_agent_settings_that_a_repository_brings_are_told(acd: Program, place: Place) -> None:
    repository = place.repository("one", ["F1"])
    (repository / ".mcp.json").write_text("{}")
    place.write_queue({"id": "one", "agent": "claude-code"})
    told = findings(acd("doctor", "--json"), 0)["one"]
    assert [one["state"] for one in told] == ["warn"]
    assert ".mcp.json" in told[0]["message"]
    assert "acd consent one" in told[0]["advice"]
