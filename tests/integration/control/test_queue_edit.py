"""One value of the queue file changes, and not a byte of anything else."""

from __future__ import annotations

import errno
import json
import os
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from acd.core.errors import ConfigError, QueueFileError
from acd.queue.edit import Name, NotInFile, Value, change_entry, changed_text
from acd.queue.file import parse_queue_file, read_queue_file

FILE = Path("/srv/queue/repo-queue.json")

ODD = (
    '{\r\n\t"version" : "1",\r\n\t"repos":[\r\n'
    '\t\t{ "path":"a",  "id":"a", "priority" :  3 ,"x-mine": {"priority": 9, "id": "b"}, "notes": "\\"priority\\": 1" },\r\n'
    '\t\t{"id": "b", "path": "b", "enabled":true,\r\n\t\t "tags": ["id", "b", "]", "}"]}\r\n\t] , "unknown": [1e3, 1.50, null]}\r\n\r\n'
)


def change(text: str, repo_id: str, name: Name, value: Value) -> str:
    return changed_text(parse_queue_file(text, FILE), repo_id, name, value).text


def test_only_the_value_is_replaced() -> None:
    assert change(ODD, "a", "priority", -12) == ODD.replace(
        '"priority" :  3 ', '"priority" :  -12 '
    )
    assert change(ODD, "b", "enabled", False) == ODD.replace('"enabled":true', '"enabled":false')


def test_a_key_that_is_missing_comes_last_and_looks_like_its_neighbours() -> None:
    end = '"tags": ["id", "b", "]", "}"]'
    assert change(ODD, "b", "priority", 4) == ODD.replace(end, end + ',\r\n\t\t "priority": 4')
    after = '"notes": "\\"priority\\": 1"'
    assert change(ODD, "a", "enabled", False) == ODD.replace(after, after + ', "enabled": false')


@pytest.mark.parametrize(
    ("written", "value", "expected"),
    [
        ("3", 4, "4"),
        ("3.0", 4, "4"),
        ('"P1"', 4, '"P4"'),
        ('"p1"', -4, '"p-4"'),
        ('"7"', 4, '"4"'),
        ('" P2 "', 4, '"P4"'),
        ("null", 4, "4"),
        ("4", 4, "4"),
        ('"\\u0050\\u0031"', 4, '"P4"'),
    ],
)
def test_a_priority_keeps_the_form_that_it_has(written: str, value: int, expected: str) -> None:
    text = '{"repos": [{"id": "a", "path": "a", "priority": %s}]}'
    assert change(text % written, "a", "priority", value) == text % expected


@pytest.mark.parametrize("written", ["true", "false", "null", '"true"', "1"])
def test_enabled_is_written_as_json_says_it(written: str) -> None:
    text = '{"repos": [{"enabled": %s, "id": "a", "path": "a"}]}'
    assert change(text % written, "a", "enabled", False) == text % "false"


def test_the_entry_that_counts_is_changed() -> None:
    """Of two with the same id the first usable one counts, of two keys the last."""
    text = (
        '{"repos": [1, [], {"id": "a"}, {"id": "a", "path": "x", "priority": "soon"}, '
        '{"id": "z", "id": "a", "path": "a", "priority": 1, "priority": 2}, '
        '{"id": "a", "path": "b", "priority": 3}], "repos-old": [{"id": "a", "path": "c", "priority": 5}]}'
    )
    assert change(text, "a", "priority", 9) == text.replace('"priority": 2', '"priority": 9')
    twice = '{"repos": [], "repos": [{"id": "\\u0061", "path": "a"}]}'
    assert json.loads(change(twice, "a", "priority", 1))["repos"][0]["priority"] == 1


def test_an_entry_that_is_not_there_is_said() -> None:
    for text in (ODD, '{"repos": []}', '{"repos": [{"id": "c"}]}'):
        with pytest.raises(NotInFile, match="'c'"):
            change(text, "c", "priority", 1)


def test_any_layout_keeps_all_else() -> None:
    """Random layouts: what a parser reads differs in that value alone, and so does the text."""
    chance = random.Random(7)
    for _ in range(300):
        entries: list[dict[str, Any]] = []
        for number in range(chance.randint(1, 6)):
            entry: dict[str, Any] = {"id": f"r{number}", "path": "x" * chance.randint(1, 3)}
            entry |= {"priority": chance.choice([1, 2.0, "P3"])} if chance.random() < 0.7 else {}
            entry |= {"enabled": chance.random() < 0.5} if chance.random() < 0.7 else {}
            entry |= {"né\u2028w": [{"priority": 1}, '}]{[\\"', None]}
            items = list(entry.items())
            chance.shuffle(items)
            entries.append(dict(items))
        document = {"a": [1], "repos": entries, "modelConfig": {}, "z": {"repos": []}}
        text = json.dumps(
            document,
            indent=chance.choice([None, 0, 2, "\t"]),
            ensure_ascii=chance.random() < 0.5,
            separators=chance.choice([(",", ":"), (", ", ": "), (" ,", " : ")]),
        )
        chosen = chance.choice(entries)
        name: Name = chance.choice(["priority", "enabled"])
        value: Value = chance.randint(-5, 99) if name == "priority" else chance.random() < 0.5
        changed = change(text, chosen["id"], name, value)
        chosen[name] = f"P{value}" if isinstance(chosen.get(name), str) else value
        assert json.loads(changed) == json.loads(json.dumps(document))
        common = _common(text, changed)
        tail = _common(text[::-1], changed[::-1])
        assert len(changed) - common - tail < 40


def _common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def test_the_file_is_replaced_whole_with_its_permissions(tmp_path: Path) -> None:
    real, path = tmp_path / "real.json", tmp_path / "queue.json"
    real.write_bytes(b"\xef\xbb\xbf" + ODD.encode())
    real.chmod(0o640)
    path.symlink_to(real)
    before = real.stat().st_ino
    queue = change_entry(path, "a", "priority", 8)
    assert [target.priority for target in queue.targets] == [8, 99]
    assert real.read_bytes() == b"\xef\xbb\xbf" + ODD.replace("  3 ", "  8 ").encode()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.stat().st_ino != before
    assert path.is_symlink()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["queue.json", "real.json"]
    after = real.stat()
    change_entry(path, "a", "priority", 8)
    assert real.stat().st_ino == after.st_ino, "nothing to change, nothing written"


def test_what_cannot_be_read_or_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(QueueFileError, match="no such queue file"):
        change_entry(tmp_path / "none.json", "a", "priority", 1)
    broken = tmp_path / "broken.json"
    broken.write_text('{"repos": [')
    with pytest.raises(QueueFileError, match="not JSON"):
        change_entry(broken, "a", "priority", 1)
    assert broken.read_text() == '{"repos": ['
    path = tmp_path / "queue.json"
    path.write_bytes(ODD.encode())
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(ConfigError, match="No space left"):
        change_entry(path, "a", "priority", 1)
    assert path.read_bytes() == ODD.encode()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["broken.json", "queue.json"]


def _full(_descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_readers_never_see_a_part_and_an_edit_by_hand_is_not_lost(tmp_path: Path) -> None:
    """Somebody saves the file all the time, somebody reads it all the time, and we change it."""
    path = tmp_path / "queue.json"
    path.write_text(json.dumps({"repos": [{"id": "a", "path": "a", "priority": 0}], "saves": 0}))
    over = threading.Event()
    failures: list[Exception] = []
    saves = 0

    def read() -> None:
        while not over.is_set():
            try:
                read_queue_file(path)
            except QueueFileError as error:
                failures.append(error)

    def save() -> None:
        nonlocal saves
        while not over.wait(0.003):
            document = json.loads(path.read_text())
            document["saves"] = saves + 1
            draft = tmp_path / "mine"
            draft.write_text(json.dumps(document))
            draft.replace(path)
            saves += 1

    threads = [threading.Thread(target=read), threading.Thread(target=save)]
    for thread in threads:
        thread.start()
    refused = 0
    for number in range(1, 60):
        try:
            change_entry(path, "a", "priority", number)
        except QueueFileError:  # it gave way to the other one each time
            refused += 1
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert refused < 59
    assert saves > 3
