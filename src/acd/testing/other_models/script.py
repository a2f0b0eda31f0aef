"""What the models answer, and what was served."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Json = dict[str, Any]
Api = Literal["responses", "chat", "gemini"]


class Tokens(msgspec.Struct, frozen=True):
    """What a request costs, each token in one place: `output` is without `reasoning`, `fresh` without `cached`."""

    fresh: int
    output: int
    cached: int = 0
    reasoning: int = 0


class Shell(msgspec.Struct, frozen=True):
    """The model asks for a command to be run."""

    command: str


class Call(msgspec.Struct, frozen=True):
    """The model calls this tool; where it is not offered (to a subagent), it says so instead."""

    tool: str
    arguments: Json


class Say(msgspec.Struct, frozen=True):
    """The model says something, which ends the turn."""

    text: str


Step = tuple[Shell | Call | Say, Tokens]
"""An answer of the model, and what it costs."""


class ServedRequest(msgspec.Struct, frozen=True):
    """One request that was answered. `aside`: it offered no tools, so it was none of the work (a title, a summary)."""

    api: Api
    model: str
    tokens: Tokens
    aside: bool


class Asked(msgspec.Struct, frozen=True):
    """What a request says, whatever the API. `results`: how many tools' results it holds."""

    api: Api
    model: str
    tools: dict[str, list[str]]
    results: int
    stream: bool


# What the agents call their tool for commands, and the argument that takes the command.
_SHELLS = ("exec_command", "shell_command", "shell", "bash", "run_shell_command")
_ARGUMENTS = ("cmd", "command")


def call_of(asked: Asked, answer: Shell | Call | Say) -> tuple[str, Json] | str:
    """Name and arguments of the tool's call that an answer amounts to with the tools which were offered, or the text.

    Raises:
        ValueError: no tool that runs commands was offered.
    """
    if isinstance(answer, Say):
        return answer.text
    if isinstance(answer, Call):
        return (answer.tool, answer.arguments) if answer.tool in asked.tools else "No such tool."
    for name in _SHELLS:
        offered = asked.tools.get(name)
        if offered is not None:
            argument = next((each for each in _ARGUMENTS if each in offered), "command")
            more = {"description": "x", "is_background": False}
            filled = {key: value for key, value in more.items() if key in offered}
            return name, {argument: answer.command} | filled
    raise ValueError(f"no tool for commands among {sorted(asked.tools)}")
