"""Every history conforms on what the genuine agents wrote; and the suite notices one that does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.agents.codex import CodexHistory
from acd.agents.codex.rollout import Rollout
from acd.agents.histories import history_names, load_history, provider_by_agent
from acd.agents.history import HistoryFile, LineReader
from acd.core.events import Event, RequestSeen, TextSaid
from acd.testing.history_conformance import problems_of_history

DATA = Path(__file__).parent.parent / "data"
OTHERS = [name for name in history_names() if name != "claude-code"]


@pytest.mark.parametrize("name", OTHERS)
def test_histories_conform(name: str, tmp_path: Path) -> None:
    assert problems_of_history(load_history(name), DATA / name, tmp_path) == []


@pytest.mark.parametrize("name", OTHERS)
def test_no_agent_takes_what_another_left(name: str) -> None:
    folder = DATA / name
    left = list(load_history(name).files(folder))
    for other in set(history_names()) - {name}:
        history = load_history(other)
        taken = [*history.files(folder), *(f for one in left for f in history.files(one.path))]
        assert taken == [], other


class _Doubling(Rollout):
    """Tells requests only where texts are wanted, and stumbles over what is no object."""

    def read(self, line: bytes) -> list[Event]:
        if line == b"[]":
            raise KeyError
        events = super().read(line)
        if not self._told:
            return [event for event in events if not isinstance(event, RequestSeen)]
        return [*events, TextSaid(role="agent", text="a\0b")]


class _Wrong(CodexHistory):
    name = "Codex"
    from_anywhere = True

    def reader(self, file: HistoryFile, *, told: bool) -> LineReader:
        return _Doubling("a-file", told=told)


def test_the_suite_notices_what_is_wrong(tmp_path: Path) -> None:
    found = " ".join(problems_of_history(_Wrong(), DATA / "codex", tmp_path))
    for problem in (
        "is not a lower-case word",
        "does not begin with 'Codex'",
        "cannot store",
        "tells other requests where texts are wanted",
        "raises KeyError instead of UnreadableLine",
    ):
        assert problem in found


def test_a_reader_that_needs_the_lines_before_may_not_say_otherwise(tmp_path: Path) -> None:
    class Hasty(CodexHistory):
        from_anywhere = True

    found = problems_of_history(Hasty(), DATA / "codex", tmp_path)
    assert any("says from_anywhere" in problem for problem in found)


def test_agents_that_are_only_imported_have_prices_too() -> None:
    known = provider_by_agent()
    assert (known["codex"], known["gemini-cli"], known["claude-code"]) == (
        "openai",
        "google",
        "anthropic",
    )
    assert "scripted" in known
