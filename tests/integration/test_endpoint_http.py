"""The scripted endpoint over plain HTTP: shapes, scripts, refusals, its ledger; and as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from acd.testing.brain import Brain
from acd.testing.endpoint import (
    Endpoint,
    Limit,
    Refusal,
    Reply,
    Request,
    Served,
    Text,
    Thinking,
    ToolUse,
    total,
)
from acd.testing.prices import Tokens

Json = dict[str, Any]
BASH = ToolUse(name="Bash", input={"command": "ls"})


def ask(
    *said: str, prompt: str = "Go.", stream: bool = False, model: str = "claude-opus-5-5"
) -> Json:
    """A request in a conversation in which the agent has said that much."""
    messages = [{"role": "user", "content": [{"type": "text", "text": prompt}]}]
    for each in said:
        messages.append({"role": "assistant", "content": [{"type": "text", "text": each}]})
        messages.append({"role": "user", "content": [{"type": "text", "text": "On."}]})
    return {"model": model, "max_tokens": 9, "stream": stream, "messages": messages}


async def post(url: str, body: Json) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.post(f"{url}/v1/messages?beta=true", json=body)


def text_of(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    text: str = response.json()["content"][0]["text"]
    return text


def read_events(response: httpx.Response) -> list[Json]:
    assert response.headers["content-type"] == "text/event-stream"
    parts = [part.split("\n") for part in response.text.strip().split("\n\n")]
    events = [json.loads(data.removeprefix("data: ")) for _, data in parts]
    assert [name for name, _ in parts] == [f"event: {event['type']}" for event in events]
    return events


async def test_replies_follow_the_turns_and_the_last_one_repeats() -> None:
    script = [Reply(blocks=[Text(text=word)]) for word in ("one", "two")]
    async with Endpoint({"*": script}) as endpoint:
        heard = [text_of(await post(endpoint.url(), ask(*"abc"[:turn]))) for turn in range(4)]
    assert heard == ["one", "two", "two", "two"]
    assert [served.turn for served in endpoint.served] == [0, 1, 2, 3]


async def test_a_prompt_names_its_script_before_the_address_does() -> None:
    scripts = {name: [Reply(blocks=[Text(text=name)])] for name in ("main", "inner")}
    async with Endpoint(scripts) as endpoint:
        assert text_of(await post(endpoint.url("main"), ask())) == "main"
        assert text_of(await post(endpoint.url("main"), ask(prompt="SCRIPT:inner x"))) == "inner"
        assert text_of(await post(endpoint.url("main"), ask(prompt="SCRIPT:other"))) == "main"
        assert (await post(endpoint.url("none"), ask())).status_code == 404


async def test_a_stream_says_the_same_as_a_whole_answer() -> None:
    reply = Reply(
        blocks=[Thinking(thinking="hm"), Text(text="On it."), BASH], usage=Tokens(1, 2, 3, 4, 5, 6)
    )
    async with Endpoint({"*": [reply]}) as endpoint:
        whole = (await post(endpoint.url(), ask())).json()
        events = read_events(await post(endpoint.url(), ask(stream=True)))
    assert whole["stop_reason"] == "tool_use"
    assert [block["type"] for block in whole["content"]] == ["thinking", "text", "tool_use"]
    begun = events[0]["message"]
    assert begun["usage"] == whole["usage"] | {"output_tokens": 1}
    assert whole["usage"]["cache_creation_input_tokens"] == 9
    assert whole["usage"]["cache_creation"] == {
        "ephemeral_5m_input_tokens": 4,
        "ephemeral_1h_input_tokens": 5,
    }
    assert whole["usage"]["server_tool_use"]["web_search_requests"] == 6
    ended = next(event for event in events if event["type"] == "message_delta")
    assert ended["usage"] == whole["usage"]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert "".join(delta.get("partial_json", "") for delta in deltas) == '{"command":"ls"}'
    assert {delta["text"] for delta in deltas if "text" in delta} == {"On it."}
    assert begun["id"] != whole["id"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ],
)
async def test_refusals_are_counted_down_by_conversation_and_turn(status: int, kind: str) -> None:
    refusal = Refusal(status=status, times=2, headers={"x-why": "test"})
    script = [Reply(blocks=[Text(text="fine")], refusals=[refusal])]
    async with Endpoint({"*": script}) as endpoint:
        for prompt in ("One.", "Two."):
            for _ in range(2):
                refused = await post(endpoint.url(), ask(prompt=prompt))
                assert refused.status_code == status
                assert refused.json()["error"]["type"] == kind
                assert refused.headers["x-why"] == "test"
                assert refused.headers["request-id"] == refused.json()["request_id"]
            assert text_of(await post(endpoint.url(), ask(prompt=prompt))) == "fine"
    totals = endpoint.totals()
    assert (totals.requests, totals.refused) == (2, 4)


async def test_a_refusal_may_be_for_one_model_only() -> None:
    script = [Reply(refusals=[Refusal(status=529, models=["claude-opus-5-5"])])]
    async with Endpoint({"*": script}) as endpoint:
        assert (await post(endpoint.url(), ask())).status_code == 529
        sonnet = await post(endpoint.url(), ask(model="claude-sonnet-5-5"))
    assert sonnet.status_code == 200


async def test_limits_stand_in_headers() -> None:
    over = Refusal(status=429, limit=Limit(status="rejected", window="seven_day", resets_in=9))
    near = Limit(status="allowed_warning", utilization=0.92)
    async with Endpoint(
        {"over": [Reply(refusals=[over])], "near": [Reply(limit=near)]}
    ) as endpoint:
        refused = await post(endpoint.url("over"), ask())
        warned = await post(endpoint.url("near"), ask())
    prefix = "anthropic-ratelimit-unified"
    assert refused.headers["retry-after"] == "9"
    assert refused.headers[f"{prefix}-status"] == "rejected"
    assert refused.headers[f"{prefix}-7d-reset"] == refused.headers[f"{prefix}-reset"]
    assert refused.headers[f"{prefix}-representative-claim"] == "seven_day"
    assert warned.headers[f"{prefix}-5h-utilization"] == "0.92"


async def test_connections_drop_and_streams_break_off() -> None:
    dropped = [Reply(refusals=[Refusal(status=0, times=1)])]
    cut = {
        name: [Reply(blocks=[Text(text="a"), Text(text="b")], usage=Tokens(7, 9), cut=name)]
        for name in ("error", "close")
    }
    async with Endpoint({"dropped": dropped, **cut}) as endpoint:
        with pytest.raises(httpx.RemoteProtocolError):
            await post(endpoint.url("dropped"), ask())
        with pytest.raises(httpx.RemoteProtocolError):
            await post(endpoint.url("close"), ask(stream=True))
        events = read_events(await post(endpoint.url("error"), ask(stream=True)))
        again = read_events(await post(endpoint.url("error"), ask(stream=True)))
    assert [event["type"] for event in events][-2:] == ["content_block_delta", "error"]
    assert again[-1]["type"] == "message_stop"
    totals = endpoint.totals()
    assert (totals.requests, totals.refused, totals.broken) == (1, 1, 2)
    assert totals.broken_tokens == Tokens(14, 2)


async def test_the_ledger_holds_what_was_served(tmp_path: Path) -> None:
    script = [
        Reply(blocks=[BASH], usage=Tokens(101, 21, 0, 1000)),
        Reply(usage=Tokens(99_999, 10, 1, 1), model="haiku"),
    ]
    ledger = tmp_path / "ledger.jsonl"
    async with Endpoint({"*": script}, ledger=ledger) as endpoint:
        whole = await post(endpoint.url(), ask())
        await post(endpoint.url(), ask("a", stream=True))
        await post(endpoint.url(), ask("a", model="claude-unheard-of"))
    kept = [msgspec.json.decode(line, type=Served) for line in ledger.read_bytes().splitlines()]
    assert kept == endpoint.served
    assert kept[0].message_id == whole.json()["id"]
    assert kept[0].request_id == whole.headers["request-id"]
    assert kept[0].tools == ["Bash"]
    assert [each.model for each in kept] == ["claude-opus-5-5", *["claude-haiku-5-5"] * 2]
    assert [each.cost_usd for each in kept[:2]] == [Decimal("0.005824"), Decimal("0.050025175")]
    assert total(kept).cost_usd == Decimal("0.10587435")


async def test_other_addresses_are_answered_too() -> None:
    async with Endpoint({}) as endpoint, httpx.AsyncClient() as client:
        assert (await client.head(endpoint.url())).status_code == 200
        assert (await client.get(f"{endpoint.url()}/v1/models")).status_code == 404
        assert (await client.post(f"{endpoint.url()}/v1/messages", json=ask())).status_code == 404


def converse(prompt: str, *steps: tuple[str, bool]) -> Request:
    """A conversation with `Brain` in which each tool gave back that."""
    messages: list[Json] = [{"role": "user", "content": prompt}]
    for number, (text, failed) in enumerate(steps):
        use = {"type": "tool_use", "id": str(number), "name": "Bash", "input": {}}
        given = {"type": "tool_result", "tool_use_id": str(number), "content": text}
        messages.append({"role": "assistant", "content": [use]})
        messages.append({"role": "user", "content": [given | {"is_error": failed}]})
    return Request("*", {"model": "claude-opus-5-5", "messages": messages})


def test_the_brain_changes_one_flag_of_the_first_pending_feature() -> None:
    listed = json.dumps(
        [{"id": n, "note": '"passes": false', "passes": n == "a"} for n in "abc"], indent=1
    )
    request = converse("Feature list: f.json", (listed, False), *[("", False)] * 3)
    reply = Brain()(request)
    assert isinstance(reply, Reply)
    (block,) = reply.blocks
    assert isinstance(block, ToolUse)
    assert listed.count(block.input["old_string"]) == 1
    changed = json.loads(listed.replace(block.input["old_string"], block.input["new_string"]))
    assert [entry["passes"] for entry in changed] == [True, True, False]


def test_it_serves_as_a_process_of_its_own(tmp_path: Path) -> None:
    scenario, ledger = tmp_path / "scripts.json", tmp_path / "ledger.jsonl"
    reply = {"blocks": [{"type": "text", "text": "Hello."}], "usage": {"input_tokens": 17}}
    scenario.write_text(json.dumps({"scripts": {"ok": [reply]}}))
    command = [sys.executable, "-m", "acd.testing.endpoint", "--brain"]
    command += ["--scenario", str(scenario), "--ledger", str(ledger)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            answered = httpx.post(f"{url}/s/ok/v1/messages", json=ask(), timeout=30)
            thought = httpx.post(f"{url}/v1/messages", json=ask(), timeout=30)
        finally:
            process.terminate()
    assert text_of(answered) == "Hello."
    assert text_of(thought) == "I was told of no feature list."
    assert len(ledger.read_bytes().splitlines()) == 2


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ('{"scripts": {"a": []}}', "script 'a' has no replies"),
        ('{"scripts": {"a": [{"block": 1}]}}', "unknown field `block`"),
        ("oops", "JSON is malformed"),
    ],
)
def test_a_wrong_scenario_is_refused(tmp_path: Path, document: str, complaint: str) -> None:
    scenario = tmp_path / "scripts.json"
    scenario.write_text(document)
    command = [sys.executable, "-m", "acd.testing.endpoint", "--scenario", str(scenario)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert complaint in ended.stderr
