"""Server-sent events, read line by line."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """Something that happened: its name, its data (JSON), and the id behind which a reader goes on."""

    name: str
    data: str
    id: str | None


@dataclass
class EventReader:
    """Makes events of lines (https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6)."""

    last_id: str | None = None
    """Behind which to go on: the id of the last event that came whole, or of a sign of life after it."""
    _id: str | None = None
    _name: str = ""
    _data: list[str] = field(default_factory=list)

    def line(self, line: str) -> Event | None:
        """Take a line without its end; the event that it completes."""
        if line == "":
            return self._complete()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def _complete(self) -> Event | None:
        name, data = self._name or "message", self._data
        self.last_id = self._id if self._id is not None else self.last_id
        self.forget_half()
        return Event(name, "\n".join(data), self.last_id) if data else None

    def forget_half(self) -> None:
        """Begin anew on another connection: an event that was cut off comes again whole."""
        self._name, self._data, self._id = "", [], None
