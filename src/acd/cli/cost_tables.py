"""How `acd report --costs` looks."""

from __future__ import annotations

from decimal import Decimal

from acd.cli.figures import NOTHING, count_of, money, outcome, spent
from acd.cli.output import Cell, Column, say, show_table
from acd.core.cost_rows import CostForecast, Costs, CostsReport, ModelCost

_TARGETS = (
    Column("Target", flexible=True),
    Column("Sessions", right=True, needs=70),
    Column("Cost", right=True),
    Column("Features", right=True),
    Column("each", right=True, needs=70),
    Column("Verified", right=True),
    Column("each", right=True),
    Column("A commit", right=True, needs=90),
    Column("Failed", right=True, needs=110),
    Column("Rejected", right=True, needs=110),
    Column("Wasted", right=True),
)
_ERRORS = (Column("Error"), Column("Sessions", right=True), Column("Cost", right=True))


def show_costs(report: CostsReport) -> None:
    """Targets, errors, models and what the rest will cost."""
    if not report.targets:
        say(f"No session began since {report.since:%Y-%m-%d %H:%M}. `--since` looks further back.")
        return
    lines = [_line(one.target.repo_id if one.target else "", one) for one in report.targets]
    if len(lines) > 1:
        lines.append(_line("all", report.total))
    show_table(_TARGETS, lines)
    if report.total.errors:
        say()
        show_table(
            _ERRORS,
            [
                [outcome(one.error_type), f"{one.sessions:,}", money(one.cost_usd)]
                for one in report.total.errors
            ],
        )
    say()
    for one in report.targets:
        _tell_models(one)
    for one in report.targets:
        if one.forecast and one.target:
            _tell_forecast(one.target.repo_id, one.forecast)
    if len(report.targets) > 1 and report.total.forecast:
        _tell_forecast("all", report.total.forecast)
    if report.total.unpriced_requests:
        told = count_of(report.total.unpriced_requests, "request")
        say(f"+? {told} without a known price: `acd prices`.", after_blank=True)


def _line(name: str, row: Costs) -> list[Cell]:
    return [
        name,
        f"{row.sessions:,}",
        spent(row.cost_usd, row.unpriced_requests),
        f"{row.features:,}",
        _each(row.cost_per_feature),
        f"{row.verified_features:,}",
        _each(row.cost_per_verified_feature),
        _each(row.cost_per_commit),
        money(row.failed_cost_usd),
        money(row.rejected_cost_usd),
        money(row.wasted_cost_usd),
    ]


def _each(cost: Decimal | None) -> str:
    return NOTHING if cost is None else money(cost)


def _tell_models(row: Costs) -> None:
    able = [one for one in row.models if one.cost_per_feature is not None]
    if row.target is None or len(row.models) < 2 or not able:
        return
    worst = row.models[-1]
    say(f"{row.target.repo_id}: most efficient {_model(able[0])}; least {_model(worst)}.")


def _model(one: ModelCost) -> str:
    behind = f"{count_of(one.sessions, 'session')}, {count_of(one.features, 'feature')}"
    if one.cost_per_feature is None:
        return f"{one.model}, {money(one.cost_usd)} for nothing that passes ({behind})"
    return f"{one.model}, {money(one.cost_per_feature)} a feature ({behind})"


def _tell_forecast(name: str, one: CostForecast) -> None:
    within = (
        f"{money(one.low_usd)} to {money(one.high_usd)} at 95 %"
        if one.low_usd is not None and one.high_usd is not None
        else "too few to tell a range"
    )
    say(
        f"{name}{' of these targets' if name == 'all' else ''}: "
        f"{count_of(one.remaining_features, 'feature')} to go, about {money(one.cost_usd)} "
        f"({within}, from {count_of(one.sessions, 'session')})."
    )
