"""A scripted Anthropic Messages API on loopback, for running the genuine Claude Code without a model.

In a test:

    async with Endpoint({"ok": [Reply(blocks=[Text(text="Hello.")], usage=Tokens(17, 19))]}) as endpoint:
        ...  # ANTHROPIC_BASE_URL=endpoint.url("ok")
        assert endpoint.totals().tokens == Tokens(17, 19)

On the command line, with scripts in a file `{"scripts": {"ok": [{"blocks": [{"type": "text", "text": "Hello."}]}]}}`
(a name of `*` answers what no other script does):

    python -m acd.testing.endpoint --port 0 --scenario FILE [--ledger FILE] [--brain]

It prints `{"url": …}` once it listens. `--brain` adds `acd.testing.brain` as `*`.
"""

from acd.testing.endpoint.replies import (
    Brain,
    Limit,
    Refusal,
    Reply,
    Request,
    Script,
    Text,
    Thinking,
    ToolUse,
)
from acd.testing.endpoint.served import Served, ServedTotals, total, total_by_model
from acd.testing.endpoint.server import Endpoint
from acd.testing.endpoint.wire import CREDIT, TOO_LONG

__all__ = [
    "CREDIT",
    "TOO_LONG",
    "Brain",
    "Endpoint",
    "Limit",
    "Refusal",
    "Reply",
    "Request",
    "Script",
    "Served",
    "ServedTotals",
    "Text",
    "Thinking",
    "ToolUse",
    "total",
    "total_by_model",
]
