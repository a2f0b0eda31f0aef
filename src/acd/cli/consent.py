"""`acd consent`: may a repository's own settings for its agent be loaded?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from acd.agents.registry import load_adapter
from acd.cli.figures import count_of
from acd.cli.opened import make_home
from acd.cli.options import AsJson, Home, QueueFile, Verbose, new_app
from acd.cli.output import say, show_json
from acd.core.environment import load_settings
from acd.core.errors import ConfigError
from acd.core.models import Target
from acd.core.text import printable, redact
from acd.harness.consent import Consents, OwnFile, folders_of, own_files
from acd.queue.file import read_queue_file

app = new_app()

_SHOWN = 4000


class Shown(msgspec.Struct, frozen=True, rename="camel"):
    """One file, and whether it is loaded."""

    name: str
    sha256: str | None
    consented: bool


@app.command()
def consent(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Its id in the queue file.")],
    show: Annotated[
        bool, typer.Option("--show", help="What is there, with its content (the default).")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Load these files from now on, as they are now.")
    ] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Load them no longer.")] = False,
    as_json: AsJson = False,
    home: Home = None,
    queue: QueueFile = None,
    verbose: Verbose = False,
) -> None:
    """Look at a repository's own agent settings (hooks, MCP servers, …), and say whether they may be loaded.

    Such files run programs unasked, so without consent sessions do not load them; CLAUDE.md is read in any case. A file
    that changes needs consent anew.
    """
    if sum((show, yes, revoke)) > 1:
        raise typer.BadParameter("choose one", param_hint="--show, --yes, --revoke")
    settings = load_settings(home=home, queue_file=queue)
    found = _target(read_queue_file(settings.queue_file).targets, target)
    path, consents = Path(found.path), Consents(settings)
    if revoke:
        was = consents.revoke(path)
        say(f"{target}: consent is taken back." if was else f"{target}: there was no consent.")
        return
    files = sorted(own_files(load_adapter(found.agent).own_settings, folders_of(path)))
    if yes:
        make_home(settings)
        consents.give(path, files)
        if files:
            say(f"{target}: {count_of(len(files), 'file')} will be loaded as they are now.")
        else:
            say(f"{target} has no agent settings of its own: there is nothing to load.")
        return
    given = consents.given(path)
    if as_json:
        rows = [Shown(file.name, file.sha256, file in given) for file in files]
        show_json(msgspec.json.encode(rows))
    else:
        _show(target, path, files, given)


def _target(targets: list[Target], repo_id: str) -> Target:
    for target in targets:
        if target.repo_id == repo_id:
            return target
    names = ", ".join(each.repo_id for each in targets)
    raise ConfigError(f"no target {repo_id!r} in the queue file; there are {names or 'none'}")


def _show(target: str, path: Path, files: list[OwnFile], given: set[OwnFile]) -> None:
    if not files:
        say(f"{target} has no agent settings of its own: there is nothing to consent to.")
        return
    for file in files:
        state = "loaded" if file in given else "not loaded"
        say(f"{printable(file.name)} ({state}, sha256 {(file.sha256 or 'unreadable')[:16]})")
        for line in _content(path, file):
            say(f"    {line}")
    if set(files) <= given:
        say(f"{target}: all of it is loaded. `acd consent {target} --revoke` takes that back.")
    else:
        say(f"Load it as it is: acd consent {target} --yes")


def _content(path: Path, file: OwnFile) -> list[str]:
    """What a person has to judge, fit for a terminal."""
    places = (folder / file.name for folder in folders_of(path))
    place = next((each for each in places if each.is_file()), None)
    if file.sha256 is None or place is None:
        return []
    text = place.read_text(errors="replace")
    lines = [printable(redact(line)) for line in text[:_SHOWN].splitlines()]
    return [*lines, *(["…"] if len(text) > _SHOWN else [])]
