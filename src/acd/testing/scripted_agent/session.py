"""One session as it happens: requests, tools, failures, end; the ledger first, then transcript and stream."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec

from acd.testing import ledger
from acd.testing.prices import Tokens, cost_of, full_name
from acd.testing.scripted_agent import ending as ends
from acd.testing.scripted_agent import lines, wire
from acd.testing.scripted_agent.recorder import Chain, Recorder
from acd.testing.scripted_agent.signals import SignalGate
from acd.testing.scripted_agent.wire import Assistant, Json, ToolResult


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The command line. `model` and `fallback_model` are full names."""

    prompt: str
    session_id: UUID
    model: str
    session_type: Literal["initializer", "coding"]
    fallback_model: str | None = None
    max_turns: int | None = None
    max_budget_usd: float | None = None


class Charge(msgspec.Struct, frozen=True):
    """What a request is to cost: on which model (default: the session's), with which usage (default: seeded)."""

    model: str | None = None
    tokens: Tokens | None = None


SEEDED = Charge()


def text(said: str) -> Json:
    """A text block."""
    return {"type": "text", "text": said}


class Session:
    """The running session. Steps act on it; it knows the target's files but no scenario."""

    def __init__(
        self,
        options: Options,
        recorder: Recorder,
        book: ledger.LedgerWriter,
        rng: random.Random,
        feature_list: Path,
        features: Sequence[Json] = (),
    ) -> None:
        self.options = options
        self.recorder = recorder
        self.book = book
        self.rng = rng
        self.feature_list = feature_list
        self.features = features
        self.model = options.model
        self.account = ends.Account()
        self.gate = SignalGate()
        self.after_result: Callable[[], None] | None = None
        self._requests = 0
        self._main_requests = 0
        self._tools = 0
        self._started = time.time()
        self._clock = time.monotonic()

    @property
    def id(self) -> str:
        """The session's id as text."""
        return self.recorder.session_id

    def open(self, api_key_source: str) -> None:
        """Print `init` and keep the prompt."""
        with self.gate.held():
            for operation in ("enqueue", "dequeue"):
                self.recorder.keep({"type": "queue-operation", "operation": operation})
            prompt = {"role": "user", "content": self.options.prompt}
            kept = {"type": "user", "message": prompt, "promptSource": "sdk"}
            self.recorder.message(self.recorder.main, kept, None)
            self.recorder.print(lines.init_line(self.model, str(Path.cwd()), api_key_source))

    def request(
        self,
        blocks: Sequence[Json],
        charge: Charge = SEEDED,
        chain: Chain | None = None,
    ) -> Assistant:
        """Call a model that answers with `blocks`.

        Raises:
            SessionOver: no turn is left, or the budget is used up by this request.
        """
        chain = chain or self.recorder.main
        self._count_turn(chain)
        self._requests += 1
        number = f"{self.recorder.session_id.replace('-', '')}_{self._requests:05d}"
        calls = any(block["type"] == "tool_use" for block in blocks)
        said = Assistant(
            message_id=f"msg_{number}",
            request_id=f"req_{number}",
            model=full_name(charge.model) if charge.model else self.model,
            tokens=charge.tokens or self._seeded_tokens(chain),
            stop_reason="tool_use" if calls else "end_turn",
        )
        with self.gate.held():
            self._enter(said, blocks, chain)
            for block in blocks:
                self._say(said, block, chain)
            self.book.add(ledger.Printed(session_id=self.id, message_id=said.message_id))
        self._check_budget()
        return said

    def use_tool(
        self,
        name: str,
        tool_input: Json,
        action: Callable[[], ToolResult],
        charge: Charge = SEEDED,
        *,
        say: str = "",
        chain: Chain | None = None,
    ) -> ToolResult:
        """A request that calls a tool, the tool's work, and its result."""
        use_id = self.next_tool_id()
        call = {"type": "tool_use", "id": use_id, "name": name, "input": tool_input}
        blocks = [text(say), call] if say else [call]
        self.request(blocks, charge, chain)
        result = action()
        self.give_result(use_id, result, chain)
        return result

    def next_tool_id(self) -> str:
        """Id of the next tool call."""
        self._tools += 1
        return f"toolu_{self.recorder.session_id.replace('-', '')}_{self._tools:05d}"

    def give_result(
        self,
        use_id: str,
        result: ToolResult,
        chain: Chain | None = None,
        *,
        accepted: bool = True,
    ) -> None:
        """Print and keep a tool's result, or (`accepted` false) the refusal to use it."""
        chain = chain or self.recorder.main
        printed, kept = lines.tool_result_lines(use_id, result, accepted)
        if chain.subagent is None:
            self.account.user_lines += 1
            if result.detail is not None:
                printed |= {"tool_use_result": result.detail}
                kept |= {"toolUseResult": result.detail}
        with self.gate.held():
            self.recorder.message(chain, kept, printed)

    def touch_feature(self, key: str, change: str) -> None:
        """Enter a change of the feature list in the ledger."""
        self.book.add(ledger.FeatureTouched(session_id=self.id, key=key, change=change))

    def expect(self, ending: ends.Ending) -> None:
        """Enter how the session is going to end."""
        self.book.add(
            ledger.Expected(
                session_id=self.id,
                outcome=ending.outcome,
                error_type=ending.error_type,
                exit_code=ending.exit_code,
            )
        )

    def finish(self, ending: ends.Ending) -> int:
        """Print the result, keep `cost-state`, do what was planned for afterwards; the exit status."""
        duration_ms = math.ceil((time.monotonic() - self._clock) * 1000)
        with self.gate.held():
            self.expect(ending)
            if ending.subtype is not None:
                self.recorder.print(ends.result_line(ending, self.account, duration_ms))
            if ending.keeps_cost_state:
                started_ms = int(self._started * 1000)
                self.recorder.keep(ends.cost_state_line(self.account, started_ms, duration_ms))
        if self.after_result is not None:
            self.after_result()
        return ending.exit_code

    def _count_turn(self, chain: Chain) -> None:
        if chain.subagent is not None:
            return
        limit = self.options.max_turns
        if limit is not None and self._main_requests >= limit:
            raise ends.SessionOver(ends.out_of_turns(limit))
        self._main_requests += 1

    def _check_budget(self) -> None:
        limit = self.options.max_budget_usd
        if limit is not None and self.account.cost >= limit:
            raise ends.SessionOver(ends.out_of_budget(limit))

    def _seeded_tokens(self, chain: Chain) -> Tokens:
        """Figures as a real conversation has them: what was written to the cache is read by later requests."""
        written = self.rng.randint(200, 4000) if chain.context else self.rng.randint(6000, 14000)
        long_lived = self.rng.randint(1, written) if self.rng.random() < 0.3 else 0
        read, chain.context = chain.context, chain.context + written
        return Tokens(
            input_tokens=self.rng.randint(3, 900),
            output_tokens=self.rng.randint(20, 1500),
            cache_read_tokens=read,
            cache_write_5m_tokens=written - long_lived,
            cache_write_1h_tokens=long_lived,
        )

    def _enter(self, said: Assistant, blocks: Sequence[Json], chain: Chain) -> None:
        cost = cost_of(said.model, said.tokens)
        self.book.add(
            ledger.RequestMade(
                session_id=self.id,
                message_id=said.message_id,
                request_id=said.request_id,
                model=said.model,
                tokens=said.tokens,
                cost_usd=cost,
                subagent=chain.subagent.agent_type if chain.subagent else None,
                tools=[block["name"] for block in blocks if block["type"] == "tool_use"],
            )
        )
        spent = self.account.models.setdefault(said.model, wire.Spent())
        spent.tokens += said.tokens
        spent.cost_usd += cost
        self.account.api_ms += self.rng.randint(20, 90)
        if chain.subagent is None:
            self.account.main += said.tokens

    def _say(self, said: Assistant, block: Json, chain: Chain) -> None:
        printed, kept = lines.assistant_lines(said, block)
        if block["type"] == "thinking":
            estimate = {"estimated_tokens": 1, "estimated_tokens_delta": 1}
            self.recorder.print({"type": "system", "subtype": "thinking_tokens"} | estimate)
        if block["type"] == "text" and chain.subagent is None:
            self.account.last_text = block["text"]
        # The genuine stream shows a subagent's tool calls only; its texts stand in its transcript.
        shown = chain.subagent is None or block["type"] == "tool_use"
        self.recorder.message(chain, kept, printed if shown else None)
