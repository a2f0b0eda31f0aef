"""`python -m bench [name …] [--json]`: every benchmark, or those named."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import msgspec
from rich.console import Console

from bench import api, fleet, flood, idle, imports, ledger, live, pages, session, statusline
from bench.figures import Outcome, place, show

_BENCHMARKS: dict[str, Callable[[], Coroutine[Any, Any, Outcome]]] = {
    "ledger": ledger.measure,
    "live": live.measure,
    "session": session.measure,
    "flood": flood.measure,
    "fleet": fleet.measure,
    "idle": idle.measure,
    "api": api.measure,
    "pages": pages.measure,
    "import": imports.measure,
    "statusline": statusline.measure,
}
_SCALED = {"api": api.measure, "pages": pages.measure, "import": imports.measure}


def main() -> None:
    """Measure, print, and fail when an aim was missed with `--strict`."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(_BENCHMARKS))
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--strict", action="store_true", help="exit 1 when an aim was missed")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="of the databases of `api` and `pages`, the history of `import`: to try it, not to measure",
    )
    given = parser.parse_args()
    benchmarks = _BENCHMARKS | {
        name: partial(scaled, given.scale) for name, scaled in _SCALED.items()
    }
    unknown = set(given.names) - set(_BENCHMARKS)
    if unknown:
        parser.error(
            f"no benchmark named {', '.join(sorted(unknown))}; there are: {', '.join(_BENCHMARKS)}"
        )
    console = Console(stderr=given.json)
    outcomes: list[Outcome] = []
    for name in given.names or _BENCHMARKS:
        outcomes.append(asyncio.run(benchmarks[name]()))
        show(outcomes[-1], console)
    where = place()
    if given.json:
        print(msgspec.json.encode({"place": where, "outcomes": outcomes}).decode())
    else:
        console.print(_told(msgspec.to_builtins(where)))
    missed = any(figure.met is False for outcome in outcomes for figure in outcome.figures)
    sys.exit(1 if missed and given.strict else 0)


def _told(where: dict[str, object]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in where.items())


if __name__ == "__main__":
    main()
