"""Claude Code: how it is found, started and read. Facts: measured with 2.1.330 and 2.1.197."""

from acd.agents.claude_code.adapter import ClaudeCode
from acd.agents.claude_code.history import ClaudeCodeHistory

__all__ = ["ADAPTER", "HISTORY", "ClaudeCode", "ClaudeCodeHistory"]

ADAPTER = ClaudeCode()

HISTORY = ClaudeCodeHistory()
"""Its history, for `acd import`."""
