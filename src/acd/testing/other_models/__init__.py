"""A scripted endpoint for agents of other makers: OpenAI's Responses and Chat Completions, and Google's Gemini API.

Only as much of each as Codex, Gemini CLI, OpenCode and Qwen Code ask for. Every request that was answered stands in
`OtherEndpoint.served` with what it was told to have cost: the oracle that an imported history is held against.
"""

from acd.testing.other_models.script import Call, Say, ServedRequest, Shell, Step, Tokens
from acd.testing.other_models.server import OtherEndpoint

__all__ = ["Call", "OtherEndpoint", "Say", "ServedRequest", "Shell", "Step", "Tokens"]
