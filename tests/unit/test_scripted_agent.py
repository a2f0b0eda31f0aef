"""The scripted agent as a process in a real repository: its stream, transcripts, ledger, and its misbehaviour."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest

from acd.testing.ledger import LedgerTotals, read_ledgers
from acd.testing.prices import Tokens

Line = dict[str, Any]
Steps = list[dict[str, Any]]
DEADLINE = 30
FEATURES = [
    {"id": "F1", "name": "Pay", "passes": False},
    {"id": "F2", "name": "Ship", "passes": False},
]


class Bench:
    """A repository `shop`, a scenario, and an agent to be run there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "config"
        self.repo = root / "shop"
        self.repo.mkdir(parents=True)
        self.ids: list[UUID] = []
        self.git("init", "-q", "-b", "main")
        self.list = self.repo / "feature_list.json"

    def environment(self) -> dict[str, str]:
        who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@localhost"}
        who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
        home = {"HOME": str(self.root), "SCRIPTED_CONFIG_DIR": str(self.config)}
        return {"PATH": os.environ["PATH"]} | who | home

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.repo,
            env=self.environment(),
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def scenario(self, *sessions: Steps, seed: int = 7) -> None:
        plans = [{"steps": steps} for steps in sessions]
        target = {"features": FEATURES, "sessions": plans}
        document = {"seed": seed, "targets": {"shop": target}}
        (self.root / "scenario.json").write_text(json.dumps(document))
        if not self.list.exists():
            self.list.write_text(json.dumps(FEATURES, indent=2) + "\n")

    def start(self, *flags: str, kind: str = "coding") -> subprocess.Popen[bytes]:
        self.ids.append(uuid4())
        command = [sys.executable, "-m", "acd.testing.scripted_agent", "-p", "Go."]
        command += ["--session-id", str(self.ids[-1]), "--session-type", kind]
        command += ["--scenario", str(self.root / "scenario.json"), *flags]
        with self.stream_path().open("ab") as stream, self.stderr_path().open("ab") as errors:
            return subprocess.Popen(
                command,
                cwd=self.repo,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=errors,
            )

    def run(self, *flags: str, kind: str = "coding") -> int:
        return self.start(*flags, kind=kind).wait(DEADLINE)

    def stream_path(self) -> Path:
        return self.root / f"{self.ids[-1]}.stream"

    def stderr_path(self) -> Path:
        return self.root / f"{self.ids[-1]}.stderr"

    def stream(self) -> list[Line]:
        return [json.loads(line) for line in self.stream_path().read_bytes().splitlines()]

    def result(self) -> Line:
        return self.stream()[-1]

    def transcript(self) -> list[Line]:
        (path,) = self.config.glob(f"projects/*/{self.ids[-1]}.jsonl")
        return [json.loads(line) for line in path.read_bytes().splitlines()]

    def subagent_transcripts(self) -> list[list[Line]]:
        paths = sorted(self.config.glob(f"projects/*/{self.ids[-1]}/subagents/agent-*.jsonl"))
        return [[json.loads(line) for line in path.read_bytes().splitlines()] for path in paths]

    def ledger(self) -> LedgerTotals:
        return read_ledgers(self.config / "ledger")

    def wait_for(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < until, "condition never came true"
            time.sleep(0.02)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _requests(lines: list[Line]) -> dict[str, Line]:
    """Last usage by message id, the made-up messages left out."""
    return {
        line["message"]["id"]: line["message"]["usage"]
        for line in lines
        if line["type"] == "assistant" and line["message"]["model"] != "<synthetic>"
    }


def _tokens(usage: Line) -> Tokens:
    writes = usage["cache_creation"]
    return Tokens(
        usage["input_tokens"],
        usage["output_tokens"],
        usage["cache_read_input_tokens"],
        writes["ephemeral_5m_input_tokens"],
        writes["ephemeral_1h_input_tokens"],
        usage["server_tool_use"]["web_search_requests"],
    )


def _model_tokens(usage: Line) -> Tokens:
    return Tokens(
        usage["inputTokens"],
        usage["outputTokens"],
        usage["cacheReadInputTokens"],
        usage["cacheCreationEphemeral5mInputTokens"],
        usage["cacheCreationEphemeral1hInputTokens"],
        usage["webSearchRequests"],
    )


def test_it_initialises_works_and_finishes_a_target(bench: Bench) -> None:
    bench.scenario([{"do": "feature"}])
    bench.list.unlink()
    assert bench.run(kind="initializer") == 0
    assert json.loads(bench.list.read_text()) == FEATURES
    assert [bench.run(), bench.run(), bench.run()] == [0, 0, 0]
    assert all(entry["passes"] for entry in json.loads(bench.list.read_text()))
    assert bench.git("log", "--format=%s").splitlines() == [
        "Implement F2",
        "Implement F1",
        "Add the feature list",
    ]
    assert bench.git("status", "--porcelain") == ""
    assert set(bench.ledger().commits) == set(bench.git("log", "--format=%H").split())


def test_stream_transcripts_result_and_ledger_tell_the_same(bench: Bench) -> None:
    bench.scenario(
        [
            {"do": "feature"},
            {"do": "subagent", "model": "haiku", "requests": 3},
            {"do": "say", "thinking": True, "usage": {"input_tokens": 5, "web_searches": 2}},
            {"do": "bash", "command": "echo hello"},
        ]
    )
    assert bench.run("--model", "sonnet") == 0
    session = bench.ledger().sessions[str(bench.ids[0])]
    assert not session.unprinted

    kept = _requests(bench.transcript())
    (side,) = bench.subagent_transcripts()
    said_by = {line.get("attributionAgent") for line in side if line["type"] == "assistant"}
    assert said_by == {"general-purpose"}
    kept_by_all = kept | _requests(side)
    assert kept_by_all
    assert set(kept_by_all) == set(session.message_ids)
    assert sum(map(_tokens, kept_by_all.values()), Tokens()) == session.sum.tokens
    assert sum(map(_tokens, kept.values()), Tokens()) == _tokens(bench.result()["usage"])

    usage = bench.result()["modelUsage"]
    assert set(usage) == {"claude-sonnet-5-5", "claude-haiku-5-5"}
    for name, spent in session.models.items():
        assert _model_tokens(usage[name]) == spent.tokens
        assert Decimal(str(usage[name]["costUSD"])) == spent.cost_usd
    assert Decimal(str(bench.result()["total_cost_usd"])) == session.sum.cost_usd
    assert session.subagents["general-purpose"].requests == 3
    assert bench.transcript()[-1]["totalCostUSD"] == bench.result()["total_cost_usd"]


def test_the_stream_is_that_of_claude_code(bench: Bench) -> None:
    bench.scenario([{"do": "say", "thinking": True}, {"do": "bash", "command": "echo hello"}])
    assert bench.run() == 0
    lines = bench.stream()
    assert [(line["type"], line.get("subtype")) for line in lines] == [
        ("system", "init"),
        ("system", "thinking_tokens"),
        ("assistant", None),
        ("assistant", None),
        ("assistant", None),
        ("user", None),
        ("assistant", None),
        ("result", "success"),
    ]
    thought, said = lines[2], lines[3]
    assert thought["message"]["id"] == said["message"]["id"]
    assert thought["message"]["usage"] == said["message"]["usage"]
    assert {line["message"]["usage"]["output_tokens"] for line in lines[2:5]} == {1}
    assert lines[5]["tool_use_result"]["stdout"] == "hello"
    assert lines[-1]["num_turns"] == 2
    assert lines[-1]["result"] == "Done."
    assert {line["session_id"] for line in lines} == {str(bench.ids[0])}
    assert len({line["uuid"] for line in lines}) == len(lines)


def test_the_same_session_spends_the_same_and_shares_no_message_id(tmp_path: Path) -> None:
    benches = [Bench(tmp_path / name) for name in ("one", "two")]
    for bench in benches:
        bench.scenario([{"do": "say", "count": 4}], [{"do": "say", "count": 4}])
        assert bench.run() == 0
        assert bench.run() == 0
    spent = [[list(_requests(b.transcript()).values()), b.ledger().sum.cost_usd] for b in benches]
    assert spent[0] == spent[1]
    ids = [i for b in benches for s in b.ledger().sessions.values() for i in s.message_ids]
    assert len(ids) == len(set(ids)) == 20
    first, second = (s.sum.tokens for s in benches[0].ledger().sessions.values())
    assert first != second


@pytest.mark.parametrize(
    ("error", "status", "kind", "name", "said", "retries"),
    [
        ("auth", 401, "authentication_error", None, "authentication_failed", 1),
        ("forbidden", 403, "permission_error", None, "authentication_failed", 0),
        ("billing", 400, "invalid_request_error", None, "billing_error", 0),
        ("context", 400, "invalid_request_error", None, "invalid_request", 0),
        ("model", 404, "not_found_error", None, "model_not_found", 0),
        ("rate_limit", 429, "rate_limit_error", None, "rate_limit", 1),
        ("usage_limit", 429, "rate_limit_error", "usage_limit_reached", "rate_limit", 0),
        ("overloaded", 529, "overloaded_error", None, "server_error", 1),
        ("server", 500, "api_error", None, "server_error", 1),
        ("network", None, None, "connection_failed", "server_error", 1),
        ("output_limit", None, None, "max_output_tokens", "max_output_tokens", 0),
    ],
)
def test_api_failures_look_like_success_with_is_error(
    bench: Bench,
    error: str,
    status: int | None,
    kind: str | None,
    name: str | None,
    said: str,
    retries: int,
) -> None:
    bench.scenario([{"do": "say"}, {"do": "fail", "error": error}])
    assert bench.run() == 1
    lines = bench.stream()
    result, synthetic = lines[-1], [line for line in lines if line["type"] == "assistant"][-1]
    ended = "prompt_too_long" if error == "context" else "api_error"
    assert (result["subtype"], result["is_error"]) == ("success", True)
    assert result["terminal_reason"] == ended
    assert result["api_error_status"] == status
    assert result.get("api_error_type") == synthetic.get("api_error_type") == kind
    assert result.get("api_error") == synthetic.get("api_error") == name
    assert synthetic["error"] == said
    assert synthetic["message"]["model"] == "<synthetic>"
    assert result["total_cost_usd"] > 0, "what was spent before stays"
    assert len([line for line in lines if line.get("subtype") == "api_retry"]) == retries
    mirrored = [line for line in bench.transcript() if line.get("subtype") == "api_error"]
    assert len(mirrored) == retries
    expected = bench.ledger().sessions[str(bench.ids[0])].expected
    assert expected is not None
    assert expected.error_type == ("auth" if error == "forbidden" else error)


def test_a_usage_limit_tells_when_it_resets(bench: Bench) -> None:
    bench.scenario([{"do": "fail", "error": "usage_limit", "resets_in": 60}])
    before = time.time()
    assert bench.run() == 1
    lines = bench.stream()
    assert lines[0]["apiKeySource"] == "none"
    info = lines[1]["rate_limit_info"]
    assert (info["status"], info["rateLimitType"]) == ("rejected", "five_hour")
    assert before + 60 <= info["resetsAt"] <= time.time() + 61
    assert lines[2]["api_error_params"]["rate_limit_info"]["resetsAt"] == info["resetsAt"]


def test_turns_budget_and_denials_end_as_in_claude_code(bench: Bench) -> None:
    many: Steps = [{"do": "bash", "command": "true"}] * 9
    bench.scenario(many, many, [{"do": "fail", "error": "permission"}])
    assert bench.run("--max-turns", "3") == 1
    result = bench.result()
    assert (result["subtype"], result["num_turns"]) == ("error_max_turns", 4)
    assert "result" not in result
    assert result["errors"] == ["Reached maximum number of turns (3)"]
    assert bench.run("--max-budget-usd", "0.0001") == 1
    assert bench.result()["subtype"] == "error_max_budget_usd"
    assert len(_requests(bench.transcript())) == 1
    assert bench.run() == 0
    (denial,) = bench.result()["permission_denials"]
    assert denial["tool_name"] == "Bash"
    assert bench.result()["is_error"] is False


def test_a_fallback_goes_on_with_the_other_model(bench: Bench) -> None:
    bench.scenario([{"do": "say"}, {"do": "fallback"}, {"do": "limit_warning"}])
    assert bench.run("--model", "opus", "--fallback-model", "haiku") == 0
    assert list(bench.result()["modelUsage"]) == ["claude-opus-5-5", "claude-haiku-5-5"]
    lines = {line.get("subtype") or line["type"]: line for line in bench.stream()}
    assert lines["model_fallback"]["fallback_model"] == "claude-haiku-5-5"
    assert lines["rate_limit_event"]["rate_limit_info"]["status"] == "allowed_warning"


@pytest.mark.parametrize(
    ("signum", "status"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 0), (signal.SIGKILL, -9)],
)
def test_signals_end_it_as_they_end_claude_code(
    bench: Bench, signum: signal.Signals, status: int
) -> None:
    bench.scenario([{"do": "say"}, {"do": "hang"}])
    agent = bench.start()
    bench.wait_for(lambda: any(s.expected for s in bench.ledger().sessions.values()))
    agent.send_signal(signum)
    assert agent.wait(DEADLINE) == status
    last, kept = bench.stream()[-1], bench.transcript()[-1]
    assert (last["type"] == "result") == (signum == signal.SIGINT)
    assert last.get("subtype") == ("error_during_execution" if signum == signal.SIGINT else None)
    assert (kept["type"] == "cost-state") == (signum != signal.SIGKILL)
    assert len(_requests(bench.transcript())) == 1


def test_it_hangs_after_its_result_and_deaf_to_signals(bench: Bench) -> None:
    hang = {"do": "hang", "when": "after_result", "ignore_signals": True}
    bench.scenario([hang, {"do": "say"}])
    agent = bench.start()
    try:
        path = bench.stream_path()
        bench.wait_for(lambda: b'"type":"result"' in path.read_bytes())
        agent.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            agent.wait(0.3)
    finally:
        agent.kill()
        assert agent.wait(DEADLINE) == -9


@pytest.mark.parametrize("detached", [False, True])
def test_it_leaves_a_grandchild(bench: Bench, detached: bool) -> None:
    bench.scenario([{"do": "grandchild", "detached": detached, "seconds": 61.25}, {"do": "hang"}])
    agent = bench.start()
    bench.wait_for(lambda: any(s.expected for s in bench.ledger().sessions.values()))
    (child,) = bench.ledger().sessions[str(bench.ids[0])].left_behind
    try:
        assert (os.getsid(child) == child) == detached
        agent.terminate()
        assert agent.wait(DEADLINE) == 143
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)


def test_it_exits_without_a_result(bench: Bench) -> None:
    bench.scenario(
        [{"do": "say"}, {"do": "exit", "code": 7, "stderr": "ouch"}],
        [{"do": "say"}, {"do": "exit", "signal": "KILL"}],
        [{"do": "config_error", "message": "error: cannot be used with root"}],
    )
    assert bench.run() == 7
    assert bench.stream()[-1]["type"] == "assistant"
    assert bench.stderr_path().read_text() == "ouch\n"
    assert bench.run() == -9
    assert bench.run() == 1
    assert bench.stream_path().read_bytes() == b""
    assert "cannot be used with root" in bench.stderr_path().read_text()


def test_it_floods(bench: Bench) -> None:
    bench.scenario([{"do": "flood", "bytes": 3_000_000, "line_bytes": 10_000}])
    assert bench.run() == 0
    assert 3_000_000 <= bench.stream_path().stat().st_size < 3_100_000
    assert {len(line) for line in bench.stream_path().read_bytes().splitlines()[1:-3]} == {9_999}


def test_broken_lines_are_broken_and_their_neighbours_are_not(bench: Bench) -> None:
    kinds = ["nul", "invalid_utf8", "truncated", "bom", "cr", "nan", "int64", "lone_surrogate"]
    kinds += ["nul_escape", "duplicate_keys", "unknown_type", "not_an_object", "blank"]
    broken = {"do": "broken", "kinds": kinds}
    big = {"do": "broken", "kinds": ["deep", "long"], "size": 100_000}
    bench.scenario([{"do": "say"}, broken, big, {"do": "say"}])
    assert bench.run() == 0
    lines = bench.stream_path().read_bytes().split(b"\n")
    wrong = lines[2 : 2 + len(kinds)]
    assert b"\x00" in wrong[0]
    with pytest.raises(UnicodeDecodeError):
        wrong[1].decode()
    with pytest.raises(json.JSONDecodeError):
        json.loads(wrong[2])
    assert wrong[3].startswith(b"\xef\xbb\xbf{")
    assert wrong[4].endswith(b"}\r")
    assert wrong[5].endswith(b"NaN}")
    assert json.loads(wrong[6])["message"]["usage"]["input_tokens"] > 2**63
    assert wrong[12] == b""
    assert lines[15].count(b"[") == 100_000
    assert len(lines[16]) > 100_000
    for line in [*lines[:2], *lines[17:-1]]:
        assert json.loads(line)["session_id"] == str(bench.ids[0])


def test_it_tampers_with_the_feature_list(bench: Bench) -> None:
    bench.scenario(
        [{"do": "claim_falsely"}],
        [{"do": "unclaim"}],
        [{"do": "reword_feature", "text": "Easy."}],
        [{"do": "delete_feature", "key": "F1", "commit": False}],
        [{"do": "half_list"}],
    )
    states = []
    for _ in range(4):
        assert bench.run() == 0
        states.append(json.loads(bench.list.read_text()))
    assert [entry["passes"] for entry in states[0]] == [True, False]
    assert [entry["passes"] for entry in states[1]] == [False, False]
    assert states[2][1]["description"] == "Easy."
    assert [entry["id"] for entry in states[3]] == ["F2"]
    assert bench.run() == 0
    with pytest.raises(json.JSONDecodeError):
        json.loads(bench.list.read_text())
    changes = [s.features for s in bench.ledger().sessions.values()]
    expected = {"false_claim", "regressed", "reworded", "removed", "truncated"}
    assert {change for session in changes for _, change in session} == expected


def test_what_is_wrong_with_the_call_is_said_on_stderr_only(bench: Bench) -> None:
    bench.scenario([{"do": "feature", "key": "F9"}])
    assert bench.run("--no-such-flag") == 1
    assert "no-such-flag" in bench.stderr_path().read_text()
    assert bench.run("--model", "gpt") == 1
    assert bench.stream_path().read_bytes() == b""
    assert bench.run() == 1
    assert "no feature 'F9'" in bench.stderr_path().read_text()


def test_message_ids_follow_from_the_session_id(bench: Bench) -> None:
    bench.scenario([{"do": "say"}])
    assert bench.run() == 0
    (first, *_) = _requests(bench.transcript())
    assert first == f"msg_{bench.ids[0].hex}_00001"
    assert bench.stream()[0]["uuid"] == str(uuid5(bench.ids[0], "2"))
