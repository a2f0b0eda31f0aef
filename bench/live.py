"""The live case: a few new lines, on a target that already has many requests that day.

Each round appends the lines of one request to the files of a running session and records them. One database has a
target with 1,000 requests of the day, another 100,000, in sessions of 500; the running session has 500, too.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from unittest.mock import patch
from uuid import UUID

import psycopg

from acd.core.models import target_id_of
from acd.core.settings import Settings
from acd.database.connection import open_database
from acd.database.wire import Connection
from acd.files.folder import SessionFolder
from acd.ledger.catch_up import Source, open_source
from acd.ledger.price import PriceList
from bench.figures import Figure, Outcome, aimed
from bench.history import BEGIN, MODEL, History, append, begin_session
from bench.scratch import Scratch, scratch_server

FEW, MANY = 1_000, 100_000
ROUNDS = 60
_WARM_UP = 10
_PER_SESSION = 500
_OWN_REQUESTS = 500

_FILL = """
CREATE TEMPORARY TABLE made AS
SELECT n, md5('s' || n / %(per_session)s)::uuid AS session_id, 'old:' || n AS request_key,
       %(begin)s::timestamptz + n * interval '500 milliseconds' AS at
FROM generate_series(0, %(requests)s - 1) AS n;
INSERT INTO harness_sessions (target_id, id, session_number, session_type, origin, agent, agent_session_id, model, status,
                              started_at)
SELECT %(target_id)s, session_id, 10 + (min(n) / %(per_session)s), 'coding', 'harness', 'claude-code', session_id::text,
       'opus', 'completed', min(at) FROM made GROUP BY session_id;
INSERT INTO token_usage_details (target_id, request_key, session_id, model, request_ids, input_tokens, output_tokens,
                                 cache_read_tokens, cache_write_tokens, cost_usd, tools, requested_at)
SELECT %(target_id)s, request_key, session_id, %(model)s, ARRAY['req' || n], n %% 900, n %% 4000, 90000, 4000,
       0.0123 + n * 0.00000001, ARRAY['Bash'], at FROM made;
INSERT INTO request_owners SELECT request_key, %(target_id)s, session_id, at FROM made;
INSERT INTO session_events (target_id, session_id, seq, kind, occurred_at, tool_name, tool_use_id, text)
SELECT %(target_id)s, session_id, n * 2 + k, CASE k WHEN 0 THEN 'tool_used' ELSE 'tool_ended' END, at, 'Bash', 'toolu_' || n,
       repeat('result ', 20) FROM made, generate_series(0, 1) AS k;
INSERT INTO session_usage
SELECT target_id, session_id, model, requested_at::date, sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
       sum(cache_write_tokens), sum(cost_usd), 0, count(*)
FROM token_usage_details WHERE request_key LIKE 'old:%%' GROUP BY target_id, session_id, model, requested_at::date;
"""


@dataclass
class _Target:
    """A target with a session that runs on it."""

    folder: SessionFolder
    history: History
    source: Source

    async def record_request(self) -> float:
        """Seconds from new lines in the files to rows."""
        append(self.folder, *self.history.request())
        begin = time.perf_counter()
        await self.source.catch_up()
        return time.perf_counter() - begin


async def measure() -> Outcome:
    """Milliseconds and statements of a small batch, on a small and on a large target."""
    with scratch_server() as scratch:
        await scratch.create_template()
        async with AsyncExitStack() as stack:
            targets = {
                count: await stack.enter_async_context(_target_with(scratch, count))
                for count in (FEW, MANY)
            }
            found: dict[int, list[float]] = {count: [] for count in targets}
            for _ in range(_WARM_UP + ROUNDS):
                for count, target in targets.items():
                    found[count].append(await target.record_request())
            with _counted() as statements:
                await targets[FEW].record_request()
    return _outcome({count: times[_WARM_UP:] for count, times in found.items()}, len(statements))


def _outcome(found: dict[int, list[float]], statements: int) -> Outcome:
    figures = [
        Figure(
            name=f"one request's lines, {count:,} requests that day",
            value=median(times) * 1e3,
            unit="ms",
            note=f"95th percentile {quantiles(times, n=20)[-1] * 1e3:.1f} ms",
        )
        for count, times in found.items()
    ]
    ratio = median(found[MANY]) / median(found[FEW])
    return Outcome(
        "live: a small batch",
        [
            *figures,
            aimed(f"{MANY:,} ÷ {FEW:,}", ratio, "", below=2),
            Figure(name="statements a batch", value=statements, unit=""),
        ],
        [f"median of {ROUNDS} rounds in turns, after {_WARM_UP} to warm up"],
    )


@asynccontextmanager
async def _target_with(scratch: Scratch, requests: int) -> AsyncIterator[_Target]:
    """A database of its own, whose only target has that many requests on the day of the running session."""
    session_id = UUID(int=requests)
    folder = begin_session(scratch.folder / f"sessions-{requests}", session_id)
    history = History(session_id)
    append(folder, *history.opening())
    append(folder, *history.requests(_OWN_REQUESTS))
    url = scratch.create()
    settings = Settings(home=scratch.folder / "home", database_url=url)
    async with open_database(settings, application="bench") as database:
        source = open_source(folder.path, database, PriceList())
        assert source is not None
        await source.catch_up()
        _fill(url, requests)
        yield _Target(folder, history, source)


def _fill(url: str, requests: int) -> None:
    values = {
        "target_id": target_id_of("shop"),
        "requests": requests,
        "per_session": _PER_SESSION,
        "begin": BEGIN,
        "model": MODEL,
    }
    with psycopg.ClientCursor(psycopg.connect(url, autocommit=True)) as cursor:
        cursor.execute(_FILL, values)
        cursor.execute("VACUUM ANALYZE")


@contextmanager
def _counted() -> Iterator[list[object]]:
    """Every statement that any connection executes in the block."""
    seen: list[object] = []
    execute: Callable[..., Awaitable[object]] = Connection.execute

    async def counting(self: Connection, query: object, *args: object, **more: object) -> object:
        seen.append(query)
        return await execute(self, query, *args, **more)

    with patch.object(Connection, "execute", counting):
        yield seen
