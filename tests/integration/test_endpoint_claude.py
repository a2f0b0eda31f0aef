"""The genuine Claude Code against the scripted endpoint: what it reports equals what the endpoint served."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest

from acd.agents.claude_code.locate import locate
from acd.testing.brain import FEATURES, Brain
from acd.testing.endpoint import (
    CREDIT,
    TOO_LONG,
    Endpoint,
    Limit,
    Refusal,
    Reply,
    Request,
    ServedTotals,
    Text,
    Thinking,
    ToolUse,
    total_by_model,
)
from acd.testing.prices import Tokens

pytestmark = pytest.mark.extra

DEADLINE = 90
KEY = {"ANTHROPIC_API_KEY": "fake"}
LOGIN = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-fake"}
Line = dict[str, Any]


class Run:
    """One run of the CLI: exit status and stream."""

    def __init__(self, status: int | None, output: bytes, errors: bytes) -> None:
        self.status = status
        self.errors = errors.decode()
        self.lines: list[Line] = [json.loads(line) for line in output.splitlines()]

    @property
    def result(self) -> Line:
        assert self.lines, self.errors
        assert self.lines[-1]["type"] == "result", self.lines[-1]
        return self.lines[-1]

    def of(self, kind: str, subtype: str | None = None) -> list[Line]:
        return [
            line for line in self.lines if (line["type"], line.get("subtype")) == (kind, subtype)
        ]


class Cli:
    """The bundled CLI in a repository of its own, with a home of its own and a clean environment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repo = root / "repo"
        for folder in ("home", "config", "repo"):
            (root / folder).mkdir(exist_ok=True)
        # Located, not imported: where the package is missing the other tests must still be collected.
        self.binary = locate(None)

    def environment(self, url: str, login: Mapping[str, str]) -> dict[str, str]:
        who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@localhost"}
        who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
        switches = dict.fromkeys(
            (
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
                "DISABLE_TELEMETRY",
                "DISABLE_AUTOUPDATER",
                "IS_SANDBOX",
                "CLAUDE_CODE_MAX_RETRIES",
            ),
            "1",
        )
        places = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root / "home"),
            "CLAUDE_CONFIG_DIR": str(self.root / "config"),
            "ANTHROPIC_BASE_URL": url,
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }
        return {**places, **who, **switches, **login}

    async def git(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=self.repo,
            env=self.environment("", {}),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode()

    async def run(
        self, url: str, prompt: str, *flags: str, login: Mapping[str, str] = KEY, **env: str
    ) -> Run:
        command = [str(self.binary), "-p", prompt, "--output-format", "stream-json", "--verbose"]
        command += ["--session-id", str(uuid4()), "--permission-mode", "acceptEdits", *flags]
        command += ["--allowedTools", "Bash", "Write", "Edit", "Read", "Agent", "Task"]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.repo,
            env=self.environment(url, login) | env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await asyncio.wait_for(process.communicate(), DEADLINE)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Run(process.returncode, output, errors)


@pytest.fixture
async def cli(tmp_path: Path) -> Cli:
    cli = Cli(tmp_path)
    await cli.git("init", "-q", "-b", "main")
    return cli


def _reported(usage: Line) -> dict[str, tuple[Tokens, Decimal]]:
    return {
        name: (
            Tokens(
                each["inputTokens"],
                each["outputTokens"],
                each["cacheReadInputTokens"],
                each["cacheCreationEphemeral5mInputTokens"],
                each["cacheCreationEphemeral1hInputTokens"],
                each["webSearchRequests"],
            ),
            round(Decimal(str(each["costUSD"])), 10),
        )
        for name, each in usage.items()
    }


def _served(totals: dict[str, ServedTotals]) -> dict[str, tuple[Tokens, Decimal]]:
    """As reported; the CLI adds up in floating point, hence ten digits."""
    return {name: (each.tokens, round(each.cost_usd, 10)) for name, each in totals.items()}


def assert_books_agree(endpoint: Endpoint, *runs: Run) -> None:
    """Tokens of every kind and cost, by model: what the CLI says is what was served."""
    said: dict[str, tuple[Tokens, Decimal]] = {}
    for run in runs:
        for name, (tokens, cost) in _reported(run.result["modelUsage"]).items():
            before, cost_before = said.get(name, (Tokens(), Decimal(0)))
            said[name] = (before + tokens, cost_before + cost)
    assert said == _served(total_by_model(endpoint.served))


async def test_a_brain_works_a_target_to_completion(cli: Cli) -> None:
    prompt = f"Work on this repository.\nFeature list: {cli.repo / 'feature_list.json'}\nGo."
    async with Endpoint({"*": Brain()}) as endpoint:
        runs = [await cli.run(endpoint.url(), prompt) for _ in range(len(FEATURES) + 1)]
    assert [run.status for run in runs] == [0] * len(runs)
    listed = json.loads((cli.repo / "feature_list.json").read_text())
    assert [entry["passes"] for entry in listed] == [True] * len(FEATURES)
    assert (await cli.git("log", "--format=%s")).splitlines() == [
        "Implement F3",
        "Implement F2",
        "Implement F1",
        "Add the feature list",
    ]
    assert await cli.git("status", "--porcelain") == ""
    assert runs[1].of("system", "task_started"), "a subagent was used"
    assert len([s for s in endpoint.served if s.script == "*"]) == 4 + 3 * 9
    assert_books_agree(endpoint, *runs)
    assert endpoint.totals().tokens.cache_write_1h_tokens > 0


async def test_two_models_and_thinking_agree_to_the_token(cli: Cli) -> None:
    ask = {"description": "d", "prompt": "SCRIPT:inner look", "subagent_type": "general-purpose"}
    bash = ToolUse(name="Bash", input={"command": "echo hello", "description": "say"})
    scripts = {
        "outer": [
            Reply(
                blocks=[
                    Thinking(thinking="hm"),
                    Text(text="On it."),
                    ToolUse(
                        name="Agent", input=ask | {"model": "haiku", "run_in_background": False}
                    ),
                ],
                usage=Tokens(1001, 51, 0, 1800, 200),
            ),
            Reply(blocks=[Text(text="Done.")], usage=Tokens(1003, 53, 2000)),
        ],
        "inner": [
            Reply(blocks=[bash], usage=Tokens(99_000, 61, 900, 100)),
            Reply(blocks=[Text(text="Seen.")], usage=Tokens(99_000, 63, 1001)),
        ],
    }
    async with Endpoint(scripts) as endpoint:
        run = await cli.run(endpoint.url("outer"), "Go.", "--model", "sonnet")
    assert run.status == 0
    assert set(run.result["modelUsage"]) == {"claude-sonnet-5-5", "claude-haiku-5-5"}
    assert [s.script for s in endpoint.served] == ["outer", "inner", "inner", "outer"]
    assert_books_agree(endpoint, run)


@pytest.mark.parametrize(
    ("refusal", "status", "error", "requests"),
    [
        (Refusal(status=401), 401, "authentication_failed", 2),
        (Refusal(status=403), 403, "authentication_failed", 1),
        (Refusal(status=404), 404, "model_not_found", 2),
        (Refusal(status=429), 429, "rate_limit", 2),
        (Refusal(status=500), 500, "server_error", 2),
        (Refusal(status=529), 529, "server_error", 2),
        (CREDIT, 400, "billing_error", 1),
        (TOO_LONG, 400, "invalid_request", 1),
    ],
)
async def test_refusals_end_the_session_with_their_names(
    cli: Cli, refusal: Refusal, status: int, error: str, requests: int
) -> None:
    async with Endpoint({"*": [Reply(refusals=[refusal])]}) as endpoint:
        run = await cli.run(endpoint.url(), "Go.")
    assert run.status == 1
    assert (run.result["is_error"], run.result["api_error_status"]) == (True, status)
    assert run.of("assistant")[-1]["error"] == error
    assert endpoint.totals().refused == requests
    assert_books_agree(endpoint, run)


async def test_a_subscription_limit_tells_its_reset(cli: Cli) -> None:
    limit = Limit(status="rejected", resets_in=3600)
    refused = Reply(refusals=[Refusal(status=429, limit=limit)])
    near = Limit(status="allowed_warning", utilization=0.92)
    warned = Reply(blocks=[Text(text="Hello.")], usage=Tokens(17, 19), limit=near)
    async with Endpoint({"over": [refused], "near": [warned]}) as endpoint:
        over = await cli.run(endpoint.url("over"), "Go.", login=LOGIN)
        near_it = await cli.run(endpoint.url("near"), "Go.", login=LOGIN)
    assert over.status == 1
    assert over.result["api_error"] == "usage_limit_reached"
    (event,) = over.of("rate_limit_event")
    assert event["rate_limit_info"]["status"] == "rejected"
    assert near_it.status == 0
    (event,) = near_it.of("rate_limit_event")
    assert event["rate_limit_info"]["status"] == "allowed_warning"
    assert event["rate_limit_info"]["utilization"] == 0.92
    assert_books_agree(endpoint, over, near_it)


async def test_an_overloaded_model_is_replaced_by_the_fallback(cli: Cli) -> None:
    opus = Refusal(status=529, models=["claude-opus-5-5"])
    reply = Reply(blocks=[Text(text="Hello.")], usage=Tokens(17, 19), refusals=[opus])
    async with Endpoint({"*": [reply]}) as endpoint:
        flags = ("--model", "opus", "--fallback-model", "sonnet")
        run = await cli.run(endpoint.url(), "Go.", *flags, CLAUDE_CODE_MAX_RETRIES="3")
    assert run.status == 0
    (fallback,) = run.of("system", "model_fallback")
    assert fallback["fallback_model"] == "claude-sonnet-5-5"
    assert list(run.result["modelUsage"]) == ["claude-sonnet-5-5"]
    assert endpoint.totals().refused == 3
    assert_books_agree(endpoint, run)


@pytest.mark.parametrize(
    ("cut", "after_block", "streamed", "charged_for_the_broken"),
    [
        ("error", False, [True, False], False),
        ("error", True, [True, True], True),
        ("close", False, [True, True], True),
        ("close", True, [True, True], True),
    ],
)
async def test_a_stream_that_breaks_off_is_asked_for_again(
    cli: Cli,
    cut: Literal["error", "close"],
    after_block: bool,
    streamed: list[bool],
    charged_for_the_broken: bool,
) -> None:
    """After a whole block the CLI keeps it and asks for the rest; else it asks for all of it again."""
    reply = Reply(
        blocks=[Text(text="A long answer."), Text(text="Its end.")],
        usage=Tokens(109, 29),
        cut=cut,
        cut_after_block=after_block,
    )
    async with Endpoint({"*": [reply, Reply(blocks=[Text(text="Its end.")])]}) as endpoint:
        run = await cli.run(endpoint.url(), "Go.")
    assert run.status == 0
    assert [served.streamed for served in endpoint.served] == streamed
    assert [served.turn for served in endpoint.served] == [0, int(after_block)]
    totals = endpoint.totals()
    assert totals.broken_tokens == Tokens(109, 1)
    ((said, _),) = _reported(run.result["modelUsage"]).values()
    if not charged_for_the_broken:
        assert said == totals.tokens
        return
    assert said.input_tokens == totals.tokens.input_tokens + 109
    # The output of the broken part is an estimate of the program's.
    assert 1 <= said.output_tokens - totals.tokens.output_tokens <= 29


async def test_turns_and_budget_run_out(cli: Cli) -> None:
    bash = ToolUse(name="Bash", input={"command": "true", "description": "nothing"})
    endless = [Reply(blocks=[bash], usage=Tokens(1000, 100))]
    async with Endpoint({"*": endless}) as endpoint:
        turns = await cli.run(endpoint.url(), "Go.", "--max-turns", "3")
        assert endpoint.totals().requests == 3
        budget = await cli.run(endpoint.url(), "Go.", "--max-budget-usd", "0.01")
    assert turns.result["subtype"] == "error_max_turns"
    assert budget.result["subtype"] == "error_max_budget_usd"
    assert_books_agree(endpoint, turns, budget)


async def test_a_script_sees_model_turn_and_tool_results(cli: Cli) -> None:
    seen: list[tuple[str, int, list[tuple[str, bool]]]] = []

    def script(request: Request) -> Reply:
        seen.append((request.model, request.turn, request.tool_results()))
        bash = ToolUse(name="Bash", input={"command": "echo hello", "description": "say"})
        return Reply(blocks=[bash] if request.turn == 0 else [Text(text="Done.")])

    async with Endpoint({"*": script}) as endpoint:
        run = await cli.run(endpoint.url(), "Go.", "--model", "haiku")
    assert run.result["result"] == "Done."
    assert seen == [("claude-haiku-5-5", 0, []), ("claude-haiku-5-5", 1, [("hello", False)])]
