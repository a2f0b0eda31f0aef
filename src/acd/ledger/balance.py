"""The ledger balances: what an agent reports beyond its requests becomes a row, what it reports less is a gap.

An agent's reports are running totals. Each is taken as an interval on the agent's own counter: a report with a known
own part covers [total - own, total], one without covers [0, total]. The union of the intervals is what the agent said
that it spent: a report that repeats another adds nothing, a resumed session that we saw only the end of adds its own
part only, and an interrupted request that stands in the last report alone is in. Order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

import msgspec

from acd.core.models import ModelReport, Usage
from acd.ledger.price import canonical_model

_FIELDS = Usage.__struct_fields__
_FOUR = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


class Report(NamedTuple):
    """One report: running totals by model, and the part since the report before where the agent tells it."""

    models: Mapping[str, ModelReport]
    own: Mapping[str, ModelReport] | None


class Spent(NamedTuple):
    """Sums of a session's request rows of one model. `cost_usd` leaves out the rows that have no price."""

    usage: Usage
    cost_usd: Decimal
    unpriced: int


class Rest(NamedTuple):
    """What a session's requests do not account for, of one model. `cost_usd` None: nobody knows its price."""

    model: str
    usage: Usage
    cost_usd: Decimal | None


def reported_by_model(reports: Iterable[Report]) -> dict[str, ModelReport]:
    """What the agent said that the session spent, each token once, by the agent's own names of the models."""
    spans: dict[str, list[tuple[ModelReport, ModelReport | None]]] = {}
    for report in reports:
        for model, total in report.models.items():
            own = None if report.own is None else report.own.get(model, ModelReport(Usage()))
            spans.setdefault(model, []).append((total, own))
    return {model: _union(spans_of_model) for model, spans_of_model in spans.items()}


def rests(reported: Mapping[str, ModelReport], spent: Mapping[str, Spent]) -> list[Rest]:
    """What is left when the requests are taken from the reports; empty when they agree or the agent reports less."""
    names = {canonical_model(model): model for model in spent}
    found = []
    for reported_name, report in sorted(reported.items()):
        model = names.get(canonical_model(reported_name), reported_name)
        rest = _rest(model, report, spent.get(model, Spent(Usage(), Decimal(0), 0)))
        if rest is not None:
            found.append(rest)
    return found


def _rest(model: str, report: ModelReport, spent: Spent) -> Rest | None:
    left = {
        name: max(0, getattr(report.usage, name) - getattr(spent.usage, name)) for name in _FIELDS
    }
    has_tokens = any(left[name] for name in _FOUR)
    cost = None if report.cost_usd is None else max(Decimal(0), report.cost_usd - spent.cost_usd)
    if not has_tokens and not (spent.unpriced and cost):
        return None
    return Rest(model, Usage(**left), cost)


def _union(spans: list[tuple[ModelReport, ModelReport | None]]) -> ModelReport:
    tokens = {}
    for name in _FIELDS:
        tokens[name] = int(
            _covered(
                (
                    Decimal(getattr(total.usage, name)),
                    None if own is None else Decimal(getattr(own.usage, name)),
                )
                for total, own in spans
            )
        )
    costs = [
        (total.cost_usd, None if own is None else (own.cost_usd or Decimal(0)))
        for total, own in spans
        if total.cost_usd is not None
    ]
    return ModelReport(Usage(**tokens), _covered(costs) if costs else None)


def _covered(spans: Iterable[tuple[Decimal, Decimal | None]]) -> Decimal:
    """Length of the union of intervals that end at `total` and are `own` long (the whole where None)."""
    intervals = sorted(
        (Decimal(0) if own is None else max(Decimal(0), total - own), total) for total, own in spans
    )
    covered = reach = Decimal(0)
    for begin, end in intervals:
        covered += max(Decimal(0), end - max(begin, reach))
        reach = max(reach, end)
    return covered


def decode_report(models: object, own: object) -> Report:
    """A report from the columns of `session_reports`."""
    kind = dict[str, ModelReport]
    return Report(
        msgspec.convert(models, kind, strict=False),
        None if own is None else msgspec.convert(own, kind, strict=False),
    )
