"""The queue file: what is understood, what is skipped with its name, what is refused as a whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from acd.core.errors import QueueFileError
from acd.core.models import Target
from acd.queue.file import parse_queue_file, read_queue_file
from tests.data.queue.generate import ODDITIES, generate


def write(folder: Path, *entries: object, **top: object) -> Path:
    path = folder / "repo-queue.json"
    path.write_text(json.dumps({"version": "1.1", "repos": entries, **top}))
    return path


def read_one(folder: Path, **entry: object) -> Target:
    queue = read_queue_file(write(folder, {"id": "a", "path": "a", **entry}))
    assert queue.problems == []
    return queue.targets[0]


def test_the_example_of_the_issue(tmp_path: Path) -> None:
    folder = tmp_path / "queue"
    folder.mkdir()
    (folder / "prompts").mkdir()
    (folder / "prompts" / "shop.md").write_text("…")
    text = """
    {"version": "1.1", "defaults": {"sessionDelay": 0, "maxSessionsPerRepo": 50},
     "modelConfig": {"defaultComplexity": "medium", "taskTypeMapping": {"refactor": "medium"},
       "complexityLevels": {"high": {"models": ["opus"], "fallback": "sonnet", "maxRetries": 3}}},
     "repos": [{"id": "shop-api", "name": "Shop API", "path": "../shop-api", "priority": 1, "complexity": "high", "enabled": true,
       "focus": "payment webhooks", "prompt": "prompts/shop.md", "prd": "docs/prd.md", "featureList": "../shop-api/feature_list.json",
       "untilComplete": true, "tags": ["api"], "serialGroup": "shop", "verify": "pytest -q", "agent": "claude-code", "notes": "free text"}]}
    """
    path = folder / "repo-queue.json"
    path.write_text(text)
    queue = read_queue_file(path)
    assert queue.targets == [
        Target(
            repo_id="shop-api",
            name="Shop API",
            path=str(tmp_path / "shop-api"),
            priority=1,
            complexity="high",
            focus="payment webhooks",
            prompt=str(folder / "prompts" / "shop.md"),
            prd=str(folder / "docs" / "prd.md"),
            feature_list=str(tmp_path / "shop-api" / "feature_list.json"),
            serial_group="shop",
            tags=["api"],
            verify_command="pytest -q",
        )
    ]
    assert (queue.problems, queue.warnings) == ([], [])
    assert queue.models.complexity_levels["high"].fallback == "sonnet"
    assert queue.models.complexity_levels["high"].max_retries == 3
    assert queue.text == text


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    target = read_one(tmp_path)
    assert target == Target(
        repo_id="a",
        name="a",
        path=str(tmp_path / "a"),
        feature_list=str(tmp_path / "a" / "feature_list.json"),
    )
    assert target.enabled
    assert target.priority == 99
    assert target.complexity == "medium"


def test_defaults_of_the_file_and_an_entry_that_differs(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"id": "a", "path": "a"},
        {"id": "b", "path": "b", "sessionDelay": 0, "maxSessionsPerRepo": 3, "agent": "scripted"},
        defaults={"sessionDelay": 2.5, "maxSessionsPerRepo": 7, "priority": "P4"},
        modelConfig={"defaultComplexity": "low"},
    )
    first, second = read_queue_file(path).targets
    assert (first.session_delay_s, first.max_sessions, first.priority) == (2.5, 7, 4)
    assert first.complexity == "low"
    assert (second.session_delay_s, second.max_sessions, second.agent) == (0, 3, "scripted")


@pytest.mark.parametrize(
    ("written", "meant"),
    [(3, 3), (-5, -5), ("P1", 1), ("p0", 0), ("12", 12), (" -2 ", -2), (4.0, 4), (None, 99)],
)
def test_priorities(tmp_path: Path, written: object, meant: int) -> None:
    assert read_one(tmp_path, priority=written).priority == meant


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"path": "x"}, "repos[1]: Object missing required field `id`"),
        ({"id": "x"}, "repos[1] (x): Object missing required field `path`"),
        ({"id": "x", "path": None}, "repos[1] (x): Object missing required field `path`"),
        ({"id": "  ", "path": "x"}, "repos[1] (  ): id: it is empty"),
        ({"id": "a\nb", "path": "x"}, "repos[1] (a\nb): id: only printable"),
        ({"id": 7, "path": "x"}, "repos[1] (7): id: Expected `str`, got `int`"),
        ({"id": "ok", "path": "x"}, "repos[1] (ok): id: another entry has it already"),
        ({"id": "x", "path": ""}, "repos[1] (x): not a path: ''"),
        ({"id": "x", "path": "a\0b"}, "repos[1] (x): not a path: 'a\\x00b'"),
        ({"id": "x", "path": "x", "complexity": "hugh"}, "complexity: Invalid enum value 'hugh'"),
        ({"id": "x", "path": "x", "priority": "soon"}, "priority: expected a whole number"),
        ({"id": "x", "path": "x", "priority": 1.5}, "priority: expected a whole number"),
        ({"id": "x", "path": "x", "priority": 10**10}, "priority: expected a whole number"),
        ({"id": "x", "path": "x", "enabled": "perhaps"}, "enabled: "),
        ({"id": "x", "path": "x", "tags": "api"}, "tags: Expected `array`, got `str`"),
        ({"id": "x", "path": "x", "maxSessionsPerRepo": -1}, "cannot be negative"),
        ({"id": "x", "path": "x", "sessionDelay": -1}, "cannot be negative"),
        ({"id": "x", "path": "x", "featureList": "/etc/passwd"}, "lies neither in the repository"),
        ({"id": "x", "path": "x", "featureList": "../up.json"}, "lies neither in the repository"),
        ({"id": "x", "path": "x", "allowTools": "Bash"}, "allowTools: Expected `array`"),
        ({"id": "x", "path": "x", "allowTools": ["--verbose"]}, 'as "WebSearch" or "Bash(make'),
        ({"id": "x", "path": "x", "denyTools": ["Bash(rm"]}, "denyTools: expected a tool"),
        ({"id": "x", "path": "x", "denyTools": ["Bash(a\nb)"]}, "denyTools: expected a tool"),
        ("only a string", "repos[1]: Expected `object`, got `str`"),
        (None, "repos[1]: Expected `object`, got `null`"),
    ],
)
def test_a_bad_entry_is_named_and_skipped(tmp_path: Path, entry: object, complaint: str) -> None:
    path = write(tmp_path, {"id": "ok", "path": "ok"}, entry, {"id": "last", "path": "last"})
    queue = read_queue_file(path)
    assert [target.repo_id for target in queue.targets] == ["ok", "last"]
    (problem,) = queue.problems
    assert complaint in problem
    assert problem.startswith("repos[1]")
    assert problem.endswith("; skipped")


def test_a_link_that_leads_out_of_the_roots_is_refused(tmp_path: Path) -> None:
    queue = tmp_path / "queue"
    repository = queue / "a"
    repository.mkdir(parents=True)
    (tmp_path / "secret.json").write_text("[]")
    (repository / "feature_list.json").symlink_to(tmp_path / "secret.json")
    (problem,) = read_queue_file(write(queue, {"id": "a", "path": "a"})).problems
    assert "secret.json lies neither" in problem


def test_relative_files_may_stand_in_the_repository(tmp_path: Path) -> None:
    docs = tmp_path / "a" / "docs"
    docs.mkdir(parents=True)
    (docs / "prd.md").write_text("…")
    assert read_one(tmp_path, prd="docs/prd.md").prd == str(docs / "prd.md")


def test_a_focus_of_a_task_type_gives_the_complexity(tmp_path: Path) -> None:
    mapping = {"taskTypeMapping": {"refactor": "high"}}
    path = write(tmp_path, {"id": "a", "path": "a", "focus": "Refactor it"}, modelConfig=mapping)
    assert read_queue_file(path).targets[0].complexity == "high"


def test_unknown_keys_are_warned_about_once_each(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"id": "a", "path": "a", "owner": "x"},
        {"id": "b", "path": "b", "owner": "y", "notes": {"any": "thing"}},
        defaults={"colour": 1},
        modelConfig={"modell": "opus", "complexityLevels": {"high": {"model": "opus"}}},
        extra=True,
    )
    assert read_queue_file(path).warnings == [
        "unknown key 'extra' in the file; ignored",
        "unknown key 'colour' in defaults; ignored",
        "unknown key 'modell' in modelConfig; ignored",
        "unknown key 'model' in modelConfig.complexityLevels.high; ignored",
        "unknown key 'owner' in repos[0] (a) and 1 more; ignored",
    ]


def test_two_targets_on_one_list_are_warned_about(tmp_path: Path) -> None:
    queue = read_queue_file(write(tmp_path, {"id": "a", "path": "r"}, {"id": "b", "path": "r"}))
    assert len(queue.targets) == 2
    assert "'b' and 'a' share one feature list" in queue.warnings[0]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"repos": [\n  {"id": "a", "pa', "line 2, column 15"),
        (b"", "line 1, column 1"),
        (b"[]", 'expected an object with a list "repos" (line 1, column 1)'),
        (b'{"repos": {}}', 'expected an object with a list "repos"'),
        (b'{"repos": []} trailing', "line 1, column 15"),
        (b'{"repos": [\xff]}', "not UTF-8 text (byte 11)"),
        (b"[" * 200_000, "not a queue file"),
        (b'{"repos": [' + b"9" * 5_000 + b"]}", "not a queue file"),
        (b'{"repos": [], "defaults": []}', "in defaults or modelConfig: Expected `object`"),
        (
            b'{"repos": [], "modelConfig": {"complexityLevels": {"high": {"models": "opus"}}}}',
            "modelConfig: complexityLevels[...].models: Expected `array`, got `str`",
        ),
        (b'{"repos": [], "modelConfig": {"defaultComplexity": "big"}}', "defaultComplexity"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "repo-queue.json"
    path.write_bytes(content)
    with pytest.raises(QueueFileError) as caught:
        read_queue_file(path)
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_a_folder_and_a_fifo(tmp_path: Path) -> None:
    with pytest.raises(QueueFileError, match="no such queue file"):
        read_queue_file(tmp_path / "missing.json")
    with pytest.raises(QueueFileError, match="not a regular file"):
        read_queue_file(tmp_path)
    os.mkfifo(tmp_path / "fifo.json")
    with pytest.raises(QueueFileError, match="not a regular file"):
        read_queue_file(tmp_path / "fifo.json")


def test_every_half_of_a_file_is_refused(tmp_path: Path) -> None:
    text = json.dumps({"repos": [{"id": "a", "path": "a"}]})
    for length in range(len(text)):
        with pytest.raises(QueueFileError):
            parse_queue_file(text[:length], tmp_path / "q.json")


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_bytes(b'\xef\xbb\xbf{"repos": [{"id": "a", "path": "a"}]}')
    assert [target.repo_id for target in read_queue_file(path).targets] == ["a"]


def test_199_entries_with_every_oddity(tmp_path: Path) -> None:
    path = generate(tmp_path)
    queue = read_queue_file(path)
    assert queue.problems == []
    assert len(queue.targets) == 199
    assert min(target.priority for target in queue.targets) < 0
    assert queue.warnings == [
        "unknown key 'lastEdited' in the file; ignored",
        "unknown key 'owner' in repos[3] (target-003) and 27 more; ignored",
        "unknown key 'estimate' in repos[3] (target-003) and 27 more; ignored",
    ]
    shared = [t for t in queue.targets if t.path == str(tmp_path / "folder-000")]
    assert len(shared) == 1 + len([i for i in range(199) if ODDITIES[i % 7] == "shared"])
    assert all(Path(t.feature_list or "").is_file() for t in queue.targets)


def test_entries_survive_a_round_trip_of_their_own_text(tmp_path: Path) -> None:
    path = generate(tmp_path)
    first: Any = read_queue_file(path)
    again: Any = parse_queue_file(first.text, path)
    assert again == first
