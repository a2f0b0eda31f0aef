"""A share of an import: a file that the database refuses takes nothing from those behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest

from acd.agents.claude_code import HISTORY
from acd.core.errors import DataRefused
from acd.history import reading, share
from acd.history.batch import Batches, Written
from acd.history.looking import look
from acd.history.reading import Part


class _Refusing:
    """Takes everything but what one file tells."""

    def __init__(self, refused: Path) -> None:
        self._refused = str(refused)
        self.written: list[str] = []
        self.refusals = 0

    async def write(self, parts: Sequence[Part]) -> Written:
        if any(part.path == self._refused for part in parts):
            self.refusals += 1
            await asyncio.sleep(0.2)  # the next batch is read by now
            raise DataRefused("no")
        self.written += [part.path for part in parts]
        return Written(set(), set(), set(), set())


async def test_a_refused_file_of_several_batches_is_named_and_the_next_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_AT_ONCE", 2000)
    monkeypatch.setattr(reading, "_PART_REQUESTS", 1)
    monkeypatch.setattr(share, "_BATCH_REQUESTS", 1)
    names = [f"{UUID(int=number)}.jsonl" for number in (1, 2, 3)]
    folder = tmp_path / "projects" / "p"
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        lines = [
            {
                "type": "assistant",
                "sessionId": name.removesuffix(".jsonl"),
                "cwd": "/p",
                "timestamp": f"2026-01-01T00:00:{line:02}.000Z",
                "message": {
                    "id": f"m{number}-{line}",
                    "model": "claude-haiku-5",
                    "content": [{"type": "text", "text": "x" * 200_000}],
                    "usage": {"input_tokens": 1, "output_tokens": 1},
                },
            }
            for line in range(12)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / name).write_text(text)
    first, refused, last = (folder / name for name in names)
    batches = _Refusing(refused)
    files = list(look([(HISTORY, [tmp_path])], {}))
    importing = share.ShareImport(cast(Batches, batches), lambda _: None)
    outcome = await importing.run([(one, None) for one in files])
    assert batches.refusals == 1
    assert [one.path for one in outcome.done.unread] == [str(refused)]
    assert batches.written.count(str(first)) > 2
    assert batches.written.count(str(last)) == batches.written.count(str(first))
