"""What requests cost: the table that the scripted agent and the scripted endpoint charge by.

Written by hand from section 4 of the facts about Claude Code (prices that version 2.1.330 applied, solved from replies
of one million tokens, 2026-11-22), so that tests compare acd's own prices with figures that did not come from acd.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]

MILLION = Decimal(1_000_000)
WEB_SEARCH = Decimal("0.01")
TIER_THRESHOLD = 100_000
"""Prompt tokens (input and cache) of one request above which claude-haiku-5-5 costs five times as much."""


class Tokens(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Tokens of one request, each counted once; `input_tokens` excludes everything cached."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_read_tokens: Count = 0
    cache_write_5m_tokens: Count = 0
    cache_write_1h_tokens: Count = 0
    web_searches: Count = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_5m_tokens + other.cache_write_5m_tokens,
            self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            self.web_searches + other.web_searches,
        )

    @property
    def cache_write_tokens(self) -> int:
        """Cache writes of both lifetimes."""
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def prompt_tokens(self) -> int:
        """Everything that was sent: what a tier is decided by."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens


class Price(msgspec.Struct, frozen=True):
    """USD per million tokens."""

    input: Decimal
    output: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    cache_read: Decimal

    def of(self, tokens: Tokens) -> Decimal:
        """Exact cost of `tokens` in USD, web searches included."""
        charged = (
            self.input * tokens.input_tokens
            + self.output * tokens.output_tokens
            + self.cache_write_5m * tokens.cache_write_5m_tokens
            + self.cache_write_1h * tokens.cache_write_1h_tokens
            + self.cache_read * tokens.cache_read_tokens
        )
        return charged / MILLION + WEB_SEARCH * tokens.web_searches


def _price(*usd: str) -> Price:
    return Price(*map(Decimal, usd))


PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "claude-opus-5-5": _price("4", "20", "5", "8", "0.20"),
        "claude-fable-5-2": _price("8", "40", "10", "16", "0.20"),
        "claude-sonnet-5-5": _price("2", "10", "2.5", "4", "0.10"),
        "claude-sonnet-5": _price("2", "10", "2.5", "4", "0.20"),
        # 1h was not measured for short prompts; 2 x input, as for every other model.
        "claude-haiku-5-5": _price("0.10", "0.50", "0.125", "0.20", "0.01"),
        "claude-opus-4-8": _price("5", "25", "6.25", "10", "0.50"),
        "claude-sonnet-4-5": _price("3", "15", "3.75", "6", "0.30"),
        "claude-haiku-4-5": _price("1", "5", "1.25", "2", "0.10"),
    }
)
LONG_PROMPT_PRICES: Mapping[str, Price] = MappingProxyType(
    {"claude-haiku-5-5": _price("0.50", "2.50", "0.625", "1", "0.05")}
)
FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "haiku": "claude-haiku-5-5",
        "sonnet": "claude-sonnet-5-5",
        "opus": "claude-opus-5-5",
        "fable": "claude-fable-5-2",
    }
)


def full_name(model: str) -> str:
    """The full name of a family (`opus`), or `model` itself."""
    return FAMILIES.get(model, model)


def cost_of(model: str, tokens: Tokens) -> Decimal:
    """Cost in USD of one request; not of a sum of requests, because of the tier by prompt size.

    Raises:
        KeyError: the table has no such model.
    """
    name = full_name(model)
    if tokens.prompt_tokens > TIER_THRESHOLD and name in LONG_PROMPT_PRICES:
        return LONG_PROMPT_PRICES[name].of(tokens)
    return PRICES[name].of(tokens)
