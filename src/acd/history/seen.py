"""What a file tells of its session as a whole. Kept with the file, so that a session's row follows from its files in any order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from acd.core.events import AgentFailed, AgentStarted

_MOST_WORDS = 500
_RECENT = 4


class Failure(msgspec.Struct, omit_defaults=True):
    """An error that may have been an agent's last word."""

    at: datetime
    error_type: str
    message: str = ""


class Seen(msgspec.Struct, omit_defaults=True):
    """Of one file (or of one session in a store).

    `cwd` is the first working folder that it told, `version` the last one; `branches` counts requests by the branch on
    which they were made (`recent` are those told last: one stands on several lines); `asked_at` is when the last of them
    was made, `failure` the last error; `mark` is how far a store was read. All of it is the file's, whoever owns its
    requests and errors: copies in other sessions' files change nothing.
    """

    first_at: datetime | None = None
    last_at: datetime | None = None
    cwd: str | None = None
    version: str | None = None
    branches: dict[str, int] = {}
    recent: list[str] = []
    asked_at: datetime | None = None
    failure: Failure | None = None
    mark: str = ""

    def tick(self, at: datetime) -> None:
        """A line told this time."""
        if self.first_at is None or at < self.first_at:
            self.first_at = at
        if self.last_at is None or at > self.last_at:
            self.last_at = at

    def moved(self, event: AgentStarted) -> None:
        """The agent told where it is."""
        self.cwd = self.cwd or event.cwd
        self.version = event.agent_version or self.version

    def asked(self, request_key: str, at: datetime, branch: str | None) -> None:
        """A line told of a request, which was made on a branch."""
        if self.asked_at is None or at > self.asked_at:
            self.asked_at = at
        if branch and request_key not in self.recent:
            self.recent = [*self.recent[1 - _RECENT :], request_key]
            self.branches[branch] = self.branches.get(branch, 0) + 1

    def failed(self, event: AgentFailed, at: datetime) -> None:
        """The agent told of an error; one of permissions is no end."""
        if event.error_type == "permission":
            return
        if self.failure is None or at >= self.failure.at:
            self.failure = Failure(at, event.error_type, event.message[:_MOST_WORDS])


class SessionSeen(msgspec.Struct):
    """Of a whole session."""

    first_at: datetime | None
    last_at: datetime | None
    branch: str | None
    version: str | None
    failure: Failure | None


def of_session(files: Iterable[Seen]) -> SessionSeen:
    """What a session's files tell together, whatever their order.

    The branch is the one on which most requests were made (ties: the first by name), the version that of the file
    that was written last. It ended in a failure where that was the agent's last word, after all of its requests.
    """
    known = list(files)
    firsts = [seen.first_at for seen in known if seen.first_at is not None]
    lasts = [seen.last_at for seen in known if seen.last_at is not None]
    branches: dict[str, int] = {}
    for seen in known:
        for name, count in seen.branches.items():
            branches[name] = branches.get(name, 0) + count
    versions = [
        (seen.last_at, seen.version)
        for seen in known
        if seen.version is not None and seen.last_at is not None
    ]
    asked = max((seen.asked_at for seen in known if seen.asked_at is not None), default=None)
    failure = _last_failure(known)
    return SessionSeen(
        first_at=min(firsts, default=None),
        last_at=max(lasts, default=None),
        branch=min(branches, key=lambda name: (-branches[name], name), default=None),
        version=max(versions)[1] if versions else None,
        failure=failure if failure and (asked is None or failure.at > asked) else None,
    )


def _last_failure(files: Iterable[Seen]) -> Failure | None:
    """The last one; of several at one time any, but always the same."""
    return max(
        (seen.failure for seen in files if seen.failure is not None),
        key=lambda one: (one.at, one.error_type, one.message),
        default=None,
    )


def merged(one: Seen, other: Seen) -> Seen:
    """Both as one; where they contradict each other the earlier and the first count."""
    firsts = [at for at in (one.first_at, other.first_at) if at is not None]
    lasts = [at for at in (one.last_at, other.last_at) if at is not None]
    asked = [at for at in (one.asked_at, other.asked_at) if at is not None]
    return Seen(
        first_at=min(firsts, default=None),
        last_at=max(lasts, default=None),
        cwd=one.cwd or other.cwd,
        version=other.version or one.version,
        branches=other.branches | one.branches,
        recent=other.recent or one.recent,
        asked_at=max(asked, default=None),
        failure=_last_failure((one, other)),
        mark=other.mark or one.mark,
    )


def seen_of(document: object) -> Seen:
    """From the column `seen`."""
    return msgspec.convert(document, Seen)
