"""Conversations: prompts, replies in one or several lines, results of tools, and what stands between them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from bench.history_corpus.lines import Place, Reply, Writer, usage_json
from bench.history_corpus.texts import Texts
from bench.history_corpus.truth import MODELS, Usage

_USUAL = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-opus-4-8[1m]", "claude-sonnet-5")
_OTHERS = tuple(model for model in MODELS if model not in _USUAL)
_PICTURES = 1 / 3000
_QUIRKY = 0.25


class Said(NamedTuple):
    """What a line adds to the ledger: `key` is the message id, or the line's uuid where there is none."""

    key: str
    at: datetime
    model: str
    usage: Usage
    in_subagent: bool


class Line(NamedTuple):
    """A line without its end, and what it adds. A lone surrogate in it becomes a byte that is no UTF-8."""

    text: str
    said: Said | None = None


@dataclass
class Conversation:
    """Talks on at one place; `at` is the time of the line before."""

    chance: random.Random
    texts: Texts
    at: datetime
    quirks: bool = False
    writer: Writer = field(init=False)
    _number: int = 0

    def __post_init__(self) -> None:
        self.writer = Writer(self.chance)
        self._models = [*self.chance.choices(_USUAL, k=12), self.chance.choice(_OTHERS)]
        self._hour_share = self.chance.choice((0.0, 0.8, 1.0))

    def prompt(self, place: Place) -> Line:
        """Somebody says what is to be done."""
        self._pass()
        return Line(self.writer.prompt(place, self.at, self._short()))

    def turn(self, place: Place, model: str | None = None) -> Iterator[Line]:
        """A reply, what its tool gave back, and perhaps a note of the agent's own."""
        chance = self.chance
        if not place.agent and chance.random() < 0.1:
            yield self.prompt(place)
        self._number += 1
        call = f"toolu_{chance.getrandbits(80):020x}"
        yield from self._reply(place, call, model or chance.choice(self._models))
        self._pass()
        if chance.random() < _PICTURES:
            picture = chance.choice(self.texts.pictures)
            yield Line(self.writer.picture(place, self.at, call, picture))
        else:
            text = chance.choice(self.texts.results)
            yield Line(self.writer.result(place, self.at, call, text))
        if chance.random() < 0.22:
            yield Line(self.writer.attachment(place, self.at, self._short()))
        if chance.random() < 0.15:
            yield Line(self.writer.bookmark(place, self._short()))

    def apology(self, place: Place) -> Line:
        """The agent answers in the model's place."""
        self._pass()
        return Line(self.writer.synthetic(place, self.at))

    def _reply(self, place: Place, call: str, model: str) -> Iterator[Line]:
        chance = self.chance
        usage = self._usage(model)
        blocks = chance.choices((1, 2, 3), (55, 33, 12))[0]
        quirk = _QUIRKS[chance.randrange(len(_QUIRKS))] if self._is_quirky() else ""
        reply = Reply(f"msg_{chance.getrandbits(96):024x}", model, f'"req_{call[6:]}"')
        if quirk == "no id":
            reply.id, blocks = "", 1
        elif quirk == "no request id":
            reply.request = "null"
        elif quirk == "no model":
            reply.model = None
        elif quirk == "sum without split":
            usage = usage._replace(
                cache_write_5m=0, cache_write_1h=0, cache_write_plain=usage.cache_write
            )
        self._pass()
        for number, output in enumerate(self._growth(usage.output, blocks), 1):
            so_far = usage._replace(output=output)
            told = usage_json(so_far, plain_split=quirk == "sum without split", floats=quirk == "floats")  # fmt: skip
            block = self._block(call, last=number == blocks)
            text = self.writer.assistant(place, self.at, reply, told, block, last=number == blocks)
            said = Said(
                reply.id or reply.uuid, self.at, reply.model or "unknown", so_far, bool(place.agent)
            )
            yield Line(_with_quirk(text, place, quirk), said)
            self.at += timedelta(milliseconds=chance.randint(1, 900))

    def _is_quirky(self) -> bool:
        return self.quirks and self.chance.random() < _QUIRKY

    def _growth(self, output: int, lines: int) -> list[int]:
        """Output tokens that the lines of a reply tell: versions differ in whether the earlier ones know the end."""
        chance = self.chance
        if lines == 1 or chance.random() < 0.6:
            return [output] * lines
        told = [*sorted(chance.randint(1, output) for _ in range(lines - 1)), output]
        if chance.random() < 0.05:
            chance.shuffle(told)
        return told

    def _usage(self, model: str) -> Usage:
        chance = self.chance
        writes = chance.randint(0, 9000)
        by_the_hour = int(writes * self._hour_share)
        far = 350_000 if chance.random() < 0.05 else 150_000
        return Usage(
            input=chance.randint(1, 900),
            output=chance.randint(20, 4000),
            cache_read=chance.randint(10_000, far if "haiku-4" not in model else 150_000),
            cache_write_5m=writes - by_the_hour,
            cache_write_1h=by_the_hour,
            cache_write_plain=0,
            web_searches=chance.randint(1, 3) if chance.random() < 0.01 else 0,
        )

    def _block(self, call: str, *, last: bool) -> str:
        chance = self.chance
        if not last:
            kind = chance.choice(('"text","text"', '"thinking","thinking"'))
            return f'{{"type":{kind}:"{self._short()}"}}'
        if self._number % 2:
            given = f'{{"command":"pytest -q tests/test_{self._number}.py","description":"Test"}}'
            return f'{{"type":"tool_use","id":"{call}","name":"Bash","input":{given}}}'
        content = chance.choice(self.texts.results)[:4000].rpartition(" ")[0]
        given = f'{{"file_path":"/srv/corpus/f{self._number}.py","content":"{content}"}}'
        return f'{{"type":"tool_use","id":"{call}","name":"Write","input":{given}}}'

    def _short(self) -> str:
        return self.chance.choice(self.texts.short)

    def _pass(self) -> None:
        """Some seconds go by, sometimes hours."""
        chance = self.chance
        seconds = chance.randint(600, 10_000) if chance.random() < 0.01 else chance.randint(1, 25)
        self.at += timedelta(seconds=seconds, milliseconds=chance.randrange(1000))


_QUIRKS = (
    *("no id", "no request id", "no model", "sum without split", "floats"),
    *("no folder", "no speed", "version", "spaces", "not utf-8"),
)


def _with_quirk(text: str, place: Place, quirk: str) -> str:
    """A line as another version or another program may have written it."""
    if quirk == "spaces":
        return json.dumps(json.loads(text), ensure_ascii=False)
    if quirk == "no folder":
        return text.replace(f'"cwd":"{place.cwd}"', '"cwd":null')
    if quirk == "no speed":
        return text.replace('"speed":"standard"', '"speed":null')
    if quirk == "version":
        return text.replace(f'"version":"{place.version}"', '"version":"nightly"')
    if quirk == "not utf-8":
        return text.replace('"effort":"medium"', '"effort":"med\udcff\udcfeium"')
    return text
