"""The queue with claims that are checked: what is rejected is told to the next session, and every step is a row."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from acd.database.connection import Database
from acd.queue.judged import read_judged
from acd.queue.orchestrator import RunOptions, work_queue
from tests.data.queue.place import Place, Seen

pytestmark = pytest.mark.extra


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


def session(*steps: dict[str, object]) -> dict[str, object]:
    return {"steps": list(steps)}


async def test_a_false_claim_on_its_way_to_verified(database: Database, place: Place) -> None:
    _write_story(place)
    seen = Seen()
    result = await work_queue(database, place.settings, RunOptions(), observer=seen)
    assert [end.status for end in result.targets] == ["complete"]
    first, second, third = seen.started
    assert first.rejections == []
    (told,) = second.rejections
    assert (told.key, told.change, told.attempts) == ("F1", "rejected", 1)
    assert told.evidence is not None
    assert "No such file" in told.evidence.output_tail
    assert (second.verified, second.to_recheck) == (["F2"], ["F2"])
    (told,) = third.rejections
    assert (told.key, told.change, told.attempts) == ("F2", "regressed", 0)
    # The prompt itself says so.
    (prompt,) = (
        place.settings.home / "sessions" / str(second.session_id) / "transcripts"
    ).iterdir()
    assert "`cat features/F1.md` exited with status 1" in prompt.read_text()

    rows = place.rows(
        "SELECT s.session_number, c.feature_key, c.change, c.evidence ->> 'exit_status' AS exit"
        " FROM feature_changes c JOIN harness_sessions s ON s.id = c.session_id"
        " WHERE c.evidence IS NOT NULL ORDER BY c.changed_at, c.source_offset"
    )
    assert [tuple(row.values()) for row in rows][:4] == [
        (1, "F1", "rejected", "1"),
        (1, "F2", "passing", "0"),
        (2, "F1", "passing", "0"),
        (2, "F2", "regressed", "1"),
    ]
    counted = [s["features_completed"] for s in place.sessions("shop")]
    assert counted == [1, 0, 2]
    features = place.rows("SELECT * FROM target_features ORDER BY feature_key")
    assert [(f["status"], f["verified_at"] is not None) for f in features] == [
        ("passing", True)
    ] * 3
    assert all(f["evidence"]["exit_status"] == 0 for f in features)
    (day,) = place.rows("SELECT * FROM progress_snapshots")
    assert (day["passing_features"], day["verified_features"]) == (3, 3)
    errors = place.rows("SELECT DISTINCT error_type FROM harness_errors ORDER BY 1")
    assert [row["error_type"] for row in errors] == ["tampering", "verification"]
    after = await read_judged(database, first.target.id)
    assert (after.rejections, set(after.verified)) == ([], {"F1", "F2", "F3"})
    place.assert_recorded()


def _write_story(place: Place) -> None:
    """Three sessions: a false claim beside a true one; the first one done and the other broken; all done."""
    repository = place.repository("shop", [])
    entries = [
        {"id": key, "name": key, "passes": False, "verify": f"cat features/{key}.md"}
        for key in ("F1", "F2", "F3")
    ]
    (repository / "feature_list.json").write_text(json.dumps(entries))
    _commit(repository)
    place.write_scenario(
        shop={
            "sessions": [
                session({"do": "claim_falsely", "key": "F1"}, {"do": "feature", "key": "F2"}),
                session(
                    {"do": "feature", "key": "F1"},
                    {"do": "bash", "command": "git rm -q features/F2.md && git commit -qm Oops"},
                ),
                session({"do": "feature", "count": 3}),
            ]
        }
    )
    place.write_queue({"id": "shop"})


async def test_a_target_that_nobody_can_verify_is_blocked(database: Database, place: Place) -> None:
    _commit(place.repository("shop", ["F1"]))
    place.write_scenario()
    place.write_queue({"id": "shop", "verify": "no-such-tester"})
    await work_queue(database, place.settings, RunOptions(), observer=Seen())
    target = place.target("shop")
    assert target["status"] == "blocked"
    assert "nobody can verify shop: `no-such-tester`" in target["status_reason"]
    assert target["passing_features"] == 0
    (feature,) = place.rows("SELECT * FROM target_features")
    assert (feature["status"], feature["verified_at"]) == ("claimed", None)


def _commit(repository: Path) -> None:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    git = ["git", "-C", str(repository), *identity]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Start"], check=True)
