"""Files that claim to be feature lists: whatever they are, the answer comes at once and nothing outside is read."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acd.core.errors import FeatureListError, FeatureListMissing
from acd.core.models import Target
from acd.harness.features import feature_list_path, feature_list_roots, read_feature_list

GOOD = '[{"id": "a", "name": "A"}]'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    path.mkdir()
    return path


@contextmanager
def _at_once() -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 1


def test_a_good_list(repository: Path) -> None:
    (repository / "feature_list.json").write_text(GOOD)
    target = Target(repo_id="r", name="R", path=str(repository))
    roots = feature_list_roots(target, None)
    assert [f.key for f in read_feature_list(feature_list_path(target), roots)] == ["a"]


def test_a_list_beside_the_queue_file(repository: Path, tmp_path: Path) -> None:
    queue = tmp_path / "queue"
    (queue / "lists").mkdir(parents=True)
    (queue / "lists" / "r.json").write_text(GOOD)
    target = Target(
        repo_id="r", name="R", path=str(repository), feature_list=str(queue / "lists" / "r.json")
    )
    path = feature_list_path(target)
    assert len(read_feature_list(path, feature_list_roots(target, queue))) == 1
    with pytest.raises(FeatureListError, match="not in"):
        read_feature_list(path, feature_list_roots(target, None))


def test_links_are_judged_by_where_they_lead(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text(GOOD)
    (repository / "inside.json").write_text(GOOD)
    (repository / "to_inside").symlink_to(repository / "inside.json")
    (repository / "to_outside").symlink_to(tmp_path / "outside.json")
    (repository / "folder").symlink_to(tmp_path)
    assert len(read_feature_list(repository / "to_inside", [repository])) == 1
    for name in ("to_outside", "folder/outside.json", "../outside.json"):
        with pytest.raises(FeatureListError, match="not in"):
            read_feature_list(repository / name, [repository])


def test_the_repository_may_itself_be_a_link(repository: Path, tmp_path: Path) -> None:
    (repository / "feature_list.json").write_text(GOOD)
    (tmp_path / "link").symlink_to(repository)
    path = tmp_path / "link" / "feature_list.json"
    assert len(read_feature_list(path, [tmp_path / "link"])) == 1


def test_no_list_yet(repository: Path) -> None:
    with pytest.raises(FeatureListMissing):
        read_feature_list(repository / "feature_list.json", [repository])


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _gigabyte(path: Path) -> None:
    with path.open("w") as file:
        file.truncate(1024**3)


def _half(path: Path) -> None:
    path.write_text(GOOD[:-5])


def _secret(path: Path) -> None:
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("make", [_fifo, _folder, _device, _loop, _gigabyte, _half, _secret])
def test_hostile_files_are_refused_at_once(repository: Path, make: Callable[[Path], None]) -> None:
    path = repository / "feature_list.json"
    make(path)
    with _at_once(), pytest.raises(FeatureListError):
        read_feature_list(path, [repository])


def test_the_largest_list_is_read_within_a_second(repository: Path) -> None:
    entries = ",".join(
        f'{{"id": "f{n}", "name": "feature {n}", "description": "{"x" * 400}"}}'
        for n in range(10_000)
    )
    path = repository / "feature_list.json"
    path.write_text(f"[{entries}]")
    with _at_once():
        assert len(read_feature_list(path, [repository])) == 10_000


def test_a_list_that_changes_all_the_time_is_read_whole_or_not_at_all(repository: Path) -> None:
    path = repository / "feature_list.json"
    path.write_text(GOOD)
    stop = threading.Event()

    def rewrite() -> None:
        length = 0
        while not stop.is_set():
            length = (length + 37) % 5000
            path.write_text(f'[{{"id": "a", "name": "A", "description": "{"x" * length}"}}]')

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(300):
            try:
                features = read_feature_list(path, [repository])
            except FeatureListError:
                continue
            assert [f.key for f in features] == ["a"]
    finally:
        stop.set()
        writer.join()


def test_a_link_put_there_meanwhile_leads_nowhere(repository: Path, tmp_path: Path) -> None:
    """A folder that is swapped for a link out of the repository all the time: nothing outside is ever read."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "list.json").write_text('[{"id": "secret", "name": "S"}]')
    (repository / "real").mkdir()
    (repository / "real" / "list.json").write_text(GOOD)
    (repository / "link").symlink_to(tmp_path / "outside")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (repository / "real").rename(repository / "door")
            (repository / "door").rename(repository / "real")
            (repository / "link").rename(repository / "door")
            (repository / "door").rename(repository / "link")

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen: set[str] = set()
    try:
        for _ in range(2000):
            try:
                features = read_feature_list(repository / "door" / "list.json", [repository])
            except FeatureListError:
                continue
            seen.update(feature.key for feature in features)
    finally:
        stop.set()
        swapper.join()
    assert "secret" not in seen
