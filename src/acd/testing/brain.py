"""A little mind for the scripted endpoint: works a target to completion, one feature a session.

It knows nothing but the conversation: the path in the prompt's line `Feature list: <path>`, and what the tools gave back.
A first session finds no list, writes one and commits it. Each later one takes the first feature that does not pass, has a
subagent look around, writes the feature's file, sets its flag and commits.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from acd.testing.endpoint.replies import Refusal, Reply, Request, Text, ToolUse
from acd.testing.prices import Tokens
from acd.testing.scripted_agent.feature_list import is_passing, key_of, path_in_prompt

FEATURES = tuple(
    {"id": f"F{n}", "name": f"Greeting {n}", "description": f"Say hello {n}.", "passes": False}
    for n in (1, 2, 3)
)
_SCOUT = "Scout: list the files and tell what is there."


class Brain:
    """Answers requests; `features` are what it writes into a new list."""

    def __init__(self, features: Sequence[dict[str, Any]] = FEATURES) -> None:
        self._features = features

    def __call__(self, request: Request) -> Reply | Refusal:
        """The next reply in this conversation."""
        path = path_in_prompt(request.prompt)
        if _SCOUT in request.prompt:
            return self._scout(request)
        if path is None:
            return _say(request, "I was told of no feature list.")
        results = request.tool_results()
        if not results:
            return _call(request, "Bash", command=f"cat {shlex.quote(path)}", description="read")
        text, failed = results[0]
        return self._initialize(request, path) if failed else self._work(request, path, text)

    def _scout(self, request: Request) -> Reply:
        if not request.tool_calls():
            return _call(request, "Bash", command="ls -a", description="list files")
        return _say(request, "There is a repository.")

    def _initialize(self, request: Request, path: str) -> Reply:
        match len(request.tool_calls()):
            case 1:
                text = json.dumps(list(self._features), indent=2) + "\n"
                return _call(request, "Write", file_path=path, content=text)
            case 2:
                return _commit(request, "Add the feature list")
            case _:
                return _say(request, "The feature list is written.")

    def _work(self, request: Request, path: str, listed: str) -> Reply:
        document = json.loads(listed)
        entries = document["features"] if isinstance(document, dict) else document
        pending = [entry for entry in entries if not is_passing(entry)]
        if not pending:
            return _say(request, "All features pass.")
        key = key_of(pending[0])
        match len(request.tool_calls()):
            case 1:
                return _call(
                    request,
                    "Agent",
                    description="look around",
                    prompt=_SCOUT,
                    subagent_type="general-purpose",
                    run_in_background=False,
                )
            case 2:
                file = shlex.quote(f"{key}.txt")
                return _call(request, "Bash", command=f"echo {key} > {file}", description="write")
            case 3:
                return _call(request, "Read", file_path=path)
            case 4:
                old, new = _claim(listed, key)
                return _call(request, "Edit", file_path=path, old_string=old, new_string=new)
            case 5:
                return _commit(request, f"Implement {key}")
            case _:
                return _say(request, f"{key} is done.")


def _claim(listed: str, key: str) -> tuple[str, str]:
    """The part of the list from the feature's key to its flag, as it stands and as it is to be."""
    found = re.search(rf'"{re.escape(key)}".*?"(passes|completed)": *false', listed, re.DOTALL)
    old = found[0] if found else key
    return old, old.removesuffix("false") + "true"


def _usage(request: Request) -> Tokens:
    """Usage of both kinds of cache writes that follows from the turn alone."""
    turn = request.turn
    return Tokens(
        input_tokens=101 + turn,
        output_tokens=40 + 7 * turn,
        cache_read_tokens=1300 * turn,
        cache_write_5m_tokens=1000,
        cache_write_1h_tokens=300 if turn % 2 == 0 else 0,
    )


def _call(request: Request, name: str, **tool_input: str | bool) -> Reply:
    return Reply(blocks=[ToolUse(name=name, input=dict(tool_input))], usage=_usage(request))


def _commit(request: Request, message: str) -> Reply:
    command = f"git add -A && git commit -q -m {shlex.quote(message)}"
    return _call(request, "Bash", command=command, description="commit")


def _say(request: Request, text: str) -> Reply:
    return Reply(blocks=[Text(text=text)], usage=_usage(request))
