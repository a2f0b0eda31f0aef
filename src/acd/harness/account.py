"""Which login an agent works with here, as far as its adapter can tell: limits are that account's and no other's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from acd.agents.protocol import Adapter
from acd.agents.registry import load_adapter
from acd.core.errors import AcdError
from acd.core.settings import Settings
from acd.harness.environment import inherited, names_in


@runtime_checkable
class KnowsAccount(Protocol):
    """What an adapter may have beyond `Adapter`."""

    def account(self, settings: Settings, environment: Mapping[str, str]) -> str:
        """The login in words with a fingerprint, never a secret or a name: `API key 1a2b3c4d`; empty where it cannot tell."""
        ...


def account_of(adapter: Adapter, settings: Settings) -> str:
    """The login of this machine with which the agent works; empty where nobody can tell."""
    if not isinstance(adapter, KnowsAccount):
        return ""
    names = [*adapter.environment_names, *names_in(settings.agent_env)]
    return adapter.account(settings, inherited(os.environ, names))


def account_of_agent(name: str, settings: Settings) -> str:
    """The same by the agent's name; empty for one that is not installed."""
    try:
        return account_of(load_adapter(name), settings)
    except AcdError:  # whoever starts a session of it says so
        return ""
