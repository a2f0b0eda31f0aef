"""Claude Code: how it is found, started and read. Facts: measured with 2.1.330 and 2.1.197."""

from acd.agents.claude_code.adapter import ClaudeCode

__all__ = ["ADAPTER", "ClaudeCode"]

ADAPTER = ClaudeCode()
