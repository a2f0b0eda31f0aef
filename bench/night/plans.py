"""What the agents of one target do, night after night the same for the same seed, and how that has to end.

A habit is a list of sessions; after the last one the agent is honest until nothing is left to do. So a target ends
complete, unless its habit is one that only a person can change: then it ends blocked, for a reason that names it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

Step = Mapping[str, Any]
Steps = Sequence[Step]

SAY: Step = {"do": "say"}
WORK: Step = {"do": "feature"}
_HONEST: Steps = [SAY, {"do": "feature", "count": 2}]
_BROKEN = (
    *("nul", "nul_escape", "lone_surrogate", "invalid_utf8", "bom", "cr", "truncated", "nan"),
    *("int64", "deep", "duplicate_keys", "unknown_type", "not_an_object", "blank", "long"),
)
_FLOOD_BYTES = 8_000_000


# 40 cents with sonnet-5.5, whose output costs 10 USD a million.
_COSTLY: Step = {"do": "say", "usage": {"output_tokens": 40_000}}
_UNASKED: Step = {
    "do": "bash",
    "command": "date +%s%N >> diary.txt && git add diary.txt && git commit -qm 'More of the diary'",
}


def _fail(error: str, **more: object) -> Step:
    return {"do": "fail", "error": error, **more}


PASSING: Mapping[str, Sequence[Steps]] = MappingProxyType(
    {
        "honest": [],
        "busy": [[SAY, WORK, {"do": "subagent", "model": "haiku"}, {"do": "retry"}]],
        "false claim": [[SAY, {"do": "claim_falsely"}]],
        "deleted feature": [[WORK, {"do": "delete_feature"}]],
        "reworded feature": [[WORK, {"do": "reword_feature"}]],
        "regression": [[WORK, {"do": "unclaim"}]],
        "hang": [[SAY, {"do": "hang"}]],
        "deaf hang": [[SAY, {"do": "hang", "ignore_signals": True}]],
        "lingering": [[WORK, {"do": "hang", "when": "after_result"}]],
        "flood": [[SAY, {"do": "flood", "bytes": _FLOOD_BYTES}]],
        "grandchildren": [
            [WORK, {"do": "grandchild", "detached": True, "ignore_term": True}],
            [WORK, {"do": "grandchild"}],
        ],
        "broken lines": [[WORK, {"do": "broken", "kinds": list(_BROKEN), "size": 2000}]],
        "rate limit": [[SAY, _fail("rate_limit")]],
        "usage limit": [[WORK, _fail("usage_limit", resets_in=3)]],
        "overloaded": [[SAY, _fail("overloaded")]],
        "server error": [[SAY, _fail("server")]],
        "no network": [[SAY, _fail("network")]],
        "long context": [[WORK, _fail("context")]],
        "long output": [[WORK, _fail("output_limit")]],
        "out of turns": [[WORK, _fail("max_turns")]],
        "out of budget": [[WORK, _fail("budget")]],
        "denied": [[WORK, _fail("permission")]],
        "exit": [[SAY, {"do": "exit", "code": 3, "stderr": "out of luck"}]],
        "killed": [[SAY, {"do": "exit", "signal": "KILL"}]],
        "half a list": [[WORK, {"do": "half_list"}]],
        "spendthrift": [[SAY, *[_COSTLY, {"do": "sleep", "seconds": 1}] * 12]],
        "crash": [[WORK, {"do": "exit", "signal": "SEGV"}]],
    }
)
"""Habits after which the work is done all the same."""

BLOCKING: Mapping[str, tuple[Steps, str]] = MappingProxyType(
    {
        "no login": ([SAY, _fail("auth")], "auth: "),
        "forbidden": ([SAY, _fail("forbidden")], "auth: "),
        "no credit": ([SAY, _fail("billing")], "billing: "),
        "no such model": ([SAY, _fail("model")], "model: "),
        "does not start": ([{"do": "config_error", "message": "error: bad flag"}], "config: "),
        "fails for ever": (
            [SAY, _fail("server")],
            "sessions in a row failed, the last with server: ",
        ),
        "spends for ever": ([_UNASKED, _COSTLY, _COSTLY], "used up: budget of this target"),
        "leads nowhere": ([SAY], "sessions in a row made no progress"),
    }
)
"""Habits that are kept for ever, and what the reason of the block says."""


class Planned(msgspec.Struct, frozen=True):
    """A target of the night. `reason` is part of the reason with which it is blocked; None: it is complete in the end."""

    name: str
    habit: str
    features: int
    sessions: list[Steps]
    reason: str | None = None

    @property
    def plans(self) -> list[dict[str, Any]]:
        """As a scenario has them; a session that only refuses to start says nothing else."""
        return [{"steps": list(steps)} for steps in self.sessions]


def plan_night(targets: int, seed: int) -> list[Planned]:
    """The targets of a night: every habit in turn, in a seeded order, then mixtures of three of them.

    A small night has a block, a false claim, a process that stays and a limit in any case.
    """
    rng = random.Random(seed)
    first = ["no login", "false claim", "grandchildren", "usage limit", "leads nowhere"]
    others = [name for name in (*PASSING, *BLOCKING) if name not in first]
    rng.shuffle(others)
    names = [*first, *others][:targets]
    planned = [_planned(f"t{number:02}", [name], rng) for number, name in enumerate(names)]
    for number in range(len(planned), targets):
        mixture = rng.sample(sorted(PASSING), 3)
        planned.append(_planned(f"t{number:02}", mixture, rng))
    return planned


def _planned(name: str, habits: Sequence[str], rng: random.Random) -> Planned:
    features = rng.randint(3, 6)
    habit = " + ".join(habits)
    if habits[0] in BLOCKING:
        steps, reason = BLOCKING[habits[0]]
        return Planned(name, habit, features, [steps], reason)
    sessions = [steps for each in habits for steps in PASSING[each]]
    return Planned(name, habit, features, [*sessions, _HONEST])
