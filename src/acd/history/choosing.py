"""Which histories to import: all that are known, one agent's, or what the user named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from acd.agents.histories import history_names, load_history
from acd.agents.history import History
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.core.text import printable
from acd.history.looking import Roots


def choose(
    settings: Settings, environ: Mapping[str, str], agent: str | None, paths: Sequence[Path]
) -> Roots:
    """The histories to look at, each with where.

    Args:
        settings: tell where agents keep theirs.
        environ: does too.
        agent: only this one's.
        paths: only these files and folders; none: all places that are known.

    Raises:
        ConfigError: no such agent; a path that is not there, holds no history, or could be several agents'.
    """
    histories = [load_history(name) for name in ([agent] if agent else history_names())]
    if not paths:
        return [(history, history.roots(settings, environ)) for history in histories]
    chosen: dict[str, list[Path]] = {}
    for path in paths:
        chosen.setdefault(_owner_of(path, histories, agent).name, []).append(path)
    return [(history, chosen[history.name]) for history in histories if history.name in chosen]


def _owner_of(path: Path, histories: Sequence[History], agent: str | None) -> History:
    shown = printable(str(path))
    if not path.exists():
        raise ConfigError(f"{shown} is not there")
    owners = [one for one in histories if next(iter(one.files(path)), None) is not None]
    names = ", ".join(one.name for one in owners)
    if len(owners) > 1:
        raise ConfigError(f"{shown} could be the history of {names}: say whose, with --agent NAME")
    if not owners:
        whose = (
            f"of {agent}" if agent else f"of an agent that is known ({', '.join(history_names())})"
        )
        raise ConfigError(
            f"{shown} holds no history {whose}; name a folder such as ~/.claude, or a transcript"
        )
    return owners[0]
