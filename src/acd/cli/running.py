"""The table of sessions that work now, from what is recorded of them."""

from __future__ import annotations

from collections.abc import Sequence

from acd.cli.figures import NOTHING, elapsed, number, spent, tokens
from acd.cli.figures import features as features_of
from acd.cli.output import Cell, Column, say, show_table
from acd.core.contract import RunningSession, TargetRow

_COLUMNS = (
    Column("Working", flexible=True),
    Column("No", right=True),
    Column("Model"),
    Column("For", right=True),
    Column("Req.", right=True),
    Column("Tokens", right=True),
    Column("Cost", right=True),
    Column("Features"),
    Column("Last tool", flexible=True),
)


def show_running(rows: Sequence[RunningSession], targets: Sequence[TargetRow]) -> None:
    """Print it, with a line between it and what follows; nothing when no session works."""
    if not rows:
        return
    verified = {target.repo_id: target.verified_features for target in targets}
    show_table(_COLUMNS, [_line(row, verified.get(row.target.repo_id, 0)) for row in rows])
    say("")


def _line(row: RunningSession, verified: int) -> list[Cell]:
    return [
        row.target.repo_id,
        number(row.session_number),
        row.model,
        elapsed(row.started_at),
        str(row.request_count),
        tokens(row.total_tokens),
        spent(row.cost_usd, row.unpriced_requests),
        features_of(row.passing_features, row.total_features, verified),
        row.last_tool or NOTHING,
    ]
