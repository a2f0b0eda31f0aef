"""Codex: its history is read, it is not started (no adapter that drives it). Facts: measured with 0.169.0."""

from acd.agents.codex.history import CodexHistory

__all__ = ["HISTORY", "CodexHistory"]

HISTORY = CodexHistory()
"""The history of Codex."""
