"""The scripted agent (`acd.testing.scripted_agent`): follows a scenario, needs no model, prints as Claude Code does."""

from acd.agents.scripted.adapter import Scripted

__all__ = ["ADAPTER", "Scripted"]

ADAPTER = Scripted()
