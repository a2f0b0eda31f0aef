"""Tokens as OpenAI's APIs count them → ours."""

from __future__ import annotations

from acd.agents.codex.shapes import TokenUsage
from acd.core.models import Usage


def usage_of(seen: TokenUsage) -> Usage:
    """Usage of one request: input less what came from the cache and what went into it; output with its reasoning."""
    cached, written = seen.cached_input_tokens or 0, seen.cache_write_input_tokens or 0
    output = seen.output_tokens or 0
    return Usage(
        input_tokens=max((seen.input_tokens or 0) - cached - written, 0),
        output_tokens=output,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=min(seen.reasoning_output_tokens or 0, output),
    )


def mark_of(total: TokenUsage) -> str:
    """A running total as a word: it grows with every request, so it tells the requests of a turn apart."""
    parts = (
        total.input_tokens,
        total.cached_input_tokens,
        total.cache_write_input_tokens,
        total.output_tokens,
    )
    return "-".join(str(part or 0) for part in parts)
