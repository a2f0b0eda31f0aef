"""One file of an agent's history, from where it was read to, in parts of bounded size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from acd.agents.history import Entry, LineReader
from acd.core.errors import UnreadableLine
from acd.core.events import AgentStarted, Event
from acd.files.lines import LONGEST_LINE, Line
from acd.files.lines import LineReader as WholeLines
from acd.history.folding import Folding, LeftOut, SessionNews
from acd.history.looking import Found, Known
from acd.history.seen import Seen

_PART_BYTES = 32 * 1024 * 1024
_PART_REQUESTS = 4000
_HEAD = 4096
_TAIL = 1024
_AT_ONCE = 4 * 1024 * 1024
_FIRST_LINES = 20


class Remembered(NamedTuple):
    """The rest of what is remembered of a file: what its bytes looked like, and what it told of its session."""

    head_sha256: str
    head_length: int
    tail_sha256: str
    seen: Seen


class Part(msgspec.Struct):
    """What a stretch of a file amounts to; written in one transaction with how far the file is read then.

    `from_offset` is where the database says that the file was read to, `anew` that it was rewritten and is read from its
    beginning. A store has an offset of 0 always, and entries in the place of lines: `entries` are the places of those that
    were read where that were not all of them.
    """

    path: str
    inode: int
    size: int
    mtime_ns: int
    head_sha256: str
    head_length: int
    tail_sha256: str
    from_offset: int
    read_offset: int
    lines: int
    left_out: list[LeftOut]
    sessions: list[SessionNews]
    known: Known | None = None
    anew: bool = False
    store: bool = False
    mark: str = ""
    entries: list[int] | None = None

    @property
    def requests(self) -> int:
        """How many requests it tells of."""
        return sum(len(news.requests) for news in self.sessions)


def session_told(found: Found) -> str | None:
    """The session that a file's first lines name, where its path does not; None where they do not or it cannot be read."""
    file = found.file
    if file.agent_session_id is not None or file.form == "store":
        return file.agent_session_id
    reader = found.history.reader(file, told=False)
    try:
        lines = WholeLines(file.path).read(1)
    except OSError:
        return None  # said when it is imported
    for line in lines[:_FIRST_LINES]:
        if line.data is None or not line.data.strip():
            continue
        try:
            events = reader.read(line.data)
        except UnreadableLine:
            continue  # counted when it is imported
        named = (event.agent_session_id for event in events if isinstance(event, AgentStarted))
        if session := next(named, ""):
            return session
    return None


def parts_of(found: Found, remembered: Remembered | None) -> Iterator[Part]:
    """Read what is new in a file. The first part is always there, even where nothing is new: it tells how the file looks now.

    Raises:
        OSError: it cannot be read.
        UnreadableLine: a store cannot be read as a whole.
    """
    if found.file.form == "store":
        yield from _parts_of_store(found, remembered)
    else:
        yield from _LineFile(found, remembered).parts()


class _LineFile:
    """A file of lines while it is read."""

    def __init__(self, found: Found, remembered: Remembered | None) -> None:
        known = found.known
        self._found = found
        self._path = found.file.path
        self._recorded = known.read_offset if known is not None else 0
        self._anew = remembered is not None and not self._goes_on(remembered)
        begin = 0 if self._anew else self._recorded
        seen = Seen() if remembered is None or self._anew else remembered.seen
        self._lines = WholeLines(self._path, begin)
        self._reader = found.history.reader(found.file, told=False)
        self._session = found.file.agent_session_id
        self._news = SessionNews(
            agent=found.history.name,
            provider=found.history.provider,
            agent_session_id=self._session or "",
            name=found.file.name,
            seen=seen,
        )
        self._folding = Folding(self._news)
        self._clock = datetime.fromtimestamp(found.mtime_ns / 1e9, UTC)
        if begin:
            self._skip_line_end()
            if not found.history.from_anywhere:
                self._replay(begin)

    def parts(self) -> Iterator[Part]:
        """Parts of bounded size, the last of which reaches the last whole line."""
        part = self._new_part(anew=self._anew)
        room = _PART_BYTES
        while lines := self._lines.read(_AT_ONCE) or self._last_line():
            self._read_all(lines, part)
            room -= part.read_offset - lines[0].offset
            if room <= 0 or len(self._news.requests) >= _PART_REQUESTS:
                yield self._finished(part)
                part, room = self._new_part(anew=False), _PART_BYTES
        self._fold(self._reader.finish(), self._lines.offset)
        yield self._finished(part)

    # ---- lines ----------------------------------------------------------------------------------------------------

    def _read_all(self, lines: list[Line], part: Part) -> None:
        read = self._reader.read
        for line in lines:
            data = line.data
            try:
                if data is None:
                    raise UnreadableLine(f"longer than {LONGEST_LINE} bytes")
                if data.strip() and (found := read(data)):
                    self._fold(found, line.offset)
            except UnreadableLine as error:
                part.left_out.append(LeftOut(line.offset, line.length, str(error)[:500]))
        part.lines += len(lines)
        part.read_offset = line.offset + line.length

    def _fold(self, found: list[Event], offset: int) -> None:
        if not self._session:
            self._session = next(
                (e.agent_session_id for e in found if isinstance(e, AgentStarted)), ""
            )
            self._news.agent_session_id = self._session
        self._folding.add(found, offset, self._clock)

    def _last_line(self) -> list[Line]:
        """A last line that lacks only its end: whole where it is one object. A cut one is left for later."""
        begin = self._lines.offset
        rest = self._found.size - begin
        if not 0 < rest <= LONGEST_LINE:
            return []
        data = _bytes_at(self._path, begin, rest)
        if not data.endswith(b"}") or b"\n" in data or not _is_json(data):
            return []
        self._lines.offset += len(data)
        return [Line(begin, len(data), data)]

    def _skip_line_end(self) -> None:
        """The end of a line that lacked it when it was read is no line of its own."""
        begin = self._lines.offset
        before_and_after = _bytes_at(self._path, begin - 1, 2)
        if len(before_and_after) == 2 and before_and_after[0] != 10 and before_and_after[1] == 10:
            self._lines.offset += 1

    def _replay(self, until: int) -> None:
        """Have the reader remember the lines before; where the session was then holds on."""
        lines = WholeLines(self._path)
        while lines.offset < until and (some := lines.read(_AT_ONCE)):
            for line in some:
                if line.offset < until and line.data is not None and line.data.strip():
                    self._folding.recall(_again(self._reader, line.data))

    # ---- what the file looks like ---------------------------------------------------------------------------------

    def _goes_on(self, remembered: Remembered) -> bool:
        """Whether the file is the one that was read before, perhaps longer: by its head, and by what precedes the offset.

        One that was written to without growing was not appended to.
        """
        found, known = self._found, self._found.known
        if known is None or found.size < self._recorded:
            return False
        if found.size == known.size and found.mtime_ns != known.mtime_ns:
            return False
        head = _sha256(_bytes_at(self._path, 0, remembered.head_length))
        return (
            head == remembered.head_sha256 and self._tail(self._recorded) == remembered.tail_sha256
        )

    def _tail(self, offset: int) -> str:
        begin = max(0, offset - _TAIL)
        return _sha256(_bytes_at(self._path, begin, offset - begin))

    def _new_part(self, *, anew: bool) -> Part:
        found = self._found
        return Part(
            path=str(self._path),
            inode=found.inode,
            size=found.size,
            mtime_ns=found.mtime_ns,
            head_sha256="",
            head_length=0,
            tail_sha256="",
            from_offset=self._recorded,
            read_offset=self._lines.offset,
            lines=0,
            left_out=[],
            sessions=[],
            known=found.known,
            anew=anew,
        )

    def _finished(self, part: Part) -> Part:
        """Close a part: its session's news so far, and what the file looks like where it ends."""
        news = self._news
        if not news.agent_session_id:
            news.agent_session_id = self._path.stem
        part.head_length = min(_HEAD, part.read_offset)
        part.head_sha256 = _sha256(_bytes_at(self._path, 0, part.head_length))
        part.tail_sha256 = self._tail(part.read_offset)
        part.sessions = [msgspec.structs.replace(news, seen=_copy_of(news.seen))]
        self._recorded = part.read_offset
        news.requests, news.reports, news.errors = {}, [], []
        return part


def _parts_of_store(found: Found, remembered: Remembered | None) -> Iterator[Part]:
    """All that is new in a store, as one part."""
    after = remembered.seen.mark if remembered is not None else ""
    places: list[int] = []
    part = Part(
        *(str(found.file.path), found.inode, found.size, found.mtime_ns, "", 0, "", 0, 0, 0),
        *([], []),
        known=found.known,
        store=True,
        mark=after,
        entries=places if after else None,
    )
    sessions: dict[str, Folding] = {}
    clock = datetime.fromtimestamp(found.mtime_ns / 1e9, UTC)
    for entry in found.history.entries(found.file, after, told=False):
        place = place_of_key(entry.key)
        places.append(place)
        part.lines += 1
        part.mark = entry.mark or part.mark
        folding = _folding_of(sessions, found, entry)
        folding.news.entries = entry.of_session or folding.news.entries + 1
        if entry.left_out is None:
            folding.add(entry.events, place, clock)
        else:
            reason = f"{entry.key}: {entry.left_out}"[:500]
            part.left_out.append(LeftOut(place, 0, reason, entry.agent_session_id))
    part.sessions = [folding.news for folding in sessions.values()]
    yield part


def _folding_of(sessions: dict[str, Folding], found: Found, entry: Entry) -> Folding:
    known = sessions.get(entry.agent_session_id)
    if known is None:
        history = found.history
        news = SessionNews(
            history.name, history.provider, entry.agent_session_id, found.file.name, Seen()
        )
        known = sessions[entry.agent_session_id] = Folding(news)
    return known


def place_of_key(key: str) -> int:
    """A store's entry has no offset: a number that comes from its key stands in its place."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big")


def _again(reader: LineReader, line: bytes) -> list[Event]:
    try:
        return reader.read(line)
    except UnreadableLine:
        return []  # counted when it was read for the first time


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _copy_of(seen: Seen) -> Seen:
    return msgspec.structs.replace(seen, branches=dict(seen.branches))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _bytes_at(path: Path, begin: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(length)
