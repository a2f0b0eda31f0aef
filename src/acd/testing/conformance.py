"""What every adapter must hold to, as checks that its author can call.

    def test_my_adapter() -> None:
        assert problems_of(MyAdapter(), settings, stream=LINES, transcript=KEPT_LINES) == []

`stream` and `transcript` are lines that the genuine agent wrote, without line ends: the more of them, the better.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import get_args
from uuid import UUID

import msgspec

from acd.agents.protocol import Adapter, Binary, Launch
from acd.core.errors import UnreadableLine
from acd.core.events import Event, RequestSeen
from acd.core.settings import Settings
from acd.core.text import storable

Reader = Callable[[bytes], list[Event]]

# Longest time that one poisonous line may hold up those behind it (faults.md, fault 5).
SLOWEST_S = 1.0
LONGEST_REASON = 200

_PROMPT = "Implement the feature.\nThen commit."
_EVENTS: msgspec.json.Decoder[list[Event]] = msgspec.json.Decoder(list[Event])


def garbage() -> list[bytes]:
    """Lines that no agent should print and that some day one does."""
    depth = 100_000
    return [
        b"",
        b"   \t",
        b"\x00",
        b"\xff\xfe{",
        b"plain words",
        b"null",
        b"0",
        b'"text"',
        b"[]",
        b"{}",
        b'{"type":',
        b'{"type": NaN}',
        b'{"type": null}',
        b'{"type": {"type": "x"}}',
        b'{"type": "no such type"}',
        b'{"type": "\\ud800"}',
        b'{"type": "x\\u0000y"}',
        b'{"type": "x", "type": "y"}',
        b"\xef\xbb\xbf{}\r",
        b"[" * depth,
        b'{"a":' * depth,
        b'{"a":' + b"[" * depth + b"]" * depth + b"}",
        b'{"type": "' + b"x" * 1_000_000 + b'"}',
    ]


def problems_of(
    adapter: Adapter,
    settings: Settings,
    *,
    stream: Sequence[bytes],
    transcript: Sequence[bytes] = (),
) -> list[str]:
    """Everything that is wrong with the adapter, in words; empty when it conforms."""
    found = [*_problems_of_names(adapter), *_problems_of_command(adapter, settings)]
    for where, read, lines in (
        ("stream", adapter.read_stream, stream),
        ("transcript", adapter.read_transcript, transcript),
    ):
        found += [f"{where}: {problem}" for problem in _problems_of_reader(adapter, read, lines)]
    return found


def _problems_of_names(adapter: Adapter) -> Iterable[str]:
    if not adapter.name or adapter.name != adapter.name.strip().lower() or ":" in adapter.name:
        yield f"name {adapter.name!r} is not a lower-case word"
    if not adapter.provider:
        yield "no provider to price its models by"
    for name in adapter.environment_names:
        if len(name.rstrip("*")) < 3:
            yield f"environment name {name!r} lets nearly everything through"
    if adapter.minimum_version and adapter.parse_version(adapter.minimum_version) is None:
        yield "parse_version does not read its own minimum_version"
    if adapter.minimum_version and adapter.parse_version("no such thing") is not None:
        yield "parse_version finds a version where there is none"


def _problems_of_command(adapter: Adapter, settings: Settings) -> Iterable[str]:
    binary = Binary(argv=["/opt/agent"])
    launch = Launch(
        session_id=UUID(int=7),
        session_type="coding",
        prompt=_PROMPT,
        model="sonnet",
        workspace=Path("/work"),
        session_dir=Path("/sessions/7"),
        fallback_model="haiku",
        budget_usd=1.5,
        max_turns=3,
    )
    argv = adapter.command(binary, launch, settings)
    if argv[: len(binary.argv)] != binary.argv:
        yield "the command does not begin with the binary"
    if not any(_PROMPT in word for word in argv):
        yield "the prompt is not in the command"
    if argv != adapter.command(binary, launch, settings):
        yield "the same launch gives two commands"
    for session_id in ("00000000-0000-0000-0000-00000000dead", "../../etc", "*", ""):
        if adapter.transcripts(session_id, Path("/work"), settings):
            yield f"finds transcripts of a session called {session_id!r}"


def _problems_of_reader(adapter: Adapter, read: Reader, lines: Sequence[bytes]) -> Iterable[str]:
    alone = [outcome_of(read, line) for line in lines]
    for number, outcome in enumerate(alone, 1):
        if isinstance(outcome, str):
            yield f"line {number}: {outcome}"
        else:
            yield from (f"line {number}: {p}" for p in problems_of_events(adapter.name, outcome))
    poison = garbage() + [line[: len(line) * part // 7] for line in lines for part in range(1, 7)]
    yield from problems_of_poison(read, poison)
    # Whatever was read before, in whatever order: a line always means the same.
    if [outcome_of(read, line) for line in reversed(lines)] != alone[::-1]:
        yield "keeps state: the same lines in another order give other events"
    if [outcome_of(read, line + b"\r") for line in lines] != alone:
        yield "a carriage return at the end of a line changes its events"


def problems_of_poison(read: Reader, poison: Iterable[bytes]) -> Iterable[str]:
    """What is wrong with how lines are read that no agent should print."""
    for line in poison:
        begun = time.process_time()
        outcome = outcome_of(read, line)
        if isinstance(outcome, str) and not outcome.startswith("unreadable: "):
            yield f"{line[:40]!r}: {outcome}"
        if isinstance(outcome, str) and len(outcome) > LONGEST_REASON:
            yield f"{line[:40]!r}: the reason is {len(outcome)} characters long"
        if time.process_time() - begun > SLOWEST_S:
            yield f"{line[:40]!r}: takes more than {SLOWEST_S} s"


def problems_of_events(agent: str, events: list[Event]) -> Iterable[str]:
    """What is wrong with events that were read of an agent's files; `agent`: its name."""
    for event in events:
        if not isinstance(event, get_args(Event)):
            yield f"{event!r} is no event"
            continue
        if event.at is not None and event.at.tzinfo is None:
            yield f"time without zone: {event!r}"
        if isinstance(event, RequestSeen):
            yield from _problems_of_request(agent, event)
    encoded = msgspec.json.encode(events)
    if _EVENTS.decode(encoded) != events:
        yield "events do not survive being written and read"
    if storable(repr(events)) != repr(events) or b"\\u0000" in encoded:
        yield "holds text that PostgreSQL cannot store"


def _problems_of_request(agent: str, event: RequestSeen) -> Iterable[str]:
    usage = event.usage
    if not event.request_key.startswith(f"{agent}:"):
        yield f"request key {event.request_key!r} does not begin with {agent!r}"
    if not event.model:
        yield "a request without a model"
    if min(msgspec.structs.astuple(usage)) < 0:
        yield f"negative usage: {usage}"
    if usage.cache_write_5m_tokens + usage.cache_write_1h_tokens > usage.cache_write_tokens:
        yield f"cache writes by kind exceed their sum: {usage}"
    if usage.reasoning_tokens > usage.output_tokens:
        yield f"reasoning exceeds output: {usage}"


def outcome_of(read: Reader, line: bytes) -> list[Event] | str:
    """Events of a line, else in words what happened."""
    try:
        return read(line)
    except UnreadableLine as error:
        return f"unreadable: {error}"
    except Exception as error:  # noqa: BLE001  # the very thing that is checked: no other exception may come out
        return f"raises {type(error).__name__} instead of UnreadableLine"
