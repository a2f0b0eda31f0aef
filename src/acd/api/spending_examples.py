"""Examples of where money went, and of models compared."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from acd.api.examples import TARGET
from acd.core.comparison import ComparedModel, Comparison, Interval, Measure
from acd.core.spending import CostByHour, CostOverTime, CostPart, HourCost

_FIRST, _LAST = date(2026, 10, 26), date(2026, 11, 24)

OVER_TIME = CostOverTime(
    from_=_FIRST,
    to=_LAST,
    step="day",
    split_by="model",
    rows=[
        CostPart(
            first_day=_LAST,
            key="claude-opus-5-5",
            name=None,
            cost_usd=Decimal("6.2031"),
            requests=372,
            unpriced_requests=0,
        )
    ],
)
BY_HOUR = CostByHour(
    from_=_FIRST,
    to=_LAST,
    rows=[HourCost(weekday=2, hour=3, sessions=4, cost_usd=Decimal("1.204"), unpriced_requests=0)],
)
COMPARISON = Comparison(
    from_=_FIRST,
    to=_LAST,
    same_targets=True,
    targets=[TARGET],
    models=[
        ComparedModel(
            model="opus",
            sessions=42,
            targets=1,
            features_completed=57,
            cost_usd=Decimal("61.3044"),
            unpriced_requests=0,
            success_rate=Measure(0.9048, 42, Interval(0.7793, 0.9623)),
            features_per_session=Measure(1.3571, 42, Interval(1.08, 1.63)),
            cost_per_feature=Measure(1.0755, 42, Interval(0.88, 1.35)),
            duration_ms=Measure(734000.0, 42, Interval(611000.0, 902000.0)),
        )
    ],
)
