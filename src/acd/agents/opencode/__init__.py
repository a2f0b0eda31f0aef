"""OpenCode: its history is read, it is not started (no adapter that drives it). Facts: measured with 1.18.33."""

from acd.agents.opencode.history import OpenCodeHistory

__all__ = ["HISTORY", "OpenCodeHistory"]

HISTORY = OpenCodeHistory()
"""The history of OpenCode."""
