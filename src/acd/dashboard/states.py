"""Words for states: which of the few colours and drawings a state is shown with. The word itself always stands beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Tone = Literal["running", "passing", "failed", "waiting", "idle"]


class State(NamedTuple):
    """How a state looks: its colour's meaning, its drawing in `icons.html`, and its word."""

    tone: Tone
    icon: str
    word: str


_RUNNING: State = State("running", "dot", "running")
_STATES: Mapping[str, State] = {
    "running": _RUNNING,
    "active": State("waiting", "clock", "in the queue"),
    "due": State("waiting", "clock", "next"),
    "waiting": State("waiting", "clock", "waiting"),
    "claimed": State("waiting", "clock", "claimed"),
    "draining": State("waiting", "clock", "draining"),
    "complete": State("passing", "check", "complete"),
    "completed": State("passing", "check", "completed"),
    "passing": State("passing", "check", "passing"),
    "resolved": State("passing", "check", "resolved"),
    "failed": State("failed", "cross", "failed"),
    "blocked": State("failed", "cross", "stuck"),
    "rejected": State("failed", "cross", "rejected"),
    "regressed": State("failed", "cross", "regressed"),
    "failing": State("failed", "cross", "failing"),
    "stopping": State("failed", "cross", "stopping"),
    "paused": State("idle", "pause", "paused"),
    "disabled": State("idle", "pause", "disabled"),
}


def state(word: str) -> State:
    """How a state of a session, target, feature or queue looks; one that is not known here is shown quietly."""
    return _STATES.get(word, State("idle", "ring", word.replace("_", " ")))


FILTERS = {"state": state}
