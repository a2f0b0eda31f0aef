"""The endpoint for other makers' agents: what it says in each API, and what it remembers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from acd.testing.other_models import Call, OtherEndpoint, Say, Shell, Step, Tokens
from acd.testing.other_models.script import Asked, call_of

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

SCRIPT: list[Step] = [
    (Shell("ls"), Tokens(fresh=100, output=15, cached=1000, reasoning=5)),
    (Call("task", {"prompt": "look"}), Tokens(fresh=200, output=25)),
    (Say("Done."), Tokens(fresh=300, output=35)),
]
SCHEMA: dict[str, Any] = {"properties": {"command": {}, "description": {}}}
CHAT_TOOL = {"type": "function", "function": {"name": "bash", "parameters": SCHEMA}}


async def ask(endpoint: OtherEndpoint, path: str, body: dict[str, Any]) -> httpx.Response:
    async with endpoint.listening() as url, httpx.AsyncClient(base_url=url) as client:
        return await client.post(path, json=body)


async def test_chat_completions() -> None:
    endpoint = OtherEndpoint(SCRIPT)
    body = {"model": "m", "tools": [CHAT_TOOL], "messages": [{"role": "user", "content": "do"}]}
    answer = (await ask(endpoint, "/v1/chat/completions", body)).json()
    [call] = answer["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "bash", "arguments": '{"command":"ls","description":"x"}'}
    assert answer["usage"]["prompt_tokens"] == 1100
    assert answer["usage"]["completion_tokens"] == 20
    body["messages"] = [{"role": "tool", "content": "x"}] * 2
    streamed = (await ask(endpoint, "/v1/chat/completions", body | {"stream": True})).text
    assert '"content":"Done."' in streamed
    assert '"prompt_tokens":301' in streamed  # one more for each request before
    assert streamed.endswith("data: [DONE]\n\n")
    assert [served.tokens.fresh for served in endpoint.served] == [100, 301]


async def test_responses() -> None:
    endpoint = OtherEndpoint(SCRIPT)
    tool = {"type": "function", "name": "exec_command", "parameters": {"properties": {"cmd": {}}}}
    streamed = (await ask(endpoint, "/v1/responses", {"model": "m", "tools": [tool]})).text
    assert '"arguments":"{\\"cmd\\":\\"ls\\"}"' in streamed
    assert '"cached_tokens":1000' in streamed
    assert streamed.count("event: response.completed") == 1


async def test_gemini() -> None:
    endpoint = OtherEndpoint(SCRIPT)
    declared = {"name": "run_shell_command", "parametersJsonSchema": SCHEMA}
    result = {"functionResponse": {"name": "task"}}
    body: dict[str, Any] = {
        "tools": [{"functionDeclarations": [declared]}],
        "contents": [{"parts": [result]}],
    }
    answer = (await ask(endpoint, "/v1beta/models/g-2:generateContent", body)).json()
    # The tool that the script would call is not offered here, as it is not to a subagent.
    assert answer["candidates"][0]["content"]["parts"] == [{"text": "No such tool."}]
    assert endpoint.served[0].model == "g-2"


async def test_what_offers_no_tools_is_beside_the_work_and_what_is_unknown_is_remembered() -> None:
    endpoint = OtherEndpoint(SCRIPT)
    await ask(endpoint, "/v1/chat/completions", {"model": "m", "messages": []})
    assert [served.aside for served in endpoint.served] == [True]
    assert (await ask(endpoint, "/v1/embeddings", {})).status_code == 404
    assert endpoint.unknown == ["POST /v1/embeddings"]


def test_a_script_that_needs_a_shell_says_so_where_none_is_offered() -> None:
    asked = Asked("chat", "m", {"edit": []}, 0, False)
    with pytest.raises(ValueError, match="no tool for commands"):
        call_of(asked, Shell("ls"))
