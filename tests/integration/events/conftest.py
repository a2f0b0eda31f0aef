"""A server in the test's own loop, sessions that are written line by line, and a client of the live stream."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from acd.core.facts import CommitSeen, FeatureChanged, HarnessFailed, LimitHit
from acd.core.models import Commit
from acd.core.settings import Settings
from acd.database.connection import Database
from acd.ledger.catch_up import open_source
from acd.ledger.price import PriceList
from tests.integration.ledger.stage import AT, end, select, session_of
from tests.integration.serving import serving, settled

PRICES = PriceList()


@pytest.fixture
async def address(database: Database, settings: Settings) -> AsyncIterator[str]:
    async with serving(database, settings) as url:
        yield url


@dataclass
class Event:
    id: str
    name: str
    data: dict[str, Any]


@dataclass
class Parser:
    """What a browser makes of the bytes: an event counts once its blank line is there."""

    rest: bytes = b""
    last_id: str | None = None
    comments: list[str] = field(default_factory=list)

    def feed(self, part: bytes) -> Iterator[Event]:
        *blocks, self.rest = (self.rest + part).split(b"\n\n")
        for block in blocks:
            fields: dict[str, str] = {}
            for line in block.decode().split("\n"):
                name, _, value = line.partition(": ")
                if not name:
                    self.comments.append(value)
                fields[name] = value
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                yield Event(fields["id"], fields["event"], json.loads(fields["data"]))


@dataclass
class Reader:
    """A client that remembers what it saw and goes on behind it."""

    address: str
    params: dict[str, str] = field(default_factory=dict)
    last_id: str | None = None
    seen: list[Event] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def connected(self, **params: str) -> AsyncIterator[httpx.Response]:
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        async with (
            httpx.AsyncClient(base_url=self.address, timeout=60) as client,
            client.stream(
                "GET", "/api/events", params={**self.params, **params}, headers=headers
            ) as answer,
        ):
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            yield answer

    async def follow(self, answer: httpx.Response) -> AsyncIterator[Event]:
        parser = Parser(last_id=self.last_id, comments=self.comments)
        async for part in answer.aiter_raw():
            for event in parser.feed(part):
                self.last_id = event.id
                if event.name != "bye":
                    self.seen.append(event)
                yield event
            self.last_id = parser.last_id

    async def read_bytes(self, most: int) -> None:
        """Read so many bytes, then break off, in the middle of an event as likely as not."""
        parser = Parser(last_id=self.last_id)
        async with self.connected() as answer:
            async for part in answer.aiter_raw():
                for event in parser.feed(part[:most]):
                    self.seen.append(event)
                self.last_id = parser.last_id
                most -= len(part)
                if most <= 0:
                    return

    async def read_up_to_now(self) -> Event:
        """Read everything that is there; the last event."""
        async with self.connected(until=datetime.now(UTC).isoformat()) as answer:
            events = [event async for event in self.follow(answer)]
        assert events[-1].name == "bye"
        return events[-1]

    @property
    def by_session(self) -> dict[str, list[Event]]:
        found = defaultdict(list)
        for event in self.seen:
            found[event.data["sessionId"]].append(event)
        return found


_NUMBERS = itertools.count(1)


async def play_session(
    settings: Settings,
    database: Database,
    *,
    repo_id: str = "shop",
    lines: int = 4,
    settle: bool = True,
) -> str:
    """A session recorded as it goes: each line in a transaction of its own, told by the end. Its id."""
    number = next(_NUMBERS)
    folder = session_of(settings, number, repo_id=repo_id)
    source = open_source(folder.path, database, PRICES)
    assert source is not None
    await source.catch_up()
    with folder.stream.open("ab", buffering=0) as lines_of_agent:
        for line in range(lines):
            lines_of_agent.write(_tool_line(number, line))
            if line == 1:
                offset = folder.stream.stat().st_size
                folder.journal.append(
                    CommitSeen(at=AT, stream_offset=offset, commit=_commit(number))
                )
            await source.catch_up()
    offset = folder.stream.stat().st_size
    for fact in (
        FeatureChanged(at=AT, stream_offset=offset, key="F1", change="claimed", status="claimed"),
        LimitHit(at=AT, stream_offset=offset, window="five_hour"),
        HarnessFailed(
            at=AT, stream_offset=offset, error_type="network", message="line one\nline two"
        ),
    ):
        folder.journal.append(fact)
    end(folder, "failed", stream_offset=offset)
    await source.catch_up()
    if settle:
        await settled(database)
    return folder.path.name


def _commit(number: int) -> Commit:
    return Commit(
        sha=f"{number:040x}",
        message="Add a cart\n\nWhy.",
        author="A",
        files_changed=1,
        additions=1,
        deletions=0,
        branch="main",
        committed_at=AT,
    )


def _tool_line(session: int, number: int) -> bytes:
    tool = {
        "type": "tool_use",
        "id": f"t{session}-{number}",
        "name": "Bash",
        "input": {"command": "ls"},
    }
    usage = {"input_tokens": 10 + number, "output_tokens": 3}
    # Two lines of one message: one request.
    message = {
        "id": f"msg_{session}_{number // 2}",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [tool],
        "usage": usage,
    }
    line = {"type": "assistant", "message": message, "timestamp": "2026-11-22T20:00:00Z"}
    return json.dumps(line).encode() + b"\n"


async def recorded(database: Database) -> tuple[dict[str, list[tuple[str, str]]], dict[str, str]]:
    """What the tables hold: kind and text of each session's timeline in order; each request's session."""
    timeline = defaultdict(list)
    for row in await select(database, "SELECT * FROM session_events ORDER BY session_id, seq"):
        timeline[str(row["session_id"])].append((row["kind"], row["text"]))
    owners = await select(database, "SELECT request_key, session_id FROM request_owners")
    return timeline, {row["request_key"]: str(row["session_id"]) for row in owners}


def assert_told_once(
    reader: Reader, timeline: dict[str, list[tuple[str, str]]], owners: dict[str, str]
) -> None:
    """Everything that is recorded was told, once, in the order of each session."""
    ids = [event.id for event in reader.seen]
    assert len(ids) == len(set(ids))
    told = reader.by_session
    assert {
        session: [
            (event.data["kind"], event.data.get("text", ""))
            for event in events
            if event.name != "request"
        ]
        for session, events in told.items()
    } == timeline
    requests = [event for event in reader.seen if event.name == "request"]
    assert len(requests) == len(owners)
    assert {e.data["request"]["requestKey"]: e.data["sessionId"] for e in requests} == owners
    for events in told.values():
        assert (events[0].name, events[-1].name) == ("started", "ended")
