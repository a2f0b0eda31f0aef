"""What a scripted agent really did, in its own words: the oracle that tests hold acd's figures against.

A ledger is a JSONL file that acd never reads. A request is entered before its lines are printed and confirmed (`printed`)
afterwards: only an agent killed between the two leaves a request of which acd may know less than the whole.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from acd.testing.prices import Tokens


class _Entry(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="entry", kw_only=True):
    session_id: str


class Begun(_Entry, frozen=True, tag="begun"):
    """A session began. `index`: how often this target had been worked by this type of session before."""

    target: str
    session_type: str
    index: int
    model: str
    cwd: str


class RequestMade(_Entry, frozen=True, tag="request"):
    """A model was called. `subagent` is the type of the subagent that asked, None for the main chain."""

    message_id: str
    request_id: str
    model: str
    tokens: Tokens
    cost_usd: Decimal
    subagent: str | None = None
    tools: list[str] = []


class Printed(_Entry, frozen=True, tag="printed"):
    """All lines of the request stand in the stream and in the transcript."""

    message_id: str


class Committed(_Entry, frozen=True, tag="committed"):
    """A git commit was made."""

    sha: str
    message: str


class FeatureTouched(_Entry, frozen=True, tag="feature"):
    """The feature list was changed. `change`: added, claimed, false_claim, regressed, removed, reworded, truncated."""

    key: str
    change: str


class LeftBehind(_Entry, frozen=True, tag="left_behind"):
    """A process was started that outlives the agent."""

    pid: int


class Expected(_Entry, frozen=True, tag="expected"):
    """How the session is going to end, entered before it does. `error_type` is acd's word for it."""

    outcome: Literal["completed", "failed", "hanging"]
    error_type: str | None = None
    exit_code: int | None = None


Entry = Begun | RequestMade | Printed | Committed | FeatureTouched | LeftBehind | Expected


class LedgerWriter:
    """Appends entries, each with one `write`, so that a kill leaves whole lines and several sessions may share a file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def add(self, entry: Entry) -> None:
        """Append `entry`; it is in the kernel's hands when this returns."""
        os.write(self._fd, msgspec.json.encode(entry) + b"\n")


class Sum(msgspec.Struct):
    """Requests added up."""

    requests: int = 0
    tokens: Tokens = Tokens()
    cost_usd: Decimal = Decimal(0)

    def add(self, request: RequestMade) -> None:
        """Count `request` in."""
        self.requests += 1
        self.tokens += request.tokens
        self.cost_usd += request.cost_usd


class SessionTotals(msgspec.Struct):
    """One session's part."""

    begun: Begun | None = None
    sum: Sum = msgspec.field(default_factory=Sum)
    models: dict[str, Sum] = msgspec.field(default_factory=dict)
    subagents: dict[str, Sum] = msgspec.field(default_factory=dict)
    message_ids: list[str] = msgspec.field(default_factory=list)
    unprinted: set[str] = msgspec.field(default_factory=set)
    commits: list[str] = msgspec.field(default_factory=list)
    features: list[tuple[str, str]] = msgspec.field(default_factory=list)
    left_behind: list[int] = msgspec.field(default_factory=list)
    expected: Expected | None = None


class LedgerTotals(msgspec.Struct):
    """All ledgers added up; `models` over all sessions, subagents included."""

    sum: Sum = msgspec.field(default_factory=Sum)
    models: dict[str, Sum] = msgspec.field(default_factory=dict)
    sessions: dict[str, SessionTotals] = msgspec.field(default_factory=dict)

    @property
    def commits(self) -> list[str]:
        """Every commit of every session."""
        return [sha for session in self.sessions.values() for sha in session.commits]

    def add(self, entry: Entry) -> None:
        """Count `entry` in."""
        session = self.sessions.setdefault(entry.session_id, SessionTotals())
        match entry:
            case RequestMade():
                self._add_request(session, entry)
            case Printed():
                session.unprinted.discard(entry.message_id)
            case Committed():
                session.commits.append(entry.sha)
            case FeatureTouched():
                session.features.append((entry.key, entry.change))
            case LeftBehind():
                session.left_behind.append(entry.pid)
            case Begun():
                session.begun = entry
            case Expected():
                session.expected = entry

    def _add_request(self, session: SessionTotals, request: RequestMade) -> None:
        session.message_ids.append(request.message_id)
        session.unprinted.add(request.message_id)
        sums = [
            self.sum,
            self.models.setdefault(request.model, Sum()),
            session.sum,
            session.models.setdefault(request.model, Sum()),
        ]
        if request.subagent is not None:
            sums.append(session.subagents.setdefault(request.subagent, Sum()))
        for each in sums:
            each.add(request)


def read_ledgers(folder: Path) -> LedgerTotals:
    """Add up every `*.jsonl` in `folder`; an unfinished last line (a writer at work) is left out.

    Raises:
        msgspec.DecodeError: a whole line is no entry.
    """
    decoder = msgspec.json.Decoder(Entry)
    totals = LedgerTotals()
    for path in sorted(folder.glob("*.jsonl")):
        *lines, _unfinished = path.read_bytes().split(b"\n")
        for line in lines:
            totals.add(decoder.decode(line))
    return totals
