"""Sessions into files: where versions of Claude Code put them, resumed ones with a copy of what was said before."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bench.history_corpus.lines import Place, Writer, unique
from bench.history_corpus.saying import Conversation, Line
from bench.history_corpus.texts import make_texts
from bench.history_corpus.truth import Expected, Sum, Truth

_BEGIN = datetime(2026, 5, 25, tzinfo=UTC)
_DAYS = 170
_PROJECTS = 12
_BRANCHES = ("main", "main", "feature/orders", "fix-42")
_VERSIONS = ("2.1.330", "2.1.197", "2.0.44", "1.0.128")
_TURNS = 92
_FULL_SIZE = 60_000_000
_LONGEST = 2_000_000
_MOST_COPIED = 300
_DAMAGED = ('{"type":"assistant","message":{"id":"msg_', "\0" * 64)


@dataclass(frozen=True)
class Plan:
    """How much there is to be. `size`: bytes, reached and passed by less than a session. `quirks`: see the package."""

    size: int
    seed: int = 1
    quirks: bool = False


@dataclass
class _Session:
    """A session that is written and may be resumed."""

    place: Place
    lines: list[Line]
    end: datetime


@dataclass
class _Writing:
    """What is written so far."""

    folder: Path
    plan: Plan
    truth: Truth = field(default_factory=Truth)
    _resumable: list[_Session] = field(default_factory=list)
    _own: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.plan.seed)
        self.expected = Expected(seed=self.plan.seed)
        self.turns = max(4, min(_TURNS, _TURNS * self.plan.size // _FULL_SIZE))
        self.texts = make_texts(self.chance, min(_LONGEST, self.plan.size // 40))

    def session(self) -> None:
        """One session with its subagents."""
        self._own.clear()
        chance = self.chance
        project = chance.randrange(_PROJECTS)
        origin = self._resumable.pop() if self._resumable and chance.random() < 0.25 else None
        if origin is not None and chance.random() < 0.8:
            cwd = origin.place.cwd
        else:
            cwd = f"/srv/corpus/shop-{project:02}"
        place = Place(unique(chance), cwd, chance.choice(_BRANCHES), chance.choice(_VERSIONS))
        minutes = chance.randrange(_DAYS * 24 * 60)
        start = origin.end + timedelta(hours=1) if origin else _BEGIN + timedelta(minutes=minutes)
        talk = Conversation(chance, self.texts, start, self.plan.quirks)
        lines = _copied(origin, place) if origin is not None else []
        lines.append(talk.prompt(place))
        turns = max(1, int(chance.lognormvariate(-0.18, 0.6) * self.turns))
        for _ in range(turns):
            lines.extend(talk.turn(place))
        for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
            lines.extend(self._subagent(place, talk.at))
        if chance.random() < 0.1:
            self._side_talk(talk, place, lines)
        if chance.random() < 0.05:
            lines.append(talk.apology(place))
        self._end(_Session(place, lines, talk.at), is_copy=origin is not None)

    def _end(self, session: _Session, *, is_copy: bool) -> None:
        """Write the file. Either another session may go on from here, or the agent tells what it spent."""
        place, lines = session.place, session.lines
        self._saw(place, lines)
        if not is_copy and self.chance.random() < 0.4:
            account = self._account()
            if account is not None:
                lines.append(Line(Writer(self.chance).cost_state(place, account)))
        elif len(self._resumable) < 4:
            self._resumable.append(session)
        self._write(f"{_folder_of(place.cwd)}/{place.session}.jsonl", lines, session.end)

    def _account(self) -> dict[str, Sum] | None:
        """What the newest session spent by model; None where the agent could not tell."""
        whole = Expected(seed=0)
        Truth({key: self.truth.requests[key] for key in self._own}).sum_up(whole)
        return None if whole.total.unpriced else whole.by_model

    def _side_talk(self, talk: Conversation, place: Place, lines: list[Line]) -> None:
        """A subagent whose lines stand in the session's own file, as in early versions."""
        side = _subagent_of(place, f"{self.chance.getrandbits(64):016x}")
        for _ in range(3):
            lines.extend(talk.turn(side))

    def _subagent(self, place: Place, at: datetime) -> list[Line]:
        """A subagent's own file. Returns what stands in the session's file, too."""
        chance = self.chance
        name = f"{chance.getrandbits(64):016x}"
        side = _subagent_of(place, name)
        talk = Conversation(chance, self.texts, at, self.plan.quirks)
        lines = [talk.prompt(side)]
        for _ in range(max(1, int(chance.lognormvariate(-0.18, 0.6) * self.turns * 0.28))):
            lines.extend(talk.turn(side, chance.choice(("claude-haiku-5-5", "claude-sonnet-5-5"))))
        self._saw(side, lines)
        project, own = _folder_of(place.cwd), f"{place.session}/subagents"
        where = chance.choices(
            (f"{project}/{own}", f"{project}/{own}/workflows/wf_{name[:6]}", project), (70, 15, 15)
        )
        self._write(f"{where[0]}/agent-{name}.jsonl", lines, talk.at)
        return lines[:8] if chance.random() < 0.1 else []

    def _saw(self, place: Place, lines: Iterable[Line]) -> None:
        for line in lines:
            if line.said is not None:
                said = line.said
                self._own[said.key] = None
                self.truth.saw(
                    *(said.key, place.session, said.at, said.model, said.usage),
                    in_subagent=said.in_subagent,
                )

    def _write(self, name: str, lines: list[Line], end: datetime) -> None:
        expected, chance = self.expected, self.chance
        texts = [line.text for line in lines]
        quirk = chance.choice(_FILE_QUIRKS) if self.plan.quirks else ""
        if quirk == "damaged":
            texts.insert(chance.randrange(len(texts)), chance.choice(_DAMAGED))
            expected.left_out += 1
        line_end = "\r\n" if quirk == "crlf" else "\n"
        mark = "\ufeff" if quirk == "mark" else ""
        cut = '{"type":"assistant","message":{"id":"msg_cut","usa' if quirk == "cut" else ""
        content = (mark + line_end.join([*texts, cut])).encode(errors="surrogateescape")
        path = self.folder / "projects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (end.timestamp(), end.timestamp()))
        expected.files += 1
        expected.lines += len(texts)
        expected.cut += quirk == "cut"
        expected.bytes += len(content)


_FILE_QUIRKS = ("", "", "", "damaged", "crlf", "mark", "cut")


def write_history(folder: Path, plan: Plan) -> Expected:
    """Write `folder/projects` and `folder/expected.json`; the same plan gives the same bytes."""
    writing = _Writing(folder, plan)
    while writing.expected.bytes < plan.size:
        writing.session()
    writing.truth.sum_up(writing.expected)
    told = msgspec.json.format(msgspec.json.encode(writing.expected), indent=1)
    (folder / "expected.json").write_bytes(told)
    return writing.expected


def _copied(origin: _Session, place: Place) -> list[Line]:
    """What was said before, in the words of the session that goes on from there."""
    old = origin.place
    return [
        Line(
            line.text.replace(old.session, place.session).replace(f'"{old.cwd}"', f'"{place.cwd}"'),
            line.said,
        )
        for line in origin.lines[:_MOST_COPIED]
    ]


def _subagent_of(place: Place, name: str) -> Place:
    return Place(place.session, place.cwd, place.branch, place.version, name)


def _folder_of(cwd: str) -> str:
    return cwd.replace("/", "-")
