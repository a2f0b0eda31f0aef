"""What came of the demo, as tables."""

from __future__ import annotations

from acd.cli.figures import NOTHING, features, money, outcome, spent, tokens
from acd.cli.output import Cell, Column, say, show_table
from acd.reports.period import Done, ErrorsDone, ModelDone, TargetDone
from acd.reports.rows import row_of

_TARGETS = (
    Column("Target", flexible=True),
    Column("Status"),
    Column("Sessions", right=True),
    Column("Failed", right=True),
    Column("Features"),
    Column("Commits", right=True),
    Column("Tokens", right=True),
    Column("Cost", right=True),
    Column("Per feature", right=True),
)
_MODELS = (
    Column("Model", flexible=True),
    Column("Sessions", right=True),
    Column("Requests", right=True),
    Column("In", right=True),
    Column("Out", right=True),
    Column("Cache read", right=True),
    Column("Cache write", right=True),
    Column("Cost", right=True),
)
_ERRORS = (
    Column("Error"),
    Column("Times", right=True),
    Column("Got over by the agent", right=True),
    Column("What it said last", flexible=True),
)


def show_report(report: bytes) -> None:
    """Print the figures of `acd.reports.period.since`."""
    done = row_of(report, Done)
    say()
    show_table(_TARGETS, [_target(row) for row in done.targets])
    say()
    show_table(_MODELS, [_model(row) for row in done.models])
    if done.errors:
        say()
        show_table(_ERRORS, [_error(row) for row in done.errors])
    say(
        f"{done.sessions} sessions ({done.failed_sessions} failed), {done.features_completed} features, "
        f"{tokens(done.tokens)} tokens, {money(done.cost_usd)} at list price.",
        after_blank=True,
    )


def _target(row: TargetDone) -> list[Cell]:
    return [
        row.target.repo_id,
        outcome(row.status),
        str(row.sessions),
        str(row.failed_sessions),
        features(row.passing_features, row.total_features, 0),
        str(row.commits),
        tokens(row.tokens),
        spent(row.cost_usd, row.unpriced_requests),
        NOTHING if row.cost_per_feature is None else money(row.cost_per_feature),
    ]


def _model(row: ModelDone) -> list[Cell]:
    return [
        row.model,
        str(row.sessions),
        str(row.requests),
        tokens(row.input_tokens),
        tokens(row.output_tokens),
        tokens(row.cache_read_tokens),
        tokens(row.cache_write_tokens),
        spent(row.cost_usd, row.unpriced_requests),
    ]


def _error(row: ErrorsDone) -> list[Cell]:
    return [
        row.error_type,
        str(row.errors),
        str(row.retried_by_agent),
        row.last_message,
    ]
