"""A filter from CSV, as `export.sql` gives it, to Parquet: `python -m acd.reports.parquet SCALE < rows.csv > rows.parquet`.

A process of its own, so that the server neither loads pyarrow (an extra) nor grows with what is exported.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet

_INTEGERS = frozenset(
    (
        *("sessionNumber", "durationMs", "apiDurationMs", "inputTokens", "outputTokens"),
        *("cacheReadTokens", "cacheWriteTokens", "cacheWrite5mTokens", "cacheWrite1hTokens"),
        *("totalTokens", "reasoningTokens", "webSearches", "unpricedRequests", "requestCount"),
        *("turnCount", "retryCount", "modelFallbacks", "featuresBefore", "featuresAfter"),
        *("featuresCompleted", "commitsMade", "exitCode", "attempt"),
        *("filesChanged", "additions", "deletions"),
    )
)
_MONEY = frozenset(("costUsd", "reportedCostUsd", "costGapUsd"))
_TIMES = frozenset(
    ("startedAt", "finishedAt", "requestedAt", "occurredAt", "resolvedAt", "committedAt")
)
_FLAGS = frozenset(("isRequest", "retryable", "resolved"))
_PRECISION = 38
# One block is one row group; it must be larger than any row.
_BLOCK = 16 * 1024 * 1024


class _Pipe(io.RawIOBase):
    """Standard output for a writer that wants to know how far it is, which a pipe cannot tell."""

    def __init__(self) -> None:
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        self._written += sys.stdout.buffer.write(data)
        return len(data)

    def tell(self) -> int:
        return self._written


def type_of(column: str, scale: int) -> Any:  # noqa: ANN401 - pyarrow has no types of its own
    """The Parquet type of a column; money has `scale` digits after the point and is exact. Else it is text."""
    if column in _INTEGERS:
        return pa.int64()
    if column in _MONEY:
        return pa.decimal128(_PRECISION, scale)
    if column in _TIMES:
        return pa.timestamp("us", tz="UTC")
    if column in _FLAGS:
        return pa.bool_()
    return {"cacheHitRate": pa.float64(), "priceDate": pa.date32()}.get(column, pa.string())


def convert(scale: int) -> None:
    """Read standard input to its end, a row group at a time, and write standard output."""
    with os.fdopen(sys.stdin.fileno(), "rb", closefd=False) as rows:
        columns = rows.readline().decode().rstrip("\n").split(",")
        schema = pa.schema([(column, type_of(column, scale)) for column in columns])
        with parquet.ParquetWriter(_Pipe(), schema, compression="zstd") as writer:
            if rows.peek(1):  # pyarrow refuses to read nothing
                for batch in _batches(rows, schema):
                    writer.write_batch(batch)
    sys.stdout.buffer.flush()


def _batches(rows: io.BufferedReader, schema: Any) -> Any:  # noqa: ANN401 - pyarrow has no types of its own
    return csv.open_csv(
        rows,
        read_options=csv.ReadOptions(
            column_names=schema.names, block_size=_BLOCK, use_threads=False
        ),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=schema,
            # PostgreSQL writes NULL as nothing at all and the empty text as "".
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["true"],
            false_values=["false"],
        ),
    )


if __name__ == "__main__":
    convert(int(sys.argv[1]))
    # A thread of pyarrow's reader may still be ending, and an interpreter that is taken down under it aborts (seen in 2
    # of 500 processes). All is written and flushed: go at once.
    os._exit(0)
