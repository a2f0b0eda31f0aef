"""Events of a session's history → what is written of it. Pure; the same lines give the same rows however they are cut."""

from __future__ import annotations

from datetime import datetime

import msgspec

from acd.core import events
from acd.history.seen import Seen
from acd.ledger.snapshots import Snapshots

_MOST_EVENTS = 1000


class LeftOut(msgspec.Struct, gc=False):
    """A line (or an entry, which tells its session) that could not be read."""

    offset: int
    length: int
    reason: str
    agent_session_id: str = ""


class Told(msgspec.Struct, gc=False):
    """An event that becomes a row by itself, and where it stands."""

    event: events.Event
    at: datetime
    offset: int


class SessionNews(msgspec.Struct):
    """What was read of one session in one file. `requests` by request key; `name` is the file as seen from the session.

    `entries`: how many entries a store holds of it.
    """

    agent: str
    provider: str
    agent_session_id: str
    name: str
    seen: Seen
    requests: dict[str, Snapshots] = {}
    reports: list[Told] = []
    errors: list[Told] = []
    entries: int = 0


class Folding:
    """Folds the events of one session in one file."""

    def __init__(self, news: SessionNews, branch: str | None = None) -> None:
        self.news = news
        self.branch = branch

    def add(self, found: list[events.Event], offset: int, clock: datetime) -> None:
        """Fold the events of the line at `offset`. What tells no time is as old as the last line that did, else as `clock`."""
        seen = self.news.seen
        for event in found if len(found) <= _MOST_EVENTS else found[:_MOST_EVENTS]:
            at = event.at
            if at is not None:
                seen.tick(at)
            if type(event) is events.RequestSeen:
                self._add_request(event, at or seen.last_at or clock)
            elif type(event) is events.AgentStarted:
                seen.moved(event)
                self.branch = event.branch or self.branch
            elif isinstance(event, events.Reported):
                self._keep(self.news.reports, event, offset, clock)
            elif isinstance(event, events.AgentFailed | events.Retried | events.PermissionDenied):
                self._keep(self.news.errors, event, offset, clock)
                if type(event) is events.AgentFailed:
                    seen.failed(event, self.news.errors[-1].at)

    def recall(self, found: list[events.Event]) -> None:
        """Of events that are folded already: on which branch the next ones are."""
        for event in found:
            if type(event) is events.AgentStarted:
                self.branch = event.branch or self.branch

    def _add_request(self, event: events.RequestSeen, at: datetime) -> None:
        news = self.news
        news.seen.asked(event.request_key, at, self.branch)
        known = news.requests.get(event.request_key)
        if known is None:
            news.requests[event.request_key] = Snapshots.of(event, at)
        else:
            known.add(event, at)

    def _keep(self, told: list[Told], event: events.Event, offset: int, clock: datetime) -> None:
        told.append(Told(event, event.at or self.news.seen.last_at or clock, offset))
