"""`GET /metrics`: the figures in the text format of Prometheus.

Names follow its rules (base units, `_total` on what only grows) and no label has a value per session or target, so
that the number of series depends on statuses, types and models alone. A counter falls when a target is deleted,
which Prometheus takes for a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response

from acd import __version__
from acd.core.models import ErrorType, SessionStatus, TargetStatus
from acd.ledger.pending import Backlog
from acd.reports import metrics
from acd.reports.metrics import Figures, ModelTotal
from acd.web.parts import GivenParts

router = APIRouter()
_EXAMPLE = "# HELP acd_running_sessions Sessions that run now.\n# TYPE acd_running_sessions gauge\nacd_running_sessions 1.0\n"


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    tags=["state"],
    response_class=PlainTextResponse,
    responses={
        200: {
            "description": "The text format of Prometheus.",
            "content": {
                "text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE},
            },
        }
    },
)
async def show_metrics(parts: GivenParts) -> Response:
    """Everything countable, for Prometheus; what waits in files is there only when this server records."""
    figures = await metrics.now(parts.db)
    backlog = await parts.pending() if parts.pending else None
    registry = CollectorRegistry()
    registry.register(_Told(figures, backlog))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Told(Collector):
    """The families of one answer."""

    def __init__(self, figures: Figures, backlog: Backlog | None) -> None:
        self._figures = figures
        self._backlog = backlog

    def collect(self) -> Iterable[Metric]:
        """All families, in the order in which a person reads them."""
        yield InfoMetricFamily("acd", "This program.", {"version": __version__})
        yield from _work(self._figures)
        yield from _spending(self._figures)
        if self._backlog is not None:
            yield from _ledger(self._backlog)


def _work(figures: Figures) -> Iterator[Metric]:
    yield _by_label(
        GaugeMetricFamily("acd_sessions", "Sessions by status.", labels=["status"]),
        figures.sessions,
        get_args(SessionStatus),
    )
    running = figures.sessions.get("running", 0)
    yield GaugeMetricFamily("acd_running_sessions", "Sessions that run now.", running)
    yield GaugeMetricFamily(
        "acd_queue_depth", "Enabled targets that wait for a session.", figures.queue_depth
    )
    yield _by_label(
        GaugeMetricFamily("acd_targets", "Targets by status.", labels=["status"]),
        figures.targets,
        get_args(TargetStatus),
    )
    yield GaugeMetricFamily("acd_features", "Features of all targets.", figures.total_features)
    yield GaugeMetricFamily(
        "acd_passing_features", "Features that pass, verified or not.", figures.passing_features
    )
    yield GaugeMetricFamily(
        "acd_verified_features",
        "Features that pass and that acd has seen pass.",
        figures.verified_features,
    )
    yield _by_label(
        CounterMetricFamily("acd_errors", "Errors by type, retried ones too.", labels=["type"]),
        figures.errors,
        get_args(ErrorType),
    )
    yield GaugeMetricFamily(
        "acd_unresolved_errors", "Errors that wait for a person.", figures.unresolved_errors
    )


def _spending(figures: Figures) -> Iterator[Metric]:
    spent = CounterMetricFamily(
        "acd_tokens", "Tokens by model and type, each counted once.", labels=["model", "type"]
    )
    cost = CounterMetricFamily("acd_cost_usd", "Cost by list price, in USD.", labels=["model"])
    requests = CounterMetricFamily("acd_requests", "Requests to models.", labels=["model"])
    for one in figures.models:
        for kind, count in _kinds(one):
            spent.add_metric([one.model, kind], count)
        cost.add_metric([one.model], float(one.cost_usd))
        requests.add_metric([one.model], one.requests)
    yield from (spent, cost, requests)
    yield CounterMetricFamily(
        "acd_unpriced_requests",
        "Requests without a known price, in no cost.",
        figures.unpriced_requests,
    )
    if figures.priced_cost_usd:
        yield GaugeMetricFamily(
            "acd_reported_to_priced_cost_ratio",
            "What agents report over our price, in sessions of the last 7 days where both are known.",
            float(figures.reported_cost_usd / figures.priced_cost_usd),
        )


def _ledger(backlog: Backlog) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "acd_ledger_pending_bytes", "Bytes in files here, not yet recorded.", backlog.bytes
    )
    yield GaugeMetricFamily(
        "acd_ledger_pending_sessions",
        "Sessions here with something not yet recorded.",
        backlog.folders,
    )
    yield GaugeMetricFamily(
        "acd_ledger_lag_seconds",
        "Since when a file here holds more than is recorded, at most; 0 when all is.",
        backlog.lag_s,
    )


def _by_label(
    family: GaugeMetricFamily | CounterMetricFamily,
    counts: Mapping[str, int],
    known: Iterable[str],
) -> Metric:
    """Fill the family; every known value is there from the first scrape, so that an increase can be seen."""
    for value in sorted({*known, *counts}):
        family.add_metric([value], counts.get(value, 0))
    return family


def _kinds(one: ModelTotal) -> tuple[tuple[str, int], ...]:
    return (
        ("input", one.input_tokens),
        ("output", one.output_tokens),
        ("cache_read", one.cache_read_tokens),
        ("cache_write", one.cache_write_tokens),
    )
