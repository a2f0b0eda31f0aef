"""Every block of the documentation that can be executed is, word for word, page by page in an empty home."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.database.maintenance import destroy
from acd.queue.file import read_queue_file
from tests.house.pages import EXECUTED, PAGES, ROOT, Block, blocks_of

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
COMMANDS = {
    "bash": ["bash", "-euo", "pipefail"],
    "python": [sys.executable, "-"],
    "sql": ["acd", "db", "psql", "-v", "ON_ERROR_STOP=1"],
}
PAGES_THAT_RUN = [page for page in PAGES if any(block.runs for block in blocks_of(page))]


class Reader:
    """Somebody who types what stands in a page: one home and one folder for the whole page, both empty at first."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder / "here"
        self.home = folder / "user" / "acd"
        self.folder.mkdir()
        self.home.parent.mkdir()
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home.parent),
            "ACD_HOME": str(self.home),
            **environment,
        }

    def type(self, command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            timeout=100,
            env=self.environment,
            cwd=self.folder,
            check=False,
        )


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """With the embedded PostgreSQL up and empty; it is taken away afterwards."""
    found = Reader(tmp_path)
    done = found.type(["acd", "db", "start"])
    assert done.returncode == 0, done.stderr
    yield found
    settings = Settings(home=found.home)
    found.type(["acd", "db", "stop"])
    destroy(settings)
    assert EmbeddedServer(settings).status().pid is None


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page, id=page.name, marks=[] if page.name == "README.md" else pytest.mark.extra
        )
        for page in PAGES_THAT_RUN
    ],
)
def test_blocks_run_word_for_word(page: Path, reader: Reader) -> None:
    for block in blocks_of(page):
        if block.runs:
            done = reader.type(COMMANDS[block.language], block.text)
            assert done.returncode == 0, f"{block}: {done.stdout}{done.stderr}"
    assert processes_in(reader.folder) == []


def processes_in(folder: Path) -> list[str]:
    """Processes that a block has left behind."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()) == folder:
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):  # it has gone, or is another user's
            continue
    return found


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "json"], ids=str)
def test_json_is_a_queue_file_without_faults(block: Block, tmp_path: Path) -> None:
    repos = json.loads(block.text)["repos"]
    queue = tmp_path / "queue" / "repo-queue.json"
    queue.parent.mkdir()
    queue.write_text(block.text)
    for repo in repos:
        (queue.parent / repo["path"]).mkdir(parents=True)
    read = read_queue_file(queue)
    assert len(read.targets) == len(repos)
    assert (read.problems, read.warnings) == ([], [])


def test_the_library_example_is_really_recorded(tmp_path: Path, database_url: str) -> None:
    reader = Reader(tmp_path, DATABASE_URL=database_url)
    (example,) = [b for b in blocks_of(ROOT / "README.md") if b.language == "python"]
    assert reader.type(COMMANDS["python"], example.text).returncode == 0
    done = reader.type(["acd", "sessions", "--json"])
    (session,) = json.loads(done.stdout)
    assert (session["target"]["repoId"], session["status"]) == ("shop-api", "completed")
    assert (session["inputTokens"], session["outputTokens"]) == (1200, 340)
    assert re.search(r'"costUsd" ?: ?0\.0231\b', done.stdout)


def test_what_is_run_and_why_the_rest_is_not() -> None:
    """The figures are written down here, so that a block that drops out is noticed."""
    run = [block for block in BLOCKS if block.runs]
    assert {language: sum(b.language == language for b in run) for language in EXECUTED} == {
        "bash": 7,
        "python": 1,
        "sql": 5,
    }
    assert [str(b) for b in BLOCKS if b.excuse == ""] == []
    assert [str(b) for b in BLOCKS if b.excuse and b.language not in EXECUTED] == []
    assert [str(b) for b in BLOCKS if b.language not in (*EXECUTED, "json", "text", "")] == []


def test_a_reason_is_wanted_for_not_running_a_block(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- not run -->\n```bash\na\n```\n<!-- not run here: because -->\n```bash\nb\n```\n"
        "- x\n  ```bash\n  c\n    d\n  ```\n"
    )
    assert [(b.excuse, b.text) for b in blocks_of(page)] == [
        ("", "a\n"),
        ("because", "b\n"),
        (None, "c\n  d\n"),
    ]
