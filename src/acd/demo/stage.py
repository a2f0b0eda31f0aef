"""The demo's scratch folder: repositories, queue file and scenario, made anew for each performance."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.demo import story

_IDENTITY = ("-c", "user.name=acd demo", "-c", "user.email=demo@acd.invalid")
_GIT_SECONDS = 30


@dataclass(frozen=True)
class Stage:
    """Where everything of one performance is."""

    folder: Path
    queue_file: Path
    scenario: Path

    def settings(self, settings: Settings, concurrency: int) -> Settings:
        """The user's settings, with this queue and scenario, and waits that suit a demo."""
        return msgspec.structs.replace(
            settings,
            queue_file=self.queue_file,
            scenario=self.scenario,
            concurrency=concurrency,
            retry_base=1.0,
            retry_max=2.0,
        )


def set_stage(home: Path, *, pace: float = 0.4, reset: float = 4.0) -> Stage:
    """Make the scratch folder `<home>/demo/<number>` with everything in it.

    Raises:
        ConfigError: git is missing or does not work here.
        OSError: the folder cannot be written.
    """
    number, folder = _new_folder(home / "demo")
    folders = {target: f"{target}-{number}" for target in story.TARGETS}
    for target, name in folders.items():
        _make_repository(folder / name, target)
    stage = Stage(folder, folder / "repo-queue.json", folder / "scenario.json")
    stage.queue_file.write_text(json.dumps(story.queue(folders), indent=2) + "\n")
    scenario = story.scenario(folders, pace=pace, reset=reset)
    stage.scenario.write_text(json.dumps(scenario, indent=2) + "\n")
    return stage


def _new_folder(parent: Path) -> tuple[int, Path]:
    """A folder that no earlier demo, and no other one right now, has used."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = 1
    while True:
        folder = parent / str(number)
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return number, folder


def _make_repository(path: Path, target: str) -> None:
    path.mkdir()
    (path / "README.md").write_text(f"# {target}\n\nA repository of the acd demo.\n")
    if target != "weather":
        listed = json.dumps(story.features(target), indent=2)
        (path / "feature_list.json").write_text(listed + "\n")
    _git(path, "init", "--quiet", "--initial-branch=main")
    _git(path, "add", "--all")
    _git(path, *_IDENTITY, "commit", "--quiet", "--message", "Begin")


def _git(path: Path, *arguments: str) -> None:
    """Git on a repository that we have just made ourselves: there is nothing in it to be wary of."""
    try:
        subprocess.run(
            ["git", "-C", str(path), *arguments],
            check=True,
            capture_output=True,
            timeout=_GIT_SECONDS,
        )
    except FileNotFoundError as error:
        raise ConfigError("git is not installed: install it (Debian: apt install git)") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise ConfigError(f"git {arguments[0]} failed in {path}: {said}") from error
