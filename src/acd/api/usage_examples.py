"""Examples of the reports of usage."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from acd.api.examples import AT, LATER, TARGET
from acd.core.cost_rows import (
    CostForecast,
    Costs,
    CostsReport,
    ErrorCost,
    ModelCost,
    SessionLines,
    SurvivingLines,
)
from acd.core.price_rows import PriceOverride
from acd.core.usage_rows import Block, BlockReport, UsageReport, UsageSum

_DAY = UsageSum(
    key="2026-11-24",
    name=None,
    requests=372,
    unpriced_requests=0,
    input_tokens=9744,
    output_tokens=61440,
    cache_read_tokens=5760000,
    cache_write_tokens=252000,
    total_tokens=6083184,
    cost_usd=Decimal("6.2031"),
    models=["claude-haiku-5-5", "claude-opus-5-5"],
)
USAGE = UsageReport(
    since=AT,
    until=LATER,
    timezone="Europe/Berlin",
    group_by="day",
    total=msgspec.structs.replace(_DAY, key=None),
    rows=[_DAY],
    omitted=0,
    list_price_cost_usd=Decimal(0),
)
_BLOCK = Block(
    **{**msgspec.structs.asdict(_DAY), "key": "2026-11-24T08:00:00Z"},
    until=AT + timedelta(hours=5),
    first_at=AT,
    last_at=LATER,
    active=True,
    projected_tokens=9_120_000,
    projected_cost_usd=Decimal("9.304650"),
)
BLOCKS = BlockReport(
    since=AT,
    until=None,
    total=msgspec.structs.replace(
        _BLOCK, key=None, until=None, active=False, projected_tokens=None, projected_cost_usd=None
    ),
    rows=[_BLOCK],
)
OVERRIDE = PriceOverride(
    model="my-model",
    provider="",
    valid_from=date(2026, 11, 1),
    input=Decimal("0.5"),
    output=Decimal(2),
    cache_read=Decimal("0.05"),
    cache_write_5m=Decimal("0.5"),
    cache_write_1h=Decimal("0.5"),
    web_search=Decimal(0),
    set_at=AT,
)
_COSTS = Costs(
    target=TARGET,
    sessions=12,
    cost_usd=Decimal("6.2031"),
    unpriced_requests=0,
    features=9,
    verified_features=8,
    cost_per_feature=Decimal("0.68923333"),
    cost_per_verified_feature=Decimal("0.7753875"),
    commits=21,
    cost_per_commit=Decimal("0.29538571"),
    failed_sessions=1,
    failed_cost_usd=Decimal("0.31"),
    rejected_claims=2,
    rejected_cost_usd=Decimal("0.24"),
    wasted_cost_usd=Decimal("0.55"),
    errors=[ErrorCost(error_type="overloaded", sessions=1, cost_usd=Decimal("0.31"))],
    models=[
        ModelCost(
            model="opus",
            sessions=12,
            failed_sessions=1,
            features=9,
            verified_features=8,
            cost_usd=Decimal("6.2031"),
            cost_per_feature=Decimal("0.68923333"),
        )
    ],
    forecast=CostForecast(
        remaining_features=11,
        cost_usd=Decimal("7.581567"),
        low_usd=Decimal("5.2"),
        high_usd=Decimal("11.9"),
        sessions=11,
    ),
)
COSTS = CostsReport(
    since=AT,
    until=LATER,
    timezone="Europe/Berlin",
    total=msgspec.structs.replace(_COSTS, target=None),
    targets=[_COSTS],
)
LINES = SurvivingLines(
    repo_id=TARGET.repo_id,
    head="4b0e7d1c9a52f38e6b1d0c7f5a94e2d86c3b10fa",
    reason=None,
    files_left_out=0,
    head_lines=2480,
    lines=1240,
    lines_of_other_sessions=310,
    cost_usd=Decimal("6.2"),
    unpriced_requests=0,
    cost_per_line=Decimal("0.005"),
    sessions=[
        SessionLines(
            session_id=UUID("4f1c2a3b-5d6e-4f70-8192-a3b4c5d6e7f8"),
            session_number=12,
            model="opus",
            cost_usd=Decimal("6.2"),
            unpriced_requests=0,
            lines=1240,
            cost_per_line=Decimal("0.005"),
        )
    ],
)
