"""Everything that `acd run` with the genuine Claude Code needs: repositories, a queue file, homes, an environment.

The program under test is a process of its own (`python -m acd run`), its model is the scripted endpoint in the test's
process. Nothing of the developer's own login, settings or git identity reaches either.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import psycopg
from psycopg.rows import dict_row

from acd.agents.claude_code.locate import locate
from acd.files.folder import SessionFolder, session_folders
from acd.testing.endpoint import Endpoint

DEADLINE = 100
KEY = {"ANTHROPIC_API_KEY": "fake"}
LOGIN = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-fake"}
Row = dict[str, Any]


class Ran(NamedTuple):
    """A run that is over: exit status, and everything that it said."""

    status: int
    said: str


class Stage:
    """A folder with repositories and a queue file, and a database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.database_url = database_url
        self.claude = locate(None)
        for name in ("home", "claude", "tmp"):
            (folder / name).mkdir()

    def repository(self, name: str, features: Sequence[str] | None) -> Path:
        """A fresh repository, with a committed feature list unless `features` is None."""
        path = self.folder / name
        path.mkdir()
        self.git(path, "init", "-q", "-b", "main")
        if features is not None:
            entries = [{"id": key, "name": f"Greeting {key}", "passes": False} for key in features]
            (path / "feature_list.json").write_text(json.dumps(entries, indent=2) + "\n")
            self.git(path, "add", "-A")
            who = ("-c", "user.name=A", "-c", "user.email=a@localhost")
            self.git(path, *who, "commit", "-q", "-m", "List the features")
        return path

    def write_queue(self, *entries: Mapping[str, Any], **top: object) -> None:
        """The queue file; an entry's path is its id where it says none."""
        repos = [{"path": entry["id"], **entry} for entry in entries]
        (self.folder / "repo-queue.json").write_text(json.dumps({"repos": repos, **top}))

    def git(self, path: Path, *arguments: str) -> str:
        """Call git without anybody's configuration."""
        bare = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home")}
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=path, env=bare, check=True, capture_output=True, text=True
        ).stdout

    def environment(
        self, endpoint: Endpoint, login: Mapping[str, str], more: Mapping[str, str]
    ) -> dict[str, str]:
        """All that the program under test gets to see."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "LANG": "C.UTF-8",
            "DATABASE_URL": self.database_url,
            "ACD_HOME": str(self.folder / "acd"),
            "ACD_QUEUE_FILE": str(self.folder / "repo-queue.json"),
            "ACD_CLAUDE_BINARY": str(self.claude),
            "ACD_FREE_SPACE_FLOOR": "0",
            "ACD_RETRY_BASE": "0.2",
            "ACD_RETRY_MAX": "0.5",
            "ACD_TERMINATE_GRACE": "5",
            "CLAUDE_CONFIG_DIR": str(self.folder / "claude"),
            "CLAUDE_CODE_MAX_RETRIES": "1",
            "ANTHROPIC_BASE_URL": endpoint.url(),
            **login,
            **more,
        }

    @asynccontextmanager
    async def running(
        self,
        endpoint: Endpoint,
        login: Mapping[str, str] = KEY,
        flags: Sequence[str] = (),
        **more: str,
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """`acd run`, for the length of a block. Whatever of it or of its agents outlives the block is killed."""
        words = ["-m", "acd", "run", "--no-serve", "--no-live", *flags]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            cwd=self.folder,
            env=self.environment(endpoint, login, more),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            output, _ = await process.communicate()
            print(output.decode())  # pytest shows it when the test fails

    async def run(self, endpoint: Endpoint, login: Mapping[str, str] = KEY, **more: str) -> Ran:
        """`acd run` from beginning to end."""
        async with self.running(endpoint, login, (), **more) as process:
            return await finished(process)

    async def consent(self, target: str, endpoint: Endpoint) -> None:
        """`acd consent --yes`."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "acd", "consent", target, "--yes"),
            cwd=self.folder,
            env=self.environment(endpoint, KEY, {}),
        )
        assert await process.wait() == 0

    def rows(self, query: str) -> list[Row]:
        """What the database answers."""
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()

    def sessions(self) -> list[Row]:
        """Rows of `harness_sessions`, in order."""
        return self.rows("SELECT * FROM harness_sessions ORDER BY started_at, session_number")

    def errors(self) -> list[Row]:
        """Rows of `harness_errors`, in order."""
        return self.rows("SELECT * FROM harness_errors ORDER BY occurred_at, source_offset")

    def target(self) -> Row:
        """The one target."""
        (target,) = self.rows("SELECT * FROM targets")
        return target

    def folders(self) -> list[SessionFolder]:
        """Folders of the sessions that have begun."""
        return list(session_folders(self.folder / "acd" / "sessions"))

    def transcribed(self, endpoint: Endpoint) -> bool:
        """Whether every reply so far stands in the agents' own transcripts: the CLI writes them a moment later."""
        files = (self.folder / "claude" / "projects").rglob("*.jsonl")
        written = "".join(path.read_text() for path in files)
        return all(str(each.message_id) in written for each in endpoint.served if each.complete)

    def processes(self) -> list[psutil.Process]:
        """Every living process that was started from here, by what its environment says; `acd run` too."""
        mark = f"CLAUDE_CONFIG_DIR={self.folder / 'claude'}"
        return [each for each in psutil.process_iter() if mark in _environment_of(each)]

    def agents(self) -> list[psutil.Process]:
        """The genuine CLI's own processes among them."""
        return self.programs(self.claude.name)

    def programs(self, name: str) -> list[psutil.Process]:
        """Those among them that run a program of this name."""
        return [each for each in self.processes() if _program_of(each) == name]

    def end_all(self) -> None:
        """Kill what a failed test left behind."""
        for process in self.processes():
            process.kill()


async def finished(process: asyncio.subprocess.Process) -> Ran:
    """Wait for the end of a run."""
    output, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode is not None
    return Ran(process.returncode, output.decode())


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition to come true."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


def _environment_of(process: psutil.Process) -> list[str]:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return []
        return [f"{name}={value}" for name, value in process.environ().items()]
    except (psutil.Error, OSError):
        return []


def _program_of(process: psutil.Process) -> str | None:
    try:
        return Path(process.exe()).name
    except (psutil.Error, OSError):
        return None
