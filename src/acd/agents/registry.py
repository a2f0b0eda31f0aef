"""Adapters by name, found through the entry point group `acd.agents`: the built-in ones come by the same door."""

from __future__ import annotations

from importlib.metadata import EntryPoints, entry_points

from acd.agents.protocol import Adapter
from acd.core.errors import ConfigError

_GROUP = "acd.agents"


def adapter_names() -> list[str]:
    """Names of all adapters that are installed, sorted. Loads none of them."""
    return sorted(_entries().names)


def load_adapter(name: str) -> Adapter:
    """The adapter of the agent called `name`.

    Raises:
        ConfigError: no such adapter is installed (names those that are), or it cannot be loaded.
    """
    found = _entries().select(name=name)
    if not found:
        raise ConfigError(f"unknown agent {name!r}; installed: {', '.join(adapter_names())}")
    try:
        adapter: Adapter = next(iter(found)).load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the adapter of agent {name!r} cannot be loaded: {error}") from error
    return adapter


def _entries() -> EntryPoints:
    return entry_points(group=_GROUP)
