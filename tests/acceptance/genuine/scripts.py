"""What the endpoint says in these tests, beside the brain's own replies."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import msgspec

from acd.testing.brain import Brain
from acd.testing.endpoint import Refusal, Reply, Request, Text, ToolUse
from acd.testing.prices import Tokens

Move = Reply | Refusal
OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"


def bash(command: str, usage: Tokens) -> Reply:
    """A reply that has a shell command carried out."""
    call = ToolUse(name="Bash", input={"command": command, "description": "look"})
    return Reply(blocks=[Text(text="Let me see."), call], usage=usage)


LOOK = bash("git log --oneline", Tokens(111, 23, 1700, 900, 130))
"""What a session does well before it goes wrong."""

ASK_A_SCOUT = Reply(
    blocks=[
        ToolUse(
            name="Agent",
            input={
                "description": "look around",
                "prompt": "SCOUT: tell what is there.",
                "subagent_type": "general-purpose",
                "run_in_background": False,
            },
        )
    ],
    usage=Tokens(203, 47, 0, 1500, 210),
)
"""A main agent that has a subagent look around."""


class FirstSession:
    """The session that asks first makes moves of its own; each later one works as the brain does."""

    def __init__(self, moves: Callable[[Request], Move]) -> None:
        self._moves = moves
        self._first: str | None = None
        self._brain = Brain()

    def __call__(self, request: Request) -> Move:
        """The next move."""
        self._first = self._first or request.session_id
        return (self._moves if request.session_id == self._first else self._brain)(request)


def looks_then(move: Move) -> Callable[[Request], Move]:
    """Look around once, then `move`."""
    return lambda request: LOOK if request.turn == 0 else move


def waits_for(file: Path) -> Callable[[Request], Move]:
    """The brain's work, with a shell command first that ends when `file` is there: an agent at work for as long as a test likes.

    The brain takes what that command prints, the feature list, for its own first look.
    """
    brain = Brain()

    def moves(request: Request) -> Move:
        if request.turn:
            return brain(request)
        wait = f"while [ ! -e {shlex.quote(str(file))} ]; do sleep 0.1; done; cat feature_list.json"
        return bash(wait, Tokens(131, 31, 0, 1100, 170))

    return moves


def cheap_scouts(request: Request) -> Move:
    """The brain, whose subagents use another model."""
    reply = Brain()(request)
    if isinstance(reply, Refusal):
        return reply
    blocks = [
        msgspec.structs.replace(block, input=block.input | {"model": "haiku"})
        if isinstance(block, ToolUse) and block.name == "Agent"
        else block
        for block in reply.blocks
    ]
    return msgspec.structs.replace(reply, blocks=blocks)
