"""What last went wrong with sending, kept in ACD_HOME so that `acd doctor` can tell of it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from acd.core.settings import Settings

logger = logging.getLogger("acd.notify")


class Trouble(msgspec.Struct, frozen=True):
    """Notifications that did not arrive: when, at which address (its label), why, and how many."""

    at: datetime
    address: str
    reason: str
    count: int


class Troubles:
    """The last trouble of each address; gone when something arrives there."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home / "notify"

    def add(self, number: int, address: str, reason: str, count: int) -> None:
        """Remember it; a disk that is full only costs the doctor a line."""
        trouble = Trouble(datetime.now(UTC), address, reason, count)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file(number).write_bytes(msgspec.json.encode(trouble))
        except OSError as error:
            logger.warning("the doctor will not know of it: %s", error)

    def over(self, number: int) -> None:
        """Something arrived there."""
        try:
            self._file(number).unlink(missing_ok=True)
        except OSError as error:
            logger.warning("the doctor will still tell of what is over: %s", error)

    def read(self, number: int) -> Trouble | None:
        """The last one, unless something arrived since."""
        try:
            return msgspec.json.decode(self._file(number).read_bytes(), type=Trouble)
        except (OSError, msgspec.DecodeError):  # there is none, or it is being written
            return None

    def _file(self, number: int) -> Path:
        return self._folder / f"trouble-{number}.json"
