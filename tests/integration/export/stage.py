"""Many ledger rows with the sums above them, and ways to read the three forms back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import psycopg

TARGET = "b0000000-0000-0000-0000-000000000001"
# Amounts of eight digits after the point that no binary fraction holds.
_FILL = """
INSERT INTO targets (id, repo_id, name, path) VALUES (%(target)s, 'big', 'Big', '/repos/big');
INSERT INTO harness_sessions (target_id, id, session_number, session_type, origin, agent, agent_session_id, model,
                              status, started_at)
SELECT %(target)s, ('60000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, n, 'coding', 'harness', 'scripted',
       n::text, 'opus', 'completed', timestamptz '2026-01-01 00:00+00' + n * interval '1 hour'
FROM generate_series(1, %(sessions)s) AS n;
INSERT INTO token_usage_details (target_id, request_key, session_id, model, request_ids, input_tokens, output_tokens,
                                 cache_read_tokens, cache_write_tokens, cost_usd, price_source, price_date, tools,
                                 requested_at)
SELECT %(target)s, 'scripted:' || n, ('60000000-0000-0000-0000-' || lpad((n %% %(sessions)s + 1)::text, 12, '0'))::uuid,
       'claude-opus-4-8', ARRAY['req_' || n], n %% 1000, n %% 100, n %% 10000, n %% 50, 0.00000001 * (n %% 100003),
       'genai-prices', '2026-01-01', '{Bash,Edit}', now() - n * interval '0.1 seconds'
FROM generate_series(1, %(rows)s) AS n;
INSERT INTO session_usage
SELECT target_id, session_id, model, requested_at::date, sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
       sum(cache_write_tokens), sum(cost_usd), 0, count(*)
FROM token_usage_details WHERE target_id = %(target)s GROUP BY target_id, session_id, model, requested_at::date;
INSERT INTO model_usage
SELECT target_id, model, usage_date, sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
       sum(cache_write_tokens), sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens),
       sum(cost_usd), sum(request_count), count(*)
FROM session_usage WHERE target_id = %(target)s GROUP BY target_id, model, usage_date;
"""


def fill(url: str, rows: int, *, sessions: int = 100) -> None:
    """Put `rows` ledger rows of one target into an empty database."""
    with psycopg.connect(url) as connection:
        cursor = psycopg.ClientCursor(connection)
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute(_FILL, {"target": TARGET, "sessions": sessions, "rows": rows})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def csv_rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def json_rows(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in body.decode().splitlines()]


def total(rows: Sequence[dict[str, Any]], column: str) -> Decimal:
    """The exact sum; what is null or empty counts as nothing."""
    return sum((Decimal(row[column] or 0) for row in rows), Decimal(0))
