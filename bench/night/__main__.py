"""`python -m bench.night`: live through a night, look at everything in the morning, print a table."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.night.check import Morning, look
from bench.night.plans import Planned, plan_night
from bench.night.run import Lived, live_through
from bench.night.world import BUDGET_USD, Server


def main() -> None:
    """Exit status 1 when anything is not as it has to be; `--keep` then leaves the folder there to be looked at."""
    parser = argparse.ArgumentParser(prog="python -m bench.night", description=__doc__)
    parser.add_argument("--targets", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--restarts", type=int, default=3, help="of the database")
    parser.add_argument("--kills", type=int, default=2, help="of the harness, with KILL")
    parser.add_argument(
        "--set", action="append", default=[], metavar="ACD_NAME=VALUE", help="a setting; repeatable"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    given = parser.parse_args()
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="acd-night-"))
    server = Server(folder / "server")
    try:
        morning = asyncio.run(_night(folder, server, given, console))
    finally:
        server.remove()
        console.print(f"everything is in {folder}" if given.keep else "")
        if not given.keep:
            shutil.rmtree(folder)
    sys.exit(1 if morning.wrong else 0)


async def _night(
    folder: Path, server: Server, given: argparse.Namespace, console: Console
) -> Morning:
    night = plan_night(given.targets, given.seed)
    machine, lived = await live_through(
        folder,
        server,
        targets=given.targets,
        seed=given.seed,
        restarts=given.restarts,
        kills=given.kills,
        settings=dict(each.split("=", 1) for each in given.set),
        tell=console.print,
    )
    morning = await look(folder, server.url, night, machine.agents_own)
    _show(console, night, lived, morning)
    return morning


def _show(console: Console, night: Sequence[Planned], lived: Lived, morning: Morning) -> None:
    table = Table("target", "habit", "status", "sessions", "failed", "USD", "reason")
    habits = {each.name: each.habit for each in night}
    for row in morning.targets:
        table.add_row(
            row["repo_id"],
            habits.get(row["repo_id"], "?"),
            row["status"],
            str(row["sessions"]),
            str(row["failed"]),
            f"{row['cost_usd']:.2f}",
            str(row["status_reason"] or ""),
        )
    console.print(table)
    console.print(
        f"{morning.sessions} sessions in {lived.seconds:.0f} s, {lived.restarts} restarts of the database, {lived.kills} kills "
        f"of the harness; recorded {morning.recorded_usd} USD, the agents counted {morning.counted_usd} USD, "
        f"the budget was {BUDGET_USD:g} USD"
    )
    for line in morning.wrong:
        console.print(f"WRONG: {line}", markup=False)
    if not morning.wrong:
        console.print("Nothing is wrong.")


if __name__ == "__main__":
    main()
