"""Gemini CLI: its history is read, it is not started (no adapter that drives it). Facts: measured with 0.61.0."""

from acd.agents.gemini.history import GeminiHistory

__all__ = ["HISTORY", "GeminiHistory"]

HISTORY = GeminiHistory()
"""The history of Gemini CLI."""
