"""A queue file with 199 entries and every oddity of real ones: `acd sync` reads it, `acd status` shows them all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.acceptance.performance import exact
from tests.acceptance.program import Program
from tests.data.queue.generate import generate


@pytest.fixture
def program(tmp_path: Path, database_url: str) -> Program:
    queue = generate(tmp_path)
    return Program(tmp_path, DATABASE_URL=database_url, ACD_QUEUE_FILE=str(queue))


def entries(program: Program) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        Path(program.environment["ACD_QUEUE_FILE"]).read_text()
    )["repos"]
    return found


def features_of(program: Program, entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Its feature list, found as the mission's users lay them out: beside the queue file, else in the repository."""
    queue = Path(program.environment["ACD_QUEUE_FILE"]).parent
    path = queue / entry.get("featureList", f"{entry['path']}/feature_list.json")
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


def test_all_are_synced_and_shown(program: Program, database_url: str) -> None:
    synced = exact_of(program, "sync")
    listed = entries(program)
    assert len(listed) == 199
    assert (synced["summary"]["inFile"], synced["summary"]["added"]) == (199, 199)
    assert (synced["summary"]["skipped"], synced["summary"]["featureLists"]) == (0, 199)
    shown = exact_of(program, "status")
    rows = {row["repoId"]: row for row in shown["targets"]}
    assert set(rows) == {entry["id"] for entry in listed}
    for entry in listed:
        features = features_of(program, entry)
        row = rows[entry["id"]]
        assert row["totalFeatures"] == len(features)
        assert row["passingFeatures"] == sum(one["passes"] for one in features)
        assert row["name"] == entry.get("name", entry["id"])
        assert row["enabled"] == entry.get("enabled", True)
        assert row["priority"] == priority_of(entry)
    order = [(row["priority"], row["repoId"]) for row in shown["targets"]]
    assert [priority for priority, _ in order] == sorted(priority for priority, _ in order)
    assert min(order)[0] < 0
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        found = connection.execute(
            "SELECT count(*) AS targets, count(DISTINCT path) AS paths, sum(total_features)::int AS features, "
            "sum(passing_features)::int AS passing FROM targets"
        ).fetchone()
    assert found
    assert found["targets"] == 199
    assert found["paths"] < 199  # several share one
    assert shown["summary"]["totalFeatures"] == found["features"] == 199 * 5
    assert shown["summary"]["passingFeatures"] == found["passing"]


def test_the_page_names_them_and_a_second_sync_changes_nothing(program: Program) -> None:
    exact_of(program, "sync")
    again = exact_of(program, "sync")
    assert [again["summary"][name] for name in ("added", "changed", "disabled")] == [0, 0, 0]
    everyone = {entry["id"] for entry in entries(program)}
    disabled = {entry["id"] for entry in entries(program) if not entry.get("enabled", True)}
    assert disabled
    assert names_in(program.call("status").stdout) == everyone - disabled
    assert names_in(program.call("status", "--all").stdout) == everyone


def exact_of(program: Program, word: str) -> Any:  # noqa: ANN401 - JSON
    done = program.call(word, "--json")
    assert done.returncode == 0, done.stderr
    return exact(done.stdout)


def names_in(page: str) -> set[str]:
    return {line.split()[0] for line in page.splitlines() if line.startswith("target-")}


def priority_of(entry: dict[str, Any]) -> int:
    return int(str(entry.get("priority", 99)).removeprefix("P"))
