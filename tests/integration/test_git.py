"""Real repositories, tame and hostile: what git says reaches us, and nothing that a repository names is ever run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from acd.core.errors import GitError
from acd.git import Repository, calls, git_version, is_repository
from acd.git.lines import lines_held

_IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


def run_git(path: Path, *arguments: str, **environment: str) -> str:
    return subprocess.run(
        ["git", "-C", str(path), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(path.parent), **_IDENTITY, **environment},
    ).stdout.strip()


def commit(path: Path, message: str, **files: str) -> str:
    for name, text in files.items():
        (path / name).write_text(text)
    run_git(path, "add", "-A")
    run_git(path, "commit", "-q", "--allow-empty", "-m", message)
    return run_git(path, "rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "repo"
    path.mkdir()
    run_git(path, "init", "-q", "-b", "main")
    return path


async def test_an_unborn_repository(folder: Path) -> None:
    repository = Repository(folder)
    assert await repository.head() is None
    assert await repository.branch() == "main"
    assert await repository.common_dir() == folder / ".git"
    assert await repository.is_dirty() is False
    assert await repository.commits(None, None) == []
    (folder / "a").write_text("a")
    assert await repository.is_dirty() is True


async def test_commits_with_their_sizes(folder: Path) -> None:
    first = commit(folder, "one", a="1\n2\n")
    repository = Repository(folder)
    assert [c.sha for c in await repository.commits(None, first)] == [first]

    (folder / "picture").write_bytes(b"\0\1\2")
    second = commit(folder, "two\n\nwith a body\nof lines\n", a="1\n3\n", b="x\n")
    third = commit(folder, "three: only a message")
    commits = await repository.commits(first, await repository.head())
    assert [c.sha for c in commits] == [second, third]
    assert commits[0].message == "two\n\nwith a body\nof lines"
    assert (commits[0].files_changed, commits[0].additions, commits[0].deletions) == (3, 2, 1)
    assert (commits[1].files_changed, commits[1].additions, commits[1].deletions) == (0, 0, 0)
    assert {(c.author, c.branch) for c in commits} == {("Ada <ada@example.org>", "main")}
    assert str(int(commits[0].committed_at.timestamp())) == run_git(
        folder, "log", "-1", "--format=%ct", second
    )
    assert await repository.commits(third, third) == []


async def test_renames_merges_and_odd_names(folder: Path) -> None:
    base = commit(folder, "base", old="1\n2\n3\n4\n5\n6\n")
    run_git(folder, "checkout", "-q", "-b", "side")
    commit(folder, "side", s="s\n")
    run_git(folder, "checkout", "-q", "main")
    run_git(folder, "mv", "old", "new\tname\nwith line")
    renamed = commit(folder, "renamed")
    run_git(folder, "merge", "-q", "--no-ff", "-m", "merged", "side")
    by_message = {c.message: c for c in await Repository(folder).commits(base, "HEAD")}
    assert set(by_message) == {"renamed", "side", "merged"}
    assert by_message["renamed"].sha == renamed
    assert (by_message["renamed"].files_changed, by_message["renamed"].additions) == (1, 0)
    assert by_message["merged"].files_changed == 0


async def test_foreign_encodings_and_impossible_dates(folder: Path) -> None:
    (folder / "a").write_text("a")
    run_git(folder, "add", "-A")
    tree = run_git(folder, "write-tree")
    body = f"tree {tree}\nauthor Jos\xe9 <j@e> 99999999999999 +0000\ncommitter Jos\xe9 <j@e> 99999999999999 +0000\nencoding ISO-8859-1\n\nna\xefve\n"
    sha = subprocess.run(
        ["git", "-C", str(folder), "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
        input=body.encode("latin-1"),
        check=True,
        capture_output=True,
    ).stdout.decode()
    (found,) = await Repository(folder).commits(None, sha.strip())
    assert (found.message, found.author) == ("naïve", "José <j@e>")
    assert found.committed_at.year == 1970


async def test_detached_head_and_subfolder(folder: Path) -> None:
    first = commit(folder, "one", a="1")
    run_git(folder, "checkout", "-q", "--detach")
    (folder / "below").mkdir()
    repository = Repository(folder / "below")
    assert await repository.branch() is None
    assert await repository.head() == first
    assert await repository.common_dir() == folder / ".git"


async def test_worktrees_share_the_common_folder(folder: Path, tmp_path: Path) -> None:
    commit(folder, "one", a="1")
    run_git(folder, "worktree", "add", "-q", str(tmp_path / "other"))
    assert await Repository(tmp_path / "other").common_dir() == folder / ".git"


async def test_a_locked_index_does_not_matter(folder: Path) -> None:
    first = commit(folder, "one", a="1")
    (folder / ".git" / "index.lock").touch()
    (folder / "a").write_text("changed")
    assert await Repository(folder).head() == first
    assert await Repository(folder).is_dirty() is True


async def test_what_is_no_repository(tmp_path: Path) -> None:
    assert await is_repository(tmp_path) is False
    assert await is_repository(tmp_path / "nowhere") is False
    with pytest.raises(GitError, match="not a git repository"):
        await Repository(tmp_path).head()
    with pytest.raises(GitError, match="not a git repository"):
        await Repository(tmp_path).common_dir()


async def test_an_unknown_commit_is_an_error(folder: Path) -> None:
    first = commit(folder, "one", a="1")
    with pytest.raises(GitError, match="deadbeef"):
        await Repository(folder).commits("deadbeef" * 5, first)


async def test_git_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(GitError, match="not installed"):
        await Repository(folder).head()
    with pytest.raises(GitError, match="not installed"):
        await is_repository(folder)


async def test_version() -> None:
    assert (await git_version())[0].isdigit()


async def test_identity(folder: Path) -> None:
    repository = Repository(folder)
    assert await repository.has_identity() is False
    run_git(folder, "config", "user.name", "Ada")
    assert await repository.has_identity() is False
    run_git(folder, "config", "user.email", "ada@example.org")
    assert await repository.has_identity() is True


async def test_a_call_that_takes_too_long_is_ended(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "endless")
    run_git(folder, "config", "include.path", str(tmp_path / "endless"))
    monkeypatch.setattr(calls, "TIME_LIMIT", 0.3)
    with pytest.raises(GitError, match="longer than"):
        await Repository(folder).head()


async def test_a_call_that_prints_too_much_is_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = commit(folder, "word " * 2000, a="1")
    monkeypatch.setattr(calls, "OUTPUT_LIMIT", 1000)
    with pytest.raises(GitError, match="more than 1000 bytes"):
        await Repository(folder).commits(None, first)


@pytest.fixture
def hostile(folder: Path, tmp_path: Path) -> Path:
    """A repository whose configuration names a program wherever git lets it; the program leaves a trace."""
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> "{tmp_path}/traces"\ncat\n')
    program.chmod(0o755)
    commit(folder, "one", a="1\n", **{".gitattributes": "* filter=evil diff=evil\n"})
    commit(folder, "two", a="1\n2\n")
    for hook in ("post-index-change", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
        (folder / ".git" / "hooks" / hook).write_text(program.read_text())
        (folder / ".git" / "hooks" / hook).chmod(0o755)
    settings = {
        "core.fsmonitor": str(program),
        "core.pager": str(program),
        "pager.log": str(program),
        "core.sshCommand": str(program),
        "core.askPass": str(program),
        "core.editor": str(program),
        "core.alternateRefsCommand": str(program),
        "credential.helper": f"!{program}",
        "diff.external": str(program),
        "diff.evil.command": str(program),
        "diff.evil.textconv": str(program),
        "filter.evil.clean": str(program),
        "filter.evil.smudge": str(program),
        "filter.evil.process": str(program),
        "filter.evil.required": "true",
        "gpg.program": str(program),
        "gpg.ssh.program": str(program),
        "log.showSignature": "true",
        "alias.log": f"!{program}",
        "alias.status": f"!{program}",
        "alias.rev-parse": f"!{program}",
        "protocol.ext.allow": "always",
        "remote.origin.url": f"ext::{program} %S",
        "remote.origin.promisor": "true",
        "remote.origin.partialclonefilter": "blob:none",
        "remote.origin.uploadpack": str(program),
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
    }
    for name, value in settings.items():
        run_git(folder, "config", name, value)
    return folder


async def test_a_hostile_configuration_runs_nothing(hostile: Path, tmp_path: Path) -> None:
    signed = _with_signature(hostile)
    (hostile / "a").write_text("touched\n")
    repository = Repository(hostile)
    assert await is_repository(hostile)
    assert await repository.is_dirty() is True
    assert await repository.branch() == "main"
    assert len(await repository.commits(None, await repository.head())) == 2
    assert len(await repository.commits(None, signed)) == 1
    await repository.has_identity()
    blob = run_git(hostile, "rev-parse", "HEAD:a")
    (hostile / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError):
        await repository.commits(None, "HEAD")  # would have to be fetched
    assert not (tmp_path / "traces").exists()


def test_the_hostile_configuration_is_one(hostile: Path, tmp_path: Path) -> None:
    """The control: plain git calls do run the program."""
    (hostile / "a").write_text("touched\n")
    for arguments in (["status"], ["diff"]):
        (tmp_path / "traces").unlink(missing_ok=True)
        subprocess.run(["git", "-C", str(hostile), *arguments], capture_output=True, check=False)
        assert (tmp_path / "traces").exists(), arguments


async def test_variables_of_git_in_our_own_environment_do_not_matter(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = commit(folder, "one", a="1")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_CONFIG_GLOBAL", "GIT_EXTERNAL_DIFF"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert await Repository(folder).head() == first


async def test_lines_held_are_those_that_survived(folder: Path) -> None:
    """Of text files, by the commit that wrote them as they are."""
    one = commit(folder, "one", **{"b b.txt": "x\ny\nz\n", "e": ""})
    (folder / "data.bin").write_bytes(bytes(range(256)) * 9)
    two = commit(folder, "two", **{"b b.txt": "x\nchanged\nz\nw\n"})
    repository = Repository(folder)
    assert (await lines_held(repository, one)).by_commit == {one: 3}
    assert await lines_held(repository, two) == ({one: 2, two: 2}, 0)
    (folder.parent / "ignored").write_text(f"{two}\n")
    for name, held in (("ignored", ({one: 2, two: 2}, 0)), ("nowhere", ({}, 1))):
        run_git(folder, "config", "blame.ignoreRevsFile", str(folder.parent / name))
        assert await lines_held(repository, two) == held
    run_git(folder, "config", "--unset", "blame.ignoreRevsFile")
    shallow = folder.parent / "shallow"
    run_git(folder, "clone", "-q", "--depth", "1", f"file://{folder}", str(shallow))
    assert [await Repository(each).is_shallow() for each in (folder, shallow)] == [False, True]
    inner = folder / "inner"
    inner.mkdir()
    three = commit(inner, "three", c="1\n2\n")
    assert (await lines_held(Repository(inner), three)).by_commit == {three: 2}


async def test_counting_lines_runs_nothing(hostile: Path, tmp_path: Path) -> None:
    (tmp_path / "traces").unlink(missing_ok=True)
    one, two = run_git(hostile, "rev-parse", "HEAD~1", "HEAD").split()
    assert (await lines_held(Repository(hostile), two)).by_commit == {one: 2, two: 1}
    assert not (tmp_path / "traces").exists()


def _with_signature(folder: Path) -> str:
    tree = run_git(folder, "rev-parse", "HEAD^{tree}")
    person = "Ada <ada@example.org> 1700000000 +0000"
    signature = "-----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----"
    body = f"tree {tree}\nauthor {person}\ncommitter {person}\ngpgsig {signature}\n\nsigned\n"
    return subprocess.run(
        ["git", "-C", str(folder), "hash-object", "-t", "commit", "-w", "--stdin"],
        input=body,
        text=True,
        check=True,
        capture_output=True,
    ).stdout.strip()
