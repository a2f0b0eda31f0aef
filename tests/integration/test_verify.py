"""A verify command sees one commit and nothing else, and nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from acd.git import Repository
from acd.harness.environment import agent_environment
from acd.harness.strays import marked_processes
from acd.harness.verify import Check, Verifier


def git(path: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    return subprocess.run(
        ["git", "-C", str(path), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


class Bench:
    """A repository with one commit, and a verifier for it."""

    def __init__(self, base: Path, limit: float = 60) -> None:
        self.path = base / "repo"
        (self.path / "sub").mkdir(parents=True)
        git(self.path, "init", "-q")
        (self.path / "works").write_text("yes\n")
        (self.path / "sub" / "file").write_text("sub\n")
        git(self.path, "add", "-A")
        git(self.path, "commit", "-q", "-m", "One")
        self.commit = git(self.path, "rev-parse", "HEAD")
        self.stop = asyncio.Event()
        session = uuid4()
        self.verifier = Verifier(
            session_id=session,
            repository=Repository(self.path),
            place=base / "home" / "checks" / str(session),
            log=base / "verify.log",
            environment=agent_environment(os.environ, session),
            time_limit=limit,
            stop=self.stop,
        )

    async def check(self, command: str) -> Check:
        found = await checked(self.verifier, [command], self.commit)
        assert marked_processes(self.verifier.session_id) == []
        assert not self.verifier.place.exists()
        assert git(self.path, "worktree", "list").count("\n") == 0
        return found[command]


async def checked(verifier: Verifier, commands: list[str], commit: str) -> dict[str, Check]:
    found: dict[str, Check] = {}
    await verifier.check(commands, commit, found.__setitem__)
    return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_what_is_committed_passes_and_what_is_not_does_not(bench: Bench) -> None:
    (bench.path / "uncommitted").write_text("yes\n")
    result, evidence = await bench.check("grep yes works; pwd")
    assert (result, evidence.exit_status, evidence.commit) == ("passed", 0, bench.commit)
    assert evidence.output_tail == f"yes\n{bench.verifier.place}"
    assert evidence.duration_ms > 0
    result, evidence = await bench.check("cat uncommitted")
    assert (result, evidence.exit_status) == ("failed", 1)
    assert "uncommitted" in evidence.output_tail
    assert git(bench.path, "status", "--porcelain") == "?? uncommitted"


@pytest.mark.extra
async def test_several_commands_share_a_checkout(bench: Bench) -> None:
    commands = ["touch made", "test -e made", "touch made"]
    found = await checked(bench.verifier, commands, bench.commit)
    assert {command: check.result for command, check in found.items()} == {
        "touch made": "passed",
        "test -e made": "passed",
    }


@pytest.mark.extra
async def test_a_target_in_a_subfolder(bench: Bench, tmp_path: Path) -> None:
    verifier = Verifier(**{**vars(bench.verifier), "repository": Repository(bench.path / "sub")})
    found = await checked(verifier, ["cat file"], bench.commit)
    assert found["cat file"].result == "passed"
    (bench.path / "new").mkdir()
    verifier = Verifier(**{**vars(bench.verifier), "repository": Repository(bench.path / "new")})
    assert (await checked(verifier, ["true"], bench.commit))["true"].result == "failed"


async def test_too_long_with_a_grandchild_that_left_its_group(tmp_path: Path) -> None:
    bench = Bench(tmp_path, limit=0.5)
    result, evidence = await bench.check("setsid sleep 600 & sleep 600")
    assert (result, evidence.exit_status) == ("failed", None)
    assert "0.5 s" in evidence.reason


async def test_what_it_leaves_running_is_ended(bench: Bench) -> None:
    result, _ = await bench.check("setsid sleep 600 & echo started")
    assert result == "passed"


@pytest.mark.extra
async def test_who_cannot_begin_and_who_fails(bench: Bench) -> None:
    assert (await bench.check("no-such-program-here --x")).result == "cannot_run"
    assert (await bench.check("./no-such-script")).result == "failed"
    assert (await bench.check("cd . && A=1 no-such-program-here")).result == "cannot_run"
    assert (await bench.check("cd . && ./no-such-script")).result == "failed"
    assert (await bench.check("exit 127")).result == "failed"
    assert (await bench.check("sh -c 'exit 127'")).result == "failed"
    result, evidence = await bench.check("kill -9 $$")
    assert (result, evidence.exit_status) == ("failed", -9)


@pytest.mark.extra
async def test_secrets_stay_out_and_the_end_is_what_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = f"{sys.executable} -c \"print('x' * 100000); print('API_TOKEN=abcdefgh12345'); print('end')\""
    _, evidence = await bench.check(long)
    assert evidence.output_tail.endswith("API_TOKEN=[redacted]\nend")
    assert len(evidence.output_tail) == 4000


async def test_only_allowed_variables_and_no_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_THING", "x")
    bench = Bench(tmp_path)
    _, evidence = await bench.check('echo "[$SECRET_THING]"; cat')
    assert evidence.output_tail == "[]"


async def test_a_stop_ends_it_and_judges_nothing(bench: Bench) -> None:
    check = asyncio.create_task(bench.check("touch started; sleep 600"))
    await _until(lambda: (bench.verifier.place / "started").exists())
    bench.stop.set()
    result, evidence = await check
    assert (result, evidence.exit_status) == ("not_judged", None)
    assert (await bench.check("true")).result == "not_judged"


@pytest.mark.extra
async def test_leftovers_of_a_crash_are_removed(bench: Bench) -> None:
    """The folder may be full of what cannot be removed as it is, and git may know of it, or not any more."""
    place = bench.verifier.place
    await bench.verifier.repository.add_worktree(place, bench.commit)
    (place / "locked").mkdir()
    (place / "locked" / "file").touch()
    (place / "locked").chmod(0o500)
    assert (await bench.check("test ! -e locked")).result == "passed"
    await bench.verifier.repository.add_worktree(place, bench.commit)
    subprocess.run(["rm", "-rf", str(place)], check=True)
    assert (await bench.check("true")).result == "passed"
    place.mkdir(parents=True)
    assert (await bench.check("true")).result == "passed"


@pytest.mark.extra
@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_removal_that_was_cut_short_is_finished(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, forgotten: bool
) -> None:
    """Killed before git had forgotten it, or before it was deleted: the next one goes on, with nothing to check, too."""
    place = bench.verifier.place
    await bench.verifier.repository.add_worktree(place, bench.commit)
    with monkeypatch.context() as patched:
        killed = "acd.harness.checkout._remove_tree" if forgotten else None
        patched.setattr(killed or "acd.git.Repository.forget_worktree", _killed)
        with pytest.raises(asyncio.CancelledError):
            await checked(bench.verifier, [], bench.commit)
    assert list(place.parent.iterdir()) != []
    assert await checked(bench.verifier, [], bench.commit) == {}
    assert list(place.parent.iterdir()) == []
    assert git(bench.path, "worktree", "list").count("\n") == 0


def _killed(*_: object) -> None:
    raise asyncio.CancelledError


@pytest.mark.extra
async def test_a_commit_that_is_not_there(bench: Bench) -> None:
    found = await checked(bench.verifier, ["true"], "0" * 40)
    assert found["true"].result == "not_judged"
    assert "cannot be checked out" in found["true"].evidence.reason


async def test_no_program_of_the_repository_runs_in_a_checkout(bench: Bench) -> None:
    hook = bench.path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {bench.path}/../hooked\n")
    hook.chmod(0o755)
    (bench.path / ".gitattributes").write_text("* filter=bad\n")
    git(bench.path, "add", "-A")
    git(bench.path, "commit", "-q", "-m", "Two")
    bench.commit = git(bench.path, "rev-parse", "HEAD")
    git(bench.path, "config", "filter.bad.smudge", f"touch {bench.path}/../smudged")
    assert (await bench.check("grep yes works")).result == "passed"
    assert sorted(p.name for p in bench.path.parent.iterdir() if "ed" in p.name) == []


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)
