"""The right totals of a generated history: rule 1 of the records and list prices, in as few words as can be.

Nothing of acd is imported here, so that what it counts can be held against this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

# USD per million: input, output, cache write 5m, cache write 1h, cache read; with the size of prompt above which all
# of a request pays the second line. Source: what Claude Code 2.1.330 charged (facts: claude-code.md, section 4), for
# sonnet-4-5 above 200,000 the maker's long-context price (facts: pricing.md).
_RATES: dict[str, tuple[str, ...]] = {
    "claude-opus-5-5": ("4 20 5 8 0.20",),
    "claude-fable-5-2": ("8 40 10 16 0.20",),
    "claude-sonnet-5-5": ("2 10 2.5 4 0.10",),
    "claude-sonnet-5": ("2 10 2.5 4 0.20",),
    "claude-opus-4-8": ("5 25 6.25 10 0.50",),
    "claude-haiku-4-5-20251001": ("1 5 1.25 2 0.10",),
    "claude-haiku-5-5": ("0.10 0.50 0.125 0.20 0.01", "0.50 2.50 0.625 1 0.05"),
    "claude-sonnet-4-5-20250929": ("3 15 3.75 6 0.30", "6 22.50 7.50 12 0.60"),
}
_THRESHOLDS = {"claude-haiku-5-5": 100_000, "claude-sonnet-4-5-20250929": 200_000}
_WEB_SEARCH = Decimal("0.01")
_MILLION = 1_000_000

MODELS = (*_RATES, "claude-opus-4-8[1m]", "house-model-1")
"""The models of the corpus: one with a context mark, one that nobody has a price for."""


class Usage(NamedTuple):
    """Tokens of one request. `cache_write_plain`: cache writes that are not told by their time to live."""

    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    cache_write_plain: int
    web_searches: int

    @property
    def cache_write(self) -> int:
        """All cache writes."""
        return self.cache_write_5m + self.cache_write_1h + self.cache_write_plain


class Sum(msgspec.Struct):
    """What a number of requests add up to. `cost_usd` leaves out the `unpriced` ones."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_searches: int = 0
    unpriced: int = 0
    cost_usd: Decimal = Decimal(0)

    def add(self, usage: Usage, cost: Decimal | None) -> None:
        """Count one request."""
        self.requests += 1
        self.input_tokens += usage.input
        self.output_tokens += usage.output
        self.cache_read_tokens += usage.cache_read
        self.cache_write_tokens += usage.cache_write
        self.cache_write_5m_tokens += usage.cache_write_5m
        self.cache_write_1h_tokens += usage.cache_write_1h
        self.web_searches += usage.web_searches
        if cost is None:
            self.unpriced += 1
        else:
            self.cost_usd += cost


class Expected(msgspec.Struct, kw_only=True):
    """What an import of a history has to come to.

    `lines` are whole lines; `left_out` of them cannot be read and are to be listed; `cut` files end within a line,
    which waits for its end. Days are days in UTC. `by_session` goes by the agent's own session ids; `subagents` is the
    part that was spent in sidechains and subagents.
    """

    seed: int
    files: int = 0
    bytes: int = 0
    lines: int = 0
    left_out: int = 0
    cut: int = 0
    total: Sum = msgspec.field(default_factory=Sum)
    subagents: Sum = msgspec.field(default_factory=Sum)
    by_day: dict[str, Sum] = {}
    by_model: dict[str, Sum] = {}
    by_session: dict[str, Sum] = {}


@dataclass(slots=True)
class _Request:
    """The greatest snapshot of a request, and the earliest line of it with its session."""

    model: str
    usage: Usage
    at: datetime
    session: str
    in_subagent: bool


@dataclass
class Truth:
    """Takes every line with usage as it is written, and sums them up by the rules."""

    requests: dict[str, _Request] = field(default_factory=dict)

    def saw(
        self, key: str, session: str, at: datetime, model: str, usage: Usage, *, in_subagent: bool
    ) -> None:
        """One line: a message id (or what stands for it), whose file it is in, what it says."""
        known = self.requests.get(key)
        if known is None:
            self.requests[key] = _Request(model, usage, at, session, in_subagent)
            return
        if _greatness(usage) > _greatness(known.usage):
            known.usage, known.model = usage, model
        if (at, session_id(session)) < (known.at, session_id(known.session)):
            known.at, known.session = at, session
        known.in_subagent |= in_subagent

    def sum_up(self, expected: Expected) -> None:
        """Fill in the sums."""
        for request in self.requests.values():
            model = request.model.removesuffix("[1m]")
            cost = _cost(model, request.usage)
            sums = [
                expected.total,
                expected.by_day.setdefault(request.at.date().isoformat(), Sum()),
                expected.by_model.setdefault(model, Sum()),
                expected.by_session.setdefault(request.session, Sum()),
            ]
            if request.in_subagent:
                sums.append(expected.subagents)
            for one in sums:
                one.add(request.usage, cost)


@cache
def session_id(agent_session_id: str) -> UUID:
    """Id under which an imported session is recorded (rule 10): which of two is smaller settles a tie."""
    namespace = uuid5(NAMESPACE_URL, "urn:acd")
    return uuid5(namespace, f"session:claude-code:{agent_session_id}")


def _greatness(usage: Usage) -> tuple[int, int]:
    return usage.input + usage.output + usage.cache_read + usage.cache_write, usage.output


def _cost(model: str, usage: Usage) -> Decimal | None:
    if model not in _RATES:
        return None
    prompt = usage.input + usage.cache_read + usage.cache_write
    is_long = prompt > _THRESHOLDS.get(model, prompt)
    return _price(_rates(model)[is_long], usage)


def _price(rates: tuple[Decimal, ...], usage: Usage) -> Decimal:
    fresh, output, write_5m, write_1h, read = rates
    tokens = (
        usage.input * fresh
        + usage.output * output
        + (usage.cache_write_5m + usage.cache_write_plain) * write_5m
        + usage.cache_write_1h * write_1h
        + usage.cache_read * read
    )
    return tokens / _MILLION + usage.web_searches * _WEB_SEARCH


@cache
def _rates(model: str) -> tuple[tuple[Decimal, ...], ...]:
    return tuple(tuple(map(Decimal, line.split())) for line in _RATES[model])
