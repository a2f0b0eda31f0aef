"""The endpoint as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from acd.testing.brain import Brain
from acd.testing.endpoint import Endpoint, Reply, Script
from acd.testing.endpoint.server import ANY


class Scripts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario file."""

    scripts: dict[str, list[Reply]]


def read_scripts(path: Path) -> dict[str, Script]:
    """The scripts of a scenario file.

    Raises:
        ValueError: naming the place that is wrong.
    """
    try:
        read = msgspec.json.decode(path.read_bytes(), type=Scripts)
    except msgspec.DecodeError as error:
        raise ValueError(f"scenario {path}: {error}") from error
    empty = [name for name, replies in read.scripts.items() if not replies]
    if empty:
        raise ValueError(f"scenario {path}: script {empty[0]!r} has no replies")
    return dict(read.scripts)


async def serve(scripts: dict[str, Script], port: int, ledger: Path | None) -> None:
    """Serve until the process is stopped; the address is printed first."""
    async with Endpoint(scripts, port=port, ledger=ledger) as endpoint:
        print(msgspec.json.encode({"url": endpoint.url()}).decode(), flush=True)
        await endpoint.serve_forever()


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m acd.testing.endpoint")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--scenario", type=Path)
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--brain", action="store_true")
    given = parser.parse_args()
    try:
        scripts = read_scripts(given.scenario) if given.scenario else {}
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if given.brain:
        scripts[ANY] = Brain()
    try:
        asyncio.run(serve(scripts, given.port, given.ledger))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
