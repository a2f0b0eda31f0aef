"""What an agent prints in these tests, by seed, with a ledger of its own that acd never reads: the oracle.

Each line carries a mark, text that stands in no other line; each request has a key. What the tables hold must be
exactly what was told: nothing lost, nothing doubled, nothing invented.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from acd.database.connection import Database
from acd.reports.totals import disagreements, four_ways
from tests.integration.ledger.stage import AT, select

MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-4-5")


class Tokens(NamedTuple):
    """The four kinds, in the order of the columns."""

    input: int
    output: int
    cache_read: int
    cache_write: int


@dataclass
class Ledger:
    """What was told: the greatest snapshot of each request, every mark."""

    requests: dict[str, Tokens] = field(default_factory=dict)
    marks: Counter[str] = field(default_factory=Counter)

    def add(self, other: Ledger) -> None:
        self.requests |= other.requests
        self.marks += other.marks


class Teller:
    """Lines of one session. The same session and seed tell the same lines."""

    def __init__(self, session: int, seed: int) -> None:
        self.ledger = Ledger()
        self._session = session
        self._chance = random.Random(seed * 1000 + session)
        self._number = 0
        self._message: dict[str, Any] = {}
        self._snapshots_left = 0
        self._called: str | None = None

    def piece(self, lines: int) -> bytes:
        """Some lines. The first one tells its time: lines that tell none are as old as the one before."""
        told = [self.line()]
        for _ in range(lines - 1):
            told.append(self._retry() if self._chance.random() < 0.1 else self.line())
        return b"".join(told)

    def line(self) -> bytes:
        """One line that tells its time."""
        mark = self._mark()
        if self._called is not None and self._chance.random() < 0.7:
            return self._result(mark)
        if self._snapshots_left == 0:
            self._begin_request()
        return self._snapshot(mark)

    def _mark(self) -> str:
        self._number += 1
        mark = f"mark {self._session}.{self._number}"
        self.ledger.marks[mark] += 1
        return mark

    def _begin_request(self) -> None:
        chance = self._chance
        self._message = {
            "id": f"msg_{self._session}_{self._number}",
            "role": "assistant",
            "model": chance.choice(MODELS),
            "usage": {
                "input_tokens": chance.randint(0, 2000),
                "output_tokens": 1,
                "cache_read_input_tokens": chance.randint(0, 90_000),
                "cache_creation_input_tokens": chance.randint(0, 5000),
            },
        }
        self._snapshots_left = chance.randint(1, 3)

    def _snapshot(self, mark: str) -> bytes:
        """A further block of the request's reply, with the usage as it is by now."""
        self._snapshots_left -= 1
        usage = self._message["usage"]
        usage["output_tokens"] += self._chance.randint(0, 400)
        self.ledger.requests[f"claude-code:{self._message['id']}"] = Tokens(*usage.values())
        if self._chance.random() < 0.4:
            self._called = f"toolu_{self._session}_{self._number}"
            call = {"command": mark}
            block = {"type": "tool_use", "id": self._called, "name": "Bash", "input": call}
        else:
            block = {"type": "text", "text": mark}
        message = {**self._message, "content": [block]}
        return self._encoded(
            {
                "type": "assistant",
                "message": message,
                "request_id": f"req_{self._message['id']}",
                "timestamp": self._time(),
            }
        )

    def _result(self, mark: str) -> bytes:
        block = {"type": "tool_result", "tool_use_id": self._called, "content": mark}
        self._called = None
        message = {"role": "user", "content": [block]}
        return self._encoded({"type": "user", "message": message, "timestamp": self._time()})

    def _retry(self) -> bytes:
        shape = {"type": "system", "subtype": "api_retry", "error_status": 529, "attempt": 1}
        return self._encoded({**shape, "retry_delay_ms": 550.5, "error": self._mark()})

    def _time(self) -> str:
        """Later with each line, at steps that no binary fraction of a second hits."""
        return (AT + timedelta(microseconds=1_001_501 * self._number)).isoformat()

    def _encoded(self, line: dict[str, Any]) -> bytes:
        return json.dumps(line).encode() + b"\n"


@dataclass(frozen=True)
class Findings:
    """How the tables differ from what was told; `unbalanced` is about the tables among themselves."""

    lost: list[str]
    doubled: list[str]
    invented: list[str]
    unbalanced: list[str]


NOTHING_WRONG = Findings([], [], [], [])


async def compare(database: Database, *ledgers: Ledger) -> Findings:
    """Set the tables against what was told."""
    told = Ledger()
    for ledger in ledgers:
        told.add(ledger)
    wrong = Findings([], [], [], disagreements(await four_ways(database)))
    _compare_requests(wrong, told.requests, await _requests(database))
    _compare_marks(wrong, told.marks, await _marks(database))
    return wrong


def _compare_requests(
    wrong: Findings, told: dict[str, Tokens], found: list[tuple[str, Tokens]]
) -> None:
    counts = Counter(key for key, _ in found)
    wrong.lost.extend(key for key in told if key not in counts)
    wrong.doubled.extend(key for key, count in counts.items() if count > 1)
    wrong.invented.extend(f"{key} {tokens}" for key, tokens in found if told.get(key) != tokens)


def _compare_marks(wrong: Findings, told: Counter[str], found: Counter[str]) -> None:
    wrong.lost.extend(told - found)
    wrong.doubled.extend(mark for mark in found - told if mark in told)
    wrong.invented.extend(mark for mark in found if mark not in told)


async def _requests(database: Database) -> list[tuple[str, Tokens]]:
    rows = await select(
        database,
        "SELECT request_key, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens "
        "FROM token_usage_details",
    )
    return [(row.pop("request_key"), Tokens(*row.values())) for row in rows]


async def _marks(database: Database) -> Counter[str]:
    rows = await select(
        database,
        "SELECT text FROM session_events WHERE kind IN ('text', 'tool_used', 'tool_ended', 'retry')",
    )
    return Counter(row["text"] for row in rows)
