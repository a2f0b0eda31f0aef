"""Histories by the agent's name, found through the entry point group `acd.histories`."""

from __future__ import annotations

from importlib.metadata import EntryPoints, entry_points

from acd.agents.history import History
from acd.agents.registry import adapter_names, load_adapter
from acd.core.errors import ConfigError

_GROUP = "acd.histories"


def history_names() -> list[str]:
    """Names of all agents whose history can be read, sorted. Loads none of them."""
    return sorted(_entries().names)


def load_history(name: str) -> History:
    """The history of the agent called `name`.

    Raises:
        ConfigError: nobody here reads its history (names those that are read), or it cannot be loaded.
    """
    found = _entries().select(name=name)
    if not found:
        known = ", ".join(history_names())
        raise ConfigError(f"the history of agent {name!r} cannot be read; installed: {known}")
    try:
        history: History = next(iter(found)).load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the history of agent {name!r} cannot be loaded: {error}") from error
    return history


def provider_by_agent() -> dict[str, str]:
    """Under which provider's prices the models of each agent are found, whether it is started or only imported.

    Raises:
        ConfigError: an adapter or a history that is installed cannot be loaded.
    """
    read = {name: load_history(name).provider for name in history_names()}
    return read | {name: load_adapter(name).provider for name in adapter_names()}


def _entries() -> EntryPoints:
    return entry_points(group=_GROUP)
