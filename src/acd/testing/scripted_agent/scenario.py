"""Reading a scenario file; its format is described in the package's docstring."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from acd.testing.prices import PRICES, full_name
from acd.testing.scripted_agent.mischief import (
    ConfigError,
    Exit,
    Fail,
    Flood,
    Hang,
    LeaveGrandchild,
    PrintBroken,
)
from acd.testing.scripted_agent.news import BeDenied, FallBack, Retry, WarnOfLimit
from acd.testing.scripted_agent.steps import (
    Asking,
    Initialize,
    RunBash,
    Say,
    ShowTool,
    Sleep,
    WorkOnFeature,
)
from acd.testing.scripted_agent.subagents import UseSubagent
from acd.testing.scripted_agent.tampering import (
    ClaimFalsely,
    DeleteFeature,
    HalfWriteList,
    RewordFeature,
    Unclaim,
)
from acd.testing.scripted_agent.wire import Json

AnyStep = (
    WorkOnFeature
    | Initialize
    | Say
    | RunBash
    | ShowTool
    | UseSubagent
    | Sleep
    | Retry
    | FallBack
    | WarnOfLimit
    | BeDenied
    | Fail
    | ConfigError
    | Exit
    | Hang
    | Flood
    | PrintBroken
    | LeaveGrandchild
    | ClaimFalsely
    | Unclaim
    | DeleteFeature
    | RewordFeature
    | HalfWriteList
)


class ScenarioError(Exception):
    """The scenario file cannot be used; the message names the place."""


class SessionPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One session: its steps, then a request answered with `closing` (none where that is empty)."""

    steps: list[AnyStep]
    closing: str = "Done."

    @property
    def refusal(self) -> ConfigError | None:
        """Why the agent does not even start, where it does not."""
        first = self.steps[0] if self.steps else None
        return first if isinstance(first, ConfigError) else None

    @property
    def api_key_source(self) -> str:
        """As the init line tells it: a subscription has no key."""
        return "none" if any(s.needs_subscription for s in self.steps) else "ANTHROPIC_API_KEY"


class TargetPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens in one repository, session by session; the last of a list repeats."""

    feature_list: str | None = None
    features: list[Json] = []
    initializer: list[SessionPlan] = msgspec.field(
        default_factory=lambda: [SessionPlan(steps=[Initialize()])]
    )
    sessions: list[SessionPlan] = msgspec.field(
        default_factory=lambda: [SessionPlan(steps=[WorkOnFeature()])]
    )

    def plan(self, session_type: Literal["initializer", "coding"], index: int) -> SessionPlan:
        """The plan of the session with that number (from 0) among those of its type."""
        plans = self.initializer if session_type == "initializer" else self.sessions
        return plans[min(index, len(plans) - 1)]


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Plans by target; `seed` decides all seeded usage."""

    targets: dict[str, TargetPlan]
    seed: int = 0

    def target(self, folder: str, list_name: str) -> tuple[str, TargetPlan]:
        """Name and plan for a repository's folder: by `folder/list file`, else by folder, else `*`.

        Raises:
            ScenarioError: none of them is there.
        """
        for name in (f"{folder}/{list_name}", folder, "*"):
            if name in self.targets:
                return name, self.targets[name]
        raise ScenarioError(f"no target {folder!r} and no target '*' in the scenario")


def read_scenario(path: Path) -> Scenario:
    """Read and check a scenario file.

    Raises:
        ScenarioError: naming the file and the place in it.
    """
    try:
        scenario = msgspec.json.decode(path.read_bytes(), type=Scenario)
    except OSError as error:
        raise ScenarioError(f"scenario {path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ScenarioError(f"scenario {path}: {error}") from error
    for name, target in scenario.targets.items():
        _check(f"scenario {path}: target {name!r}", target)
    return scenario


def _check(where: str, target: TargetPlan) -> None:
    for plans, label in ((target.initializer, "initializer"), (target.sessions, "sessions")):
        if not plans:
            raise ScenarioError(f"{where}: {label} is an empty list")
        for number, plan in enumerate(plans):
            for step in plan.steps:
                _check_step(f"{where}: {label}[{number}]", step, len(plan.steps))


def _check_step(where: str, step: AnyStep, steps: int) -> None:
    if isinstance(step, ConfigError) and steps > 1:
        raise ScenarioError(f"{where}: config_error must be the only step")
    model = step.model if isinstance(step, Asking | FallBack) else None
    if model is not None and full_name(model) not in PRICES:
        raise ScenarioError(f"{where}: no price for model {model!r}")
