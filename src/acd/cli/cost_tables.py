"""How `acd report --costs` looks."""

from __future__ import annotations

from decimal import Decimal

from acd.cli.figures import NOTHING, count_of, listed, money, outcome, spent
from acd.cli.output import Cell, Column, say, show_table
from acd.core.cost_rows import CostForecast, Costs, CostsReport, ModelCost, SurvivingLines

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
_LINES = (
    Column("Target", flexible=True),
    Column("Lines of HEAD", right=True),
    Column("of these sessions", right=True),
    Column("of others", right=True, needs=70),
    Column("Cost", right=True),
    Column("A line", right=True),
)
_MOST_SESSIONS = 10


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
    total, alone = report.total.forecast, report.targets[0].forecast
    if total and (len(report.targets) > 1 or total != alone):
        _tell_forecast("all", total)
    told = listed(report.total.cost_usd, report.list_price_cost_usd)
    if told:
        say(told, after_blank=True)
    if report.total.unpriced_requests:
        told = count_of(report.total.unpriced_requests, "request")
        say(f"+? {told} without a known price: `acd prices`.", after_blank=True)


def show_lines(targets: list[SurvivingLines]) -> None:
    """What a line of HEAD cost, by target; of one target by session, too."""
    if not targets:
        return
    say()
    show_table(_LINES, [_lines_of(one) for one in targets])
    for one in targets:
        if one.reason:
            say(f"{one.repo_id}: {one.reason}.")
        if one.files_left_out:
            told = count_of(one.files_left_out, "file")
            say(f"{one.repo_id}: {told} left out, of which git could not say.")
    if len(targets) == 1:
        wrote = [one for one in targets[0].sessions if one.lines][:_MOST_SESSIONS]
        for each in wrote:
            name = f"#{each.session_number}" if each.session_number else str(each.session_id)[:8]
            say(
                f"{targets[0].repo_id}{name if name[0] == '#' else f' {name}'} ({each.model}): "
                f"{count_of(each.lines, 'line')}, {_each(each.cost_per_line)} each."
            )


def _lines_of(one: SurvivingLines) -> list[Cell]:
    if one.head is None:
        return [one.repo_id, *([NOTHING] * 5)]
    return [
        one.repo_id,
        f"{one.head_lines:,}",
        f"{one.lines:,}",
        f"{one.lines_of_other_sessions:,}",
        spent(one.cost_usd, one.unpriced_requests),
        _each(one.cost_per_line),
    ]


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
        f"{name}{' targets that are enabled' if name == 'all' else ''}: "
        f"{count_of(one.remaining_features, 'feature')} to go, about {money(one.cost_usd)} "
        f"({within}, from {count_of(one.sessions, 'session')})."
    )
