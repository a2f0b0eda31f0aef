"""What every history must hold to, as checks that its author can call.

    def test_my_history(tmp_path: Path) -> None:
        assert problems_of_history(MyHistory(), GOLDEN_FOLDER, tmp_path) == []

The folder holds what the genuine agent wrote, laid out as the agent lays it out: the more of it, the better.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from acd.agents.history import Entry, History, HistoryFile
from acd.core.errors import UnreadableLine
from acd.core.events import Event, RequestSeen
from acd.core.settings import Settings
from acd.testing.conformance import garbage, outcome_of, problems_of_events, problems_of_poison

_SLICES = 7
_DEPTH = 3


def problems_of_history(history: History, golden: Path, scratch: Path) -> list[str]:
    """Everything that is wrong with the history, in words; empty when it conforms.

    Args:
        history: which.
        golden: what the agent wrote; read only.
        scratch: an empty folder to write into.
    """
    found = [*_problems_of_names(history), *_problems_of_places(history, golden, scratch)]
    for file in history.files(golden):
        if file.left_out:
            continue
        check = _problems_of_lines if file.form == "lines" else _problems_of_store
        found += [f"{file.name}: {problem}" for problem in check(history, file, scratch)]
    return found


def _problems_of_names(history: History) -> Iterable[str]:
    if not history.name or history.name != history.name.strip().lower() or ":" in history.name:
        yield f"name {history.name!r} is not a lower-case word"
    if not history.provider:
        yield "no provider to price its models by"


def _problems_of_places(history: History, golden: Path, scratch: Path) -> Iterable[str]:
    settings = Settings(home=scratch)
    if not all(root.is_absolute() for root in history.roots(settings, {"HOME": str(scratch)})):
        yield "roots are not absolute paths"
    files = list(history.files(golden))
    if not files:
        yield "finds no file in the golden folder"
    if files != list(history.files(golden)):
        yield "finds the same files in another order"
    if len({file.path for file in files}) != len(files):
        yield "finds a file twice"
    for nothing in (scratch / "no such folder", scratch):
        if list(history.files(nothing)):
            yield f"finds files in {nothing.name!r}, where there are none"
    (scratch / "notes.txt").write_text("not a history\n")
    if list(history.files(scratch / "notes.txt")):
        yield "takes any file for its own"


def _problems_of_lines(history: History, file: HistoryFile, _scratch: Path) -> Iterable[str]:
    lines = file.path.read_bytes().splitlines()
    told, counted = _read(history, file, lines, True), _read(history, file, lines, False)
    for number, outcome in enumerate(told, 1):
        if isinstance(outcome, str):
            yield f"line {number}: {outcome}"
        else:
            yield from (f"line {number}: {p}" for p in problems_of_events(history.name, outcome))
    if _requests(told) != _requests(counted):
        yield "tells other requests where texts are wanted, too"
    if _read(history, file, lines, True) != told:
        yield "the same lines give other events to another reader"
    if _read(history, file, [line + b"\r" for line in lines], True) != told:
        yield "a carriage return at the end of a line changes its events"
    if history.from_anywhere and not _same_from_anywhere(history, file, lines):
        yield "says from_anywhere, but the lines before change what is counted"
    poison = garbage() + [
        line[: len(line) * n // _SLICES] for line in lines for n in range(_SLICES)
    ]
    poison += [twisted for line in lines for twisted in _twisted(line)]
    reader = history.reader(file, told=True)
    yield from problems_of_poison(reader.read, [line for line in poison if line.strip()])


def _twisted(line: bytes) -> Iterable[bytes]:
    """The line with each of its outer values in turn replaced by one of another type."""
    document = msgspec.json.decode(line)
    for holder in _holders(document, _DEPTH):
        for key, value in list(holder.items()):
            for other in ({"x": 1}, [0], -1, "x", None, True):
                holder[key] = other
                yield msgspec.json.encode(document)
            holder[key] = value


def _holders(value: object, depth: int) -> Iterable[dict[str, object]]:
    if isinstance(value, dict):
        yield value
    if depth and isinstance(value, dict | list):
        for inner in list(value.values() if isinstance(value, dict) else value[:1]):
            yield from _holders(inner, depth - 1)


def _same_from_anywhere(history: History, file: HistoryFile, lines: list[bytes]) -> bool:
    whole = _requests(_read(history, file, lines, False))
    return all(
        _requests(_read(history, file, lines[:cut], False))
        + _requests(_read(history, file, lines[cut:], False))
        == whole
        for cut in range(len(lines))
    )


def _problems_of_store(history: History, file: HistoryFile, scratch: Path) -> Iterable[str]:
    entries = _entries(history, file, told=True)
    if isinstance(entries, str):
        yield entries
        return
    for entry in entries:
        yield from (f"{entry.key}: {p}" for p in problems_of_events(history.name, entry.events))
        if entry.left_out is not None:
            yield f"{entry.key}: left out: {entry.left_out}"
        if not entry.agent_session_id:
            yield f"{entry.key}: of no session"
    if len({entry.key for entry in entries}) != len(entries):
        yield "two entries have the same key"
    if _entries(history, file, told=True) != entries:
        yield "the same store gives other entries"
    last = max((entry.mark for entry in entries), default="")
    again = list(history.entries(file, last, told=True)) if last else entries
    if not all(entry in entries for entry in again):
        yield "entries after a mark are not among all of them"
    yield from _problems_of_sessions(history, file, entries, marked=bool(last))
    for number, content in enumerate(garbage()):
        damaged = scratch / str(number) / file.path.parent.name / file.path.name
        damaged.parent.mkdir(parents=True)
        damaged.write_bytes(content)
        outcome = _entries(history, file._replace(path=damaged), told=True)
        if isinstance(outcome, str) and not outcome.startswith("unreadable: "):
            yield f"{content[:40]!r}: {outcome}"
        shutil.rmtree(scratch / str(number))


def _problems_of_sessions(
    history: History, file: HistoryFile, entries: list[Entry], *, marked: bool
) -> Iterable[str]:
    for session in {entry.agent_session_id for entry in entries}:
        own = [entry for entry in entries if entry.agent_session_id == session]
        chosen = list(history.entries(file, "", told=True, only=session))
        if [entry for entry in chosen if entry.agent_session_id == session] != own:
            yield f"other entries of {session} where they alone are wanted"
        if marked and {entry.of_session for entry in own} != {len(own)}:
            yield f"gives marks, but tells another number of entries of {session}"


def _read(
    history: History, file: HistoryFile, lines: list[bytes], told: bool
) -> list[list[Event] | str]:
    reader = history.reader(file, told=told)
    return [*(outcome_of(reader.read, line) for line in lines), reader.finish()]


def _requests(outcomes: list[list[Event] | str]) -> list[RequestSeen]:
    events = [event for found in outcomes if not isinstance(found, str) for event in found]
    return [event for event in events if isinstance(event, RequestSeen)]


def _entries(history: History, file: HistoryFile, *, told: bool) -> list[Entry] | str:
    try:
        return list(history.entries(file, "", told=told))
    except UnreadableLine as error:
        return f"unreadable: {error}"
    except Exception as error:  # noqa: BLE001  # the very thing that is checked: no other exception may come out
        return f"raises {type(error).__name__} instead of UnreadableLine"
