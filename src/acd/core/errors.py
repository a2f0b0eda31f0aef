"""Every exception that acd raises on purpose.

    AcdError
    ├── ConfigError            a setting, a flag or a file that the user wrote is wrong
    │   └── QueueFileError     the queue file cannot be used at all
    ├── DatabaseError
    │   ├── DatabaseAway       cannot be reached (yet): back off and try again
    │   ├── DatabaseRefused    reached, but not usable: wrong version, wrong time zone, no permission
    │   └── DataRefused        it refuses a value (NUL, out of range, broken constraint): trying again will not help
    │       └── AlreadyThere   a row with this key is there
    ├── ServerError            a server of acd says no: `status`, `code`, `field`
    │   └── ServerAway         it, or its database, cannot be reached just now: try again later
    ├── AgentError
    │   ├── AgentMissing       no binary for this agent on this machine
    │   └── AgentTooOld        found, but its version is not one that we can read
    ├── UnreadableLine         one line of an agent's output that cannot become events
    ├── GitError               a git call failed, took too long or is refused
    ├── FeatureListError       a feature list that cannot be read; names the entry
    │   └── FeatureListMissing there is none (yet)
    ├── ImportBroken           a process that imported a part of a history ended before it was done
    ├── NotQuick               the short way cannot answer: the ordinary one does
    └── Busy                   another process holds the lock of what we wanted

Each message says what is wrong and what to do about it; it is shown to the user as it is.
"""

from __future__ import annotations


class AcdError(Exception):
    """Something went wrong that the user can understand and act on."""

    def __init__(self, message: str | None = None) -> None:
        """Take the message, or the class's own docstring where there is none."""
        super().__init__(message or (type(self).__doc__ or "").strip())


class ConfigError(AcdError):
    """A setting, a flag or a file that the user wrote is wrong."""


class QueueFileError(ConfigError):
    """The queue file cannot be used."""


class DatabaseError(AcdError):
    """PostgreSQL did not do what was asked."""


class DatabaseAway(DatabaseError):
    """PostgreSQL cannot be reached."""


class DatabaseRefused(DatabaseError):
    """PostgreSQL was reached but cannot be used."""


class DataRefused(DatabaseError):
    """PostgreSQL refuses a value; the same value will be refused again."""


class AlreadyThere(DataRefused):
    """PostgreSQL holds a row with this key."""


class ServerError(AcdError):
    """A server of acd says no.

    `status` is that of HTTP, None where there was no answer; `code` is a word for programs (`not_found`, `unauthorized`,
    …); `field` names the parameter that is wrong, where one is.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        status: int | None = None,
        code: str = "failed",
        field: str | None = None,
    ) -> None:
        """Take what was answered."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


class ServerAway(ServerError):
    """The server, or its database, cannot be reached just now."""


class AgentError(AcdError):
    """A coding agent cannot be used."""


class AgentMissing(AgentError):
    """The agent's program was not found."""


class AgentTooOld(AgentError):
    """The agent's version is not supported."""


class UnreadableLine(AcdError):
    """A line cannot be read; the message is the reason that is recorded with its place."""


class GitError(AcdError):
    """A git call failed."""


class FeatureListError(AcdError):
    """The feature list cannot be read."""


class FeatureListMissing(FeatureListError):
    """There is no feature list."""


class ImportBroken(AcdError):
    """A process that imported a part of a history ended before it was done: import again."""


class NotQuick(AcdError):
    """The short way to an answer does not lead to it; the ordinary one says why, or answers. Never shown."""


class Busy(AcdError):
    """Another process is using this."""
