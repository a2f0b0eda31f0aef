"""Every rule of counting and every place where ccusage 20.0.24 is wrong, each with the right figures.

Facts: peers.md ("Where ccusage 20.0.24 is wrong"), records.md (rule 1 and 2), pricing.md, claude-code.md (section 4),
and issue 5 ("Counting by the rules"). A case is what lies in the agent's folder; what it comes to is written out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tests.integration.history_truth.lines import (
    AT,
    CWD,
    only,
    pack,
    packed,
    reply,
    session,
    spaced,
    usage,
    without,
)

PROJECT = "projects/-srv-history-shop"


@dataclass(frozen=True)
class Figures:
    """What a case comes to; the usual line's figures where nothing else is said. `cost_usd` None: nothing is priced."""

    requests: int = 1
    input: int = 1000
    output: int = 200
    cache_read: int = 40000
    write_5m: int = 2000
    write_1h: int = 1000
    write: int = 3000
    web_searches: int = 0
    cost_usd: str | None = "0.034"
    unpriced: int = 0
    in_subagents: int = 0
    left_out: int = 0
    days: tuple[str, ...] = ("2026-10-07",)

    @property
    def cost(self) -> Decimal | None:
        """USD."""
        return None if self.cost_usd is None else Decimal(self.cost_usd)


USUAL = Figures()
NOTHING = Figures(0, 0, 0, 0, 0, 0, 0, cost_usd=None, days=())


@dataclass(frozen=True)
class Case:
    """Files by their place in the agent's folder, and what they come to. `sessions`: names of those that may spend."""

    name: str
    files: Mapping[str, bytes]
    right: Figures = USUAL
    sessions: tuple[str, ...] = ()

    @property
    def session_ids(self) -> list[str]:
        """The agent's ids of the case's sessions."""
        return [session(name) for name in self.sessions or (self.name,)]


def path(of: str) -> str:
    """Where a session's file lies."""
    return f"{PROJECT}/{session(of)}.jsonl"


def one(name: str, content: bytes, right: Figures = USUAL) -> Case:
    """A case of one file."""
    return Case(name, {path(name): content}, right)


def said(name: str, right: Figures = USUAL, **changes: object) -> Case:
    """One assistant line."""
    return one(name, packed(reply(name, None, **changes)), right)


def tokens(
    fresh: int,
    cost_usd: str | None,
    *,
    output: int = 0,
    read: int = 0,
    web_searches: int = 0,
    days: tuple[str, ...] = ("2026-10-07",),
) -> Figures:
    """Figures of a request without cache writes; without a cost it has no price."""
    return Figures(
        *(1, fresh, output, read, 0, 0, 0, web_searches),
        cost_usd=cost_usd,
        unpriced=cost_usd is None,
        days=days,
    )


def priced(name: str, model: str, counts: dict[str, object], right: Figures, at: str = AT) -> Case:
    """One request of a model."""
    return one(
        name, packed(reply(name, message__model=model, message__usage=counts, timestamp=at)), right
    )


def _shown(name: str) -> bytes:
    """A file whose only request is followed by a result that holds another one as text."""
    inner = pack(reply(name, "msg_shown")).decode()
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": inner}
    shown = reply(name, type="user", message__role="user", message__content=[result])
    return packed(reply(name), without(shown, "message.id", "message.model", "message.usage"))


WHERE_CCUSAGE_IS_WRONG: list[Case] = [
    said("null cwd", cwd=None),
    said("null requestId", requestId=None),
    one("no id", packed(without(reply("no id"), "message.id"))),
    said("id null", message__id=None),
    one(
        "null model",
        packed(reply("null model", message__model=None)),
        Figures(cost_usd=None, unpriced=1),
    ),
    said("null speed", message__usage=usage(speed=None)),
    one(
        "one id, with and without request id",
        packed(
            reply("one id, with and without request id"),
            reply("one id, with and without request id", requestId=None),
            without(reply("one id, with and without request id"), "requestId"),
        ),
    ),
    one("spaces", spaced(reply("spaces"))),
    one("byte order mark", b"\xef\xbb\xbf" + packed(reply("byte order mark"))),
    one(
        "not UTF-8",
        packed(reply("not UTF-8", message__content=[{"type": "text", "text": "caf@"}])).replace(
            b"caf@", b"caf\xe9 \xff"
        ),
    ),
    said("version", version="nightly-build"),
    said("version null", version=None),
    one(
        "sum with a split of 0 and 0",
        packed(
            reply(
                "sum with a split of 0 and 0",
                message__usage=usage(
                    cache_creation={
                        "ephemeral_1h_input_tokens": 0,
                        "ephemeral_5m_input_tokens": 0,
                    }
                ),
            )
        ),
        # 3,000 writes at the 5-minute price: 0.034 - 0.018 + 0.015
        Figures(write_5m=0, write_1h=0, cost_usd="0.031"),
    ),
    priced(
        "long context, the whole request",
        "claude-sonnet-4-5",
        only(input_tokens=300_000),
        tokens(300_000, "1.8"),
    ),
    priced(
        "web searches",
        "claude-opus-5-5",
        only(input_tokens=1000, server_tool_use={"web_search_requests": 3}),
        tokens(1000, "0.034", web_searches=3),
    ),
    # genai-prices 0.2.3 knows the prices of batches from 14 October 2026 on.
    said(
        "batch",
        Figures(cost_usd="0.017", days=("2026-11-07",)),
        message__usage=usage(service_tier="batch"),
        timestamp="2026-11-07T12:00:00.000Z",
    ),
    said("US only", Figures(cost_usd="0.0374"), message__usage=usage(inference_geo="us")),
    said(
        "batch, US only",
        Figures(cost_usd="0.0187", days=("2026-11-07",)),
        message__usage=usage(service_tier="batch", inference_geo="us"),
        timestamp="2026-11-07T12:00:00.000Z",
    ),
    said("fast", Figures(cost_usd="0.068"), message__usage=usage(speed="fast")),
    priced(
        "unknown model",
        "house-model-1",
        only(input_tokens=1000),
        tokens(1000, None),
    ),
]
"""Where ccusage 20.0.24 drops, doubles or misprices."""


_NULLS = only(
    input_tokens=1000,
    output_tokens=None,
    cache_read_input_tokens=None,
    cache_creation_input_tokens=None,
    cache_creation=None,
    server_tool_use=None,
)
_SPLIT = {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 2000}
_FLOATS = only(
    input_tokens=1000.0,
    output_tokens=200.0,
    cache_read_input_tokens=40000.0,
    cache_creation={"ephemeral_1h_input_tokens": 1e3, "ephemeral_5m_input_tokens": 2e3},
)
LINES: list[Case] = [
    priced("null counts", "claude-opus-5-5", _NULLS, tokens(1000, "0.004")),
    priced(
        "split without a sum",
        "claude-opus-5-5",
        usage(cache_creation_input_tokens=None, cache_creation=_SPLIT),
        USUAL,
    ),
    priced("floats", "claude-opus-5-5", _FLOATS, USUAL),
    one("no usage", packed(without(reply("no usage"), "message.usage")), tokens(0, "0")),
    one("crlf", packed(reply("crlf")).replace(b"\n", b"\r\n")),
    one(
        "half a surrogate",
        packed(reply("half a surrogate", message__content=[{"type": "text", "text": "@"}])).replace(
            b'"@"', rb'"\ud83d"'
        ),
    ),
    said("unknown fields", novelty={"deep": [1]}, message__extra=[None]),
    one(
        "last line cut",
        packed(reply("last line cut")) + pack(reply("last line cut", "msg_later"))[:200],
    ),
    one(
        "damaged lines",
        b'{"type":"assistant","message":{"id"\n'
        + packed(reply("damaged lines"))
        + b"\0\0\0\n"
        + packed(reply("damaged lines", "msg_minus", message__usage=usage(input_tokens=-1)))
        + b"[1, 2]\n",
        Figures(left_out=4),
    ),
    one("synthetic", packed(reply("synthetic", message__model="<synthetic>")), NOTHING),
    one(
        "a tool's result that shows a transcript",
        _shown("a tool's result that shows a transcript"),
    ),
    one(
        "no folder for the session at all",
        packed(without(reply("no folder for the session at all"), "cwd", "gitBranch", "version")),
    ),
]
"""What is tolerated in a line, and what is not."""


_STREAMING = [
    reply("grows", message__usage=usage(output_tokens=n), timestamp=f"2026-10-07T12:00:0{i}.000Z")
    for i, n in enumerate((1, 200, 57))
]
_RESUMED = [reply("resumed", "msg_first"), reply("resumed", "msg_own")]
_COPIED = reply("resumed copy", "msg_first")
_SIDES: dict[str, object] = {"isSidechain": True, "agentId": "a9e36e54"}
ONCE: list[Case] = [
    one("grows", packed(*_STREAMING)),
    one("said twice", packed(reply("said twice"), reply("said twice"))),
    Case(
        "resumed",
        {path("resumed copy"): packed(_COPIED), path("resumed"): packed(*_RESUMED)},
        Figures(2, 2000, 400, 80000, 4000, 2000, 6000, cost_usd="0.068"),
        ("resumed", "resumed copy"),
    ),
    Case(
        "in another project's folder",
        {
            path("in another project's folder"): packed(
                reply("in another project's folder", "msg_elsewhere")
            ),
            f"projects/-srv-other/{session('elsewhere')}.jsonl": packed(
                reply(
                    "elsewhere",
                    "msg_elsewhere",
                    cwd="/srv/other",
                    message__usage=usage(output_tokens=7),
                )
            ),
        },
        sessions=("in another project's folder", "elsewhere"),
    ),
    one("sidechain", packed(reply("sidechain", None, **_SIDES)), Figures(in_subagents=1)),
    Case(
        "subagents",
        {
            path("subagents"): packed(
                reply("subagents", "msg_main"), reply("subagents", "msg_side", **_SIDES)
            ),
            f"{PROJECT}/{session('subagents')}/subagents/agent-a9e36e54.jsonl": packed(
                reply("subagents", "msg_side", **_SIDES)
            ),
            f"{PROJECT}/{session('subagents')}/subagents/workflows/wf_1/agent-b.jsonl": packed(
                reply("subagents", "msg_deep", isSidechain=True, agentId="b")
            ),
            f"{PROJECT}/agent-c.jsonl": packed(
                reply("subagents", "msg_beside", isSidechain=True, agentId="c")
            ),
        },
        Figures(4, 4000, 800, 160000, 8000, 4000, 12000, cost_usd="0.136", in_subagents=3),
    ),
    one(
        "over midnight",
        packed(
            reply(
                "over midnight",
                message__usage=usage(output_tokens=1),
                timestamp="2026-10-06T23:59:59.900Z",
            ),
            reply("over midnight", timestamp="2026-10-07T00:00:00.100Z"),
        ),
        Figures(days=("2026-10-06",)),
    ),
]
"""One message is one request, wherever it stands."""


_HOUR = only(cache_creation={"ephemeral_1h_input_tokens": 100_000})
_OLD = "2026-03-12T12:00:00.000Z"
_NEW = "2026-03-14T12:00:00.000Z"
_LONG = only(input_tokens=300_000)
_TWO = {"inputTokens": 2000, "outputTokens": 400, "cacheReadInputTokens": 80000}
_THREE = {"inputTokens": 3000, "outputTokens": 600, "cacheReadInputTokens": 120000}
_MORE = {"inputTokens": 1500, "outputTokens": 200, "cacheReadInputTokens": 40000}


def _account(of: str, tokens: dict[str, int], writes: int, cost_usd: float) -> dict[str, object]:
    """What the agent says at the end that the session has cost."""
    spent = tokens | {"cacheCreationInputTokens": writes, "costUSD": cost_usd}
    return {
        "type": "cost-state",
        "sessionId": session(of),
        "modelUsage": {"claude-opus-5-5": spent},
    }


ACCOUNTS: list[Case] = [
    one(
        "an account that adds up",
        packed(
            reply("an account that adds up", "msg_a1"),
            reply("an account that adds up", "msg_a2"),
            _account("an account that adds up", _TWO, 6000, 0.068),
        ),
        Figures(2, 2000, 400, 80000, 4000, 2000, 6000, cost_usd="0.068"),
    ),
    # A request that was interrupted stands in no line: 500 tokens of input at 4 USD for a million.
    one(
        "an account of more than the lines",
        packed(
            reply("an account of more than the lines", "msg_b1"),
            _account("an account of more than the lines", _MORE, 3000, 0.036),
        ),
        Figures(input=1500, cost_usd="0.036"),
    ),
    Case(
        "accounts of a session and of its fork",
        {
            path("accounts of a session and of its fork"): packed(
                reply("accounts of a session and of its fork", "msg_c1"),
                reply("accounts of a session and of its fork", "msg_c2"),
                _account("accounts of a session and of its fork", _TWO, 6000, 0.068),
            ),
            path("fork"): packed(
                reply("fork", "msg_c1"),
                reply("fork", "msg_c2"),
                reply("fork", "msg_c3", timestamp="2026-10-07T13:00:00.000Z"),
                _account("fork", _THREE, 9000, 0.102),
            ),
        },
        Figures(3, 3000, 600, 120000, 6000, 3000, 9000, cost_usd="0.102"),
        ("accounts of a session and of its fork", "fork"),
    ),
]
"""What agents say that they spent balances the requests and never doubles them (rule 2 of the records)."""

PRICES: list[Case] = [
    priced(
        "one hour",
        "claude-opus-5-5",
        _HOUR,
        Figures(1, 0, 0, 0, 0, 100_000, 100_000, cost_usd="0.8"),
    ),
    priced("tier begins", "claude-haiku-5-5", only(input_tokens=100_000), tokens(100_000, "0.01")),
    priced(
        "tier passed",
        "claude-haiku-5-5",
        only(input_tokens=100_001),
        tokens(100_001, "0.0500005"),
    ),
    priced(
        "tier passed by cache reads",
        "claude-haiku-5-5",
        only(input_tokens=1, cache_read_input_tokens=100_000, output_tokens=10),
        tokens(1, "0.0050255", output=10, read=100_000),
    ),
    priced(
        "below long context",
        "claude-sonnet-4-5-20250929",
        only(input_tokens=200_000),
        tokens(200_000, "0.6"),
    ),
    priced(
        "before a change of price",
        "claude-opus-4-6",
        _LONG,
        tokens(300_000, "3", days=("2026-03-12",)),
        _OLD,
    ),
    priced(
        "after a change of price",
        "claude-opus-4-6",
        _LONG,
        tokens(300_000, "1.5", days=("2026-03-14",)),
        _NEW,
    ),
    priced(
        "context mark",
        "claude-opus-4-8[1m]",
        only(input_tokens=1_000_000),
        tokens(1_000_000, "5"),
    ),
    priced(
        "least of all",
        "claude-haiku-5-5",
        only(cache_read_input_tokens=1),
        tokens(0, "0.00000001", read=1),
    ),
    priced(
        "name of a cloud",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        only(input_tokens=1_000_000),
        tokens(1_000_000, "1.1"),
    ),
]
"""Prices of kinds, tiers and dates (pricing.md; claude-code.md, section 4)."""


CASES = [*WHERE_CCUSAGE_IS_WRONG, *LINES, *ONCE, *ACCOUNTS, *PRICES]

__all__ = ["CASES", "CWD", "Case", "Figures"]
