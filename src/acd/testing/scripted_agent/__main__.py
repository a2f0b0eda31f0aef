"""The scripted agent's command line: `python -m acd.testing.scripted_agent -p PROMPT --session-id UUID …`."""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NoReturn
from uuid import UUID

from acd.testing import ledger
from acd.testing.prices import PRICES, full_name
from acd.testing.scripted_agent import acts, feature_list
from acd.testing.scripted_agent import ending as ends
from acd.testing.scripted_agent.recorder import Recorder
from acd.testing.scripted_agent.scenario import (
    ScenarioError,
    SessionPlan,
    TargetPlan,
    read_scenario,
)
from acd.testing.scripted_agent.session import Options, Session, text
from acd.testing.scripted_agent.signals import Stopped
from acd.testing.scripted_agent.wire import VERSION


class _Parser(argparse.ArgumentParser):
    """Like Claude Code: a wrong flag is exit status 1, with nothing on stdout."""

    def error(self, message: str) -> NoReturn:
        """Refuse."""
        self.exit(1, f"error: {message}\n")


def parse(arguments: Sequence[str]) -> tuple[Options, Path]:
    """The options, and the scenario file."""
    parser = _Parser(prog="scripted-agent", allow_abbrev=False)
    parser.add_argument("-p", dest="prompt", required=True)
    parser.add_argument("--session-id", type=UUID, required=True)
    parser.add_argument("--model", default="opus")
    parser.add_argument("--session-type", choices=("initializer", "coding"), default="coding")
    parser.add_argument("--scenario", type=Path, required=True)
    parser.add_argument("--fallback-model")
    parser.add_argument("--max-turns", type=int)
    parser.add_argument("--max-budget-usd", type=float)
    parser.add_argument("--version", action="version", version=f"{VERSION} (scripted)")
    given = vars(parser.parse_args(arguments))
    scenario: Path = given.pop("scenario")
    options = Options(**given | {"model": full_name(given["model"])})
    if options.model not in PRICES:
        parser.error(f"unknown model {options.model}")
    return options, scenario


def count_session(config_dir: Path, options: Options, listed: Path) -> int:
    """How many sessions of this type this target has had; this one is counted in, whoever else counts meanwhile."""
    target = sha256(_lasting_place(listed).encode()).hexdigest()[:16]
    place = config_dir / "state" / f"{Path.cwd().name}-{target}" / options.session_type
    place.mkdir(parents=True, exist_ok=True)
    index = len(list(place.iterdir()))
    while True:
        try:
            with (place / f"{index:06d}").open("x", encoding="utf-8") as mark:
                mark.write(f"{options.session_id}\n")
        except FileExistsError:
            index += 1
        else:
            return index


def _lasting_place(listed: Path) -> str:
    """What a target's sessions have in common, in worktrees too: the repository, the folder in it, the list's name."""
    shared = acts.git("rev-parse", "--path-format=absolute", "--git-common-dir", "--show-prefix")
    return f"{shared.stdout}:{listed.name}" if shared.returncode == 0 else str(listed)


def find_list(prompt: str, plan: TargetPlan | None) -> Path:
    """The feature list that prompt, scenario or custom name."""
    named = feature_list.path_in_prompt(prompt) or (plan and plan.feature_list)
    return Path(named or "feature_list.json").resolve()


def play(session: Session, plan: SessionPlan) -> int:
    """Perform the plan; the exit status."""
    try:
        session.gate.install()
        session.open(plan.api_key_source)
        for step in plan.steps:
            step.perform(session)
        if plan.closing:
            session.request([text(plan.closing)])
        ending = ends.done()
    except ends.SessionOver as over:
        ending = over.ending
    except Stopped as stop:
        ending = ends.stopped(stop.signum)
    try:
        return session.finish(ending)
    except Stopped as stop:
        return ends.stopped(stop.signum).exit_code


def start(options: Options, scenario_file: Path, environ: Mapping[str, str]) -> int:
    """Find this session's plan and play it; the exit status.

    Raises:
        ScenarioError: there is no plan, or a step cannot be performed.
        KeyError: a step names a feature that the list does not have.
    """
    if "SCRIPTED_CONFIG_DIR" not in environ:
        raise ScenarioError("SCRIPTED_CONFIG_DIR is not set: no place for transcripts")
    config_dir = Path(environ["SCRIPTED_CONFIG_DIR"])
    scenario = read_scenario(scenario_file)
    cwd = Path.cwd()
    name, target = scenario.target(cwd.name, find_list(options.prompt, None).name)
    listed = find_list(options.prompt, target)
    index = count_session(config_dir, options, listed)
    plan = target.plan(options.session_type, index)
    if plan.refusal is not None:
        raise ScenarioError(plan.refusal.message)
    own = config_dir / "ledger" / f"{options.session_id}.jsonl"
    book = ledger.LedgerWriter(Path(environ.get("SCRIPTED_LEDGER") or own))
    book.add(
        ledger.Begun(
            session_id=str(options.session_id),
            target=name,
            session_type=options.session_type,
            index=index,
            model=options.model,
            cwd=str(cwd),
        )
    )
    branch = acts.git("symbolic-ref", "--short", "-q", "HEAD").stdout.strip()
    recorder = Recorder(options.session_id, str(cwd), config_dir, branch)
    # Seeded on purpose: the same session again must spend the same.
    rng = random.Random(f"{scenario.seed}:{cwd.name}:{options.session_type}:{index}")  # noqa: S311
    return play(Session(options, recorder, book, rng, listed, target.features), plan)


def main() -> int:
    """Run the agent; what is wrong with scenario or command line is exit status 1 and a line on stderr."""
    options, scenario_file = parse(sys.argv[1:])
    try:
        return start(options, scenario_file, os.environ)
    except (ScenarioError, KeyError) as error:
        print(f"scripted-agent: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
