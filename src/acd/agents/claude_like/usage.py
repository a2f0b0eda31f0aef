"""Tokens, money and times out of what the agent wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from acd.agents.claude_like.shapes import MessageUsage, ModelUsage
from acd.core.models import ModelReport, Usage

# The least price per token is 1e-8 USD (claude-code.md, section 4), a tenth of a tenth of it may come; a double that
# holds thousands of dollars is good for 12 decimals. What lies beyond them is noise of the agent's own additions.
_DECIMALS = 12

_LONG_CONTEXT = "[1m]"


def model_name(name: str) -> str:
    """The model without the mark of the long context window, which is no model of its own (2.1.197 adds it)."""
    return name.removesuffix(_LONG_CONTEXT)


def usage_of(seen: MessageUsage | None) -> Usage:
    """Usage of one request. The greater of total and split counts as written: either may be missing."""
    if seen is None:
        return Usage()
    split = seen.cache_creation
    write_5m = (split.ephemeral_5m_input_tokens or 0) if split else 0
    write_1h = (split.ephemeral_1h_input_tokens or 0) if split else 0
    details, tools = seen.output_tokens_details, seen.server_tool_use
    return Usage(  # in the order of its fields: this is made for every line
        seen.input_tokens or 0,
        seen.output_tokens or 0,
        seen.cache_read_input_tokens or 0,
        max(seen.cache_creation_input_tokens or 0, write_5m + write_1h),
        write_5m,
        write_1h,
        (details.thinking_tokens or 0) if details else 0,
        (tools.web_search_requests or 0) if tools else 0,
    )


def terms_of(seen: MessageUsage | None) -> str:
    """What the price depends on beside model and tokens, as `RequestSeen.terms` (field documentation of the Messages API)."""
    if seen is None:
        return ""
    batch, fast = seen.service_tier == "batch", seen.speed == "fast"
    within_us = seen.inference_geo == "us"
    if not (batch or fast or within_us):
        return ""
    words = ("batch" if batch else "", "fast" if fast else "", "us" if within_us else "")
    return " ".join(word for word in words if word)


def reports_of(seen: dict[str, ModelUsage] | None) -> dict[str, ModelReport]:
    """`modelUsage` by model; entries that differ only in the context window are one model."""
    reports: dict[str, ModelReport] = {}
    for key, entry in (seen or {}).items():
        name, report = model_name(key), _report_of(entry)
        reports[name] = _added(reports[name], report) if name in reports else report
    return reports


def money(value: float | None) -> Decimal | None:
    """USD without the noise of binary fractions: 0.016560000000000002 is 0.01656."""
    if value is None:
        return None
    return Decimal(f"{value:.{_DECIMALS}f}".rstrip("0").rstrip("."))


def cost_of(reports: dict[str, ModelReport]) -> Decimal | None:
    """Sum of the models' costs; None where one is unknown."""
    costs = [report.cost_usd for report in reports.values()]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def moment(text: Any) -> datetime | None:  # noqa: ANN401  # whatever a line may hold there
    """An ISO 8601 time with zone, in UTC; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is UTC:
            return time
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None


def epoch_moment(seconds: Any) -> datetime | None:  # noqa: ANN401  # whatever a line may hold there
    """A time in seconds since 1970, in UTC; None for anything else."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _report_of(entry: ModelUsage) -> ModelReport:
    write_5m = entry.cache_creation_5m_tokens or 0
    write_1h = entry.cache_creation_1h_tokens or 0
    usage = Usage(
        input_tokens=entry.input_tokens or 0,
        output_tokens=entry.output_tokens or 0,
        cache_read_tokens=entry.cache_read_input_tokens or 0,
        cache_write_tokens=max(entry.cache_creation_input_tokens or 0, write_5m + write_1h),
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
        reasoning_tokens=entry.thinking_tokens or 0,
        web_searches=entry.web_search_requests or 0,
    )
    return ModelReport(usage, money(entry.cost_usd))


def _added(one: ModelReport, other: ModelReport) -> ModelReport:
    a, b = one.usage, other.usage
    usage = Usage(*(getattr(a, field) + getattr(b, field) for field in Usage.__struct_fields__))
    return ModelReport(usage, cost_of({"one": one, "other": other}))
