"""Clones of acd's own: whole or not there, made once, by addresses that run nothing."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from pathlib import Path

import pytest

from acd.core.errors import ConfigError
from acd.core.models import Target
from acd.core.settings import Settings
from acd.harness.cloning import clone_folder, in_folder, make_clone

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    (path / "docs").mkdir(parents=True)
    (path / "docs" / "prd.md").write_text("Sell things.")
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"]):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        subprocess.run(["git", "-C", str(path), *identity, *command], check=True)
    return path


def target_of(address: Path | str, repo_id: str = "shop") -> Target:
    return Target(repo_id=repo_id, name="Shop", path="/nowhere/shop", clone=str(address))


async def test_a_clone_is_made_once_and_told(settings: Settings, source: Path) -> None:
    told: list[str] = []
    both = await asyncio.gather(
        *(make_clone(settings, target_of(source), told.append) for _ in range(2))
    )
    assert both == [settings.clones_dir / "shop"] * 2
    assert (both[0] / "docs" / "prd.md").read_text() == "Sell things."
    assert told[0] == f"shop: cloning {source}"
    assert len(told) == 2  # and that it is there
    (source / "new").touch()
    await make_clone(settings, target_of(source), told.append)
    assert len(told) == 2


async def test_what_a_killed_one_left_is_removed(settings: Settings, source: Path) -> None:
    half = settings.clones_dir / ".shop.half"
    half.mkdir(parents=True)
    (half / "junk").touch()
    folder = await make_clone(settings, target_of(source), lambda _: None)
    assert not half.exists()
    assert not (folder / "junk").exists()


async def test_what_cannot_be_cloned_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be cloned: git clone .*/none: .*does not exist"):
        await make_clone(settings, target_of(tmp_path / "none"), lambda _: None)
    assert list(settings.clones_dir.iterdir()) == []


async def test_an_address_that_names_a_program_runs_none(
    settings: Settings, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    with pytest.raises(ConfigError, match="not allowed"):
        await make_clone(settings, target_of(f"ext::sh -c 'touch {touched}'"), lambda _: None)
    assert not touched.exists()


async def test_a_source_that_never_answers_is_given_up(settings: Settings) -> None:
    impatient = Settings(home=settings.home, clone_timeout=1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"git://127.0.0.1:{server.getsockname()[1]}/x"
        with pytest.raises(ConfigError, match="longer than 1 s"):
            await make_clone(impatient, target_of(address), lambda _: None)
    assert list(settings.clones_dir.iterdir()) == []


@pytest.mark.parametrize("repo_id", ["../up", ".hidden", "a/b", "x" * 200, "mit Leerzeichen", "ü"])
def test_no_id_leads_out_of_the_folder(settings: Settings, repo_id: str) -> None:
    folder = clone_folder(settings, target_of("x", repo_id))
    assert folder.parent == settings.clones_dir
    assert len(folder.name) < 100
    assert not folder.name.startswith(".")
    assert folder != clone_folder(settings, target_of("x", repo_id + "2"))


def test_files_of_the_repository_are_those_of_the_clone() -> None:
    target = Target(
        repo_id="a",
        name="a",
        path="/srv/a",
        prd="/srv/a/docs/prd.md",
        prompt="/etc/prompt.md",
        feature_list="/srv/a/feature_list.json",
    )
    there = in_folder(target, Path("/clones/a"))
    assert (there.path, there.prd, there.prompt, there.feature_list) == (
        "/clones/a",
        "/clones/a/docs/prd.md",
        "/etc/prompt.md",
        "/clones/a/feature_list.json",
    )
    assert in_folder(there, Path("/clones/a")) == there
