"""Qwen Code: its history is read, it is not started (no adapter that drives it). Facts: measured with 0.15.10."""

from acd.agents.qwen.history import QwenHistory

__all__ = ["HISTORY", "QwenHistory"]

HISTORY = QwenHistory()
"""The history of Qwen Code."""
