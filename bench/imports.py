"""`acd import` of a gigabyte of Claude Code's history against one `ccusage daily` over the same files.

ccusage reads everything again whenever it is asked and keeps nothing; ours leaves rows in PostgreSQL, and reads what is
new. So three of ours stand against one of theirs: the first import, one with nothing new, and the question afterwards.
Both have to come to the totals that the generator of the history wrote down.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import psycopg

from bench.figures import REPEATS, Figure, Outcome, aimed
from bench.history_corpus import Expected, Plan, write_history
from bench.programs import Ran, run, server_pid
from bench.scratch import Scratch, scratch_server

SIZE = 1_000_000_000
PEER = "ccusage@20.0.24"
_MEMORY = 300_000_000
_ACD = (sys.executable, "-m", "acd")
_SUMS = """
SELECT sum(input_tokens)::bigint, sum(output_tokens)::bigint, sum(cache_read_tokens)::bigint,
       sum(cache_write_tokens)::bigint
FROM token_usage_details
"""


class NoPeer(Exception):
    """The program to compare with cannot be had; says what to install."""


async def measure(scale: float = 1.0) -> Outcome:
    """Seconds, processors and memory of both, in turns."""
    with scratch_server() as scratch:
        peer = await _install_peer(scratch.folder / "peer")
        await scratch.create_template()
        history = scratch.folder / "history"
        expected = write_history(history, Plan(int(SIZE * scale)))
        bench = _Bench(scratch, history, expected, peer)
        for _ in range(REPEATS):
            await bench.round()
        return bench.outcome()


async def _install_peer(folder: Path) -> Path:
    """The peer's program, from npm into a folder of its own.

    Raises:
        NoPeer: there is no npm.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NoPeer(
            f"{PEER} comes from npm: install Node.js with npm (Debian: apt-get install npm)"
        )
    folder.mkdir()
    # With the user's own settings: which registry npm asks is theirs to say.
    await run([npm, "install", "--silent", "--prefix", str(folder), PEER], os.environ)
    return folder / "node_modules" / ".bin" / "ccusage"


class _Bench:
    """What was measured so far, by contestant."""

    def __init__(self, scratch: Scratch, history: Path, expected: Expected, peer: Path) -> None:
        self._scratch = scratch
        self._history = history
        self._expected = expected
        self._peer = peer
        self._server = server_pid(scratch.url("postgres"))
        self._found: dict[str, list[Ran]] = {}
        self._home = scratch.folder / "home-of-both"
        self._home.mkdir()

    async def round(self) -> None:
        """Each contestant once, ours into an empty database."""
        told = await self._run("ccusage daily", [str(self._peer), "daily", "--offline", "--json"])
        self._compare("ccusage", _peer_totals(told.out))
        url = self._scratch.create()
        ours = {"DATABASE_URL": url}
        await self._run("first import", [*_ACD, "import"], ours)
        self._compare("acd", _our_totals(url))
        await self._run("import, nothing new", [*_ACD, "import"], ours)
        await self._run("acd usage --daily", [*_ACD, "usage", "--daily"], ours)
        await self._run("acd --version", [*_ACD, "--version"], ours)
        self._scratch.drop(url)

    async def _run(self, name: str, argv: Sequence[str], more: dict[str, str] | None = None) -> Ran:
        environment = {
            "HOME": str(self._home),
            "ACD_HOME": str(self._home / "acd"),
            "CLAUDE_CONFIG_DIR": str(self._history),
        } | (more or {})
        ran = await run(argv, environment, server=self._server if more else None)
        self._found.setdefault(name, []).append(ran)
        return ran

    def _compare(self, who: str, got: tuple[int, ...]) -> None:
        total = self._expected.total
        right = (
            total.input_tokens,
            total.output_tokens,
            total.cache_read_tokens,
            total.cache_write_tokens,
        )
        assert got == right, f"{who} counts {got}, right is {right} (input, output, read, written)"

    def outcome(self) -> Outcome:
        """Medians, and how ours stand to theirs."""
        peer, first, again, asked = (
            self._median(name, lambda ran: ran.wall)
            for name in (
                "ccusage daily",
                "first import",
                "import, nothing new",
                "acd usage --daily",
            )
        )
        memory = max(ran.memory for ran in self._found["first import"])
        cpu = self._median("first import", lambda ran: ran.cpu)
        peer_cpu = self._median("ccusage daily", lambda ran: ran.cpu)
        expected = self._expected
        return Outcome(
            "import: a first import against one `ccusage daily`",
            [
                *(self._figure(name) for name in self._found),
                aimed("first import ÷ ccusage daily", first / peer, "", below=1, note="aim: half"),
                aimed("CPU of the importer ÷ ccusage's", cpu / peer_cpu, "", below=1),
                aimed("memory of the importer", memory / 1e6, "MB", below=_MEMORY / 1e6),
                aimed("nothing new ÷ ccusage daily", 100 * again / peer, "%", below=5),
                aimed("acd usage ÷ ccusage daily", 100 * asked / peer, "%", below=5),
            ],
            [
                f"{expected.bytes / 1e6:,.0f} MB in {expected.files:,} files, {expected.lines:,} lines, "
                f"{expected.total.requests:,} requests; warm cache; median of {REPEATS} in turns; "
                "tokens of all four kinds equal the generator's in each run of both"
            ],
        )

    def _figure(self, name: str) -> Figure:
        cpu = self._median(name, lambda ran: ran.cpu)
        server = self._median(name, lambda ran: ran.server_cpu)
        memory = max(ran.memory for ran in self._found[name])
        note = f"CPU {cpu:.2f} s, PostgreSQL {server:.2f} s, {memory / 1e6:.0f} MB"
        wall = self._median(name, lambda ran: ran.wall)
        return Figure(name=name, value=wall, unit="s", note=note)

    def _median(self, name: str, value: Callable[[Ran], float]) -> float:
        return median(value(ran) for ran in self._found[name])


def _peer_totals(out: bytes) -> tuple[int, ...]:
    total = json.loads(out)["totals"]
    return (
        total["inputTokens"],
        total["outputTokens"],
        total["cacheReadTokens"],
        total["cacheCreationTokens"],
    )


def _our_totals(url: str) -> tuple[int, ...]:
    with psycopg.connect(url) as connection:
        row = connection.execute(_SUMS).fetchone()
    assert row is not None
    return tuple(row)
