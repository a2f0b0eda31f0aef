"""Three machines, 30 targets, one of them loses its power: nothing lost, nothing doubled, everything done."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from acd.testing.ledger import SessionTotals
from acd.testing.machines import Machine
from acd.testing.proxy import Address, Proxy

pytestmark = [pytest.mark.extra, pytest.mark.timeout(600)]

TARGETS = 30
# What an agent itself sees: whether another one that lives is at work on the same target.
ALONE = """
target=$(basename "$(dirname "$(realpath "$(git rev-parse --git-common-dir)")")")
mark={busy}/$target
if [ -e "$mark" ] && kill -0 "$(cat "$mark")" 2>/dev/null; then echo "$target" >> {busy}/doubled; fi
echo $PPID > "$mark"
if mkdir {busy}/begun-$target 2>/dev/null; then sleep {first}; else sleep {seconds}; fi
rm -f "$mark"
"""


class World:
    """Targets that can only be cloned, and machines that work them."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.url = database_url
        self.busy = folder / "busy"
        self.busy.mkdir()
        self.queue = folder / "repo-queue.json"
        self.scenario = folder / "scenario.json"

    def prepare(self, targets: int, seconds: float, *, first: float | None = None) -> None:
        """`first`: how long the first session of a target takes, wherever it is worked."""
        source = self.folder / "source"
        source.mkdir()
        features = [{"id": f"F{n}", "name": f"Feature {n}", "passes": False} for n in (1, 2)]
        (source / "feature_list.json").write_text(json.dumps(features))
        identity: list[str] = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"]):
            subprocess.run(["git", "-C", str(source), *identity, *words], check=True)
        entries = [
            {"id": f"t{n:02}", "path": f"nowhere/t{n:02}", "clone": "source", "agent": "scripted"}
            for n in range(targets)
        ]
        self.queue.write_text(json.dumps({"repos": entries}))
        command = ALONE.format(busy=self.busy, seconds=seconds, first=first or seconds)
        steps = [{"do": "say"}, {"do": "bash", "command": command}, {"do": "feature", "count": 2}]
        sessions = {"sessions": [{"steps": steps}]}
        self.scenario.write_text(json.dumps({"seed": 1, "targets": {"*": sessions}}))

    def machine(self, name: str, **settings: str) -> Machine:
        return Machine(
            name,
            self.folder,
            {
                "DATABASE_URL": self.url,
                "ACD_SCENARIO": str(self.scenario),
                "ACD_CONCURRENCY": "3",
                "ACD_LEASE_SECONDS": "15",
                "ACD_TERMINATE_GRACE": "2",
                "ACD_RETRY_BASE": "0.2",
                "ACD_RETRY_MAX": "1",
                **settings,
            },
        )

    def rows(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), arguments).fetchall()

    @property
    def doubled(self) -> list[str]:
        """Targets on which an agent met another one."""
        found = self.busy / "doubled"
        return found.read_text().split() if found.exists() else []


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    return World(tmp_path, database_url)


async def until(condition: Callable[[], object], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.1)


def assert_recorded(world: World, own: Mapping[str, SessionTotals]) -> None:
    """Each session of each agent is one row that has ended, with what the agent itself counted."""
    rows = {str(row["id"]): row for row in world.rows("SELECT * FROM harness_sessions")}
    assert set(own) <= set(rows)
    assert [row["id"] for row in rows.values() if row["status"] == "running"] == []
    assert [row["id"] for row in rows.values() if row["presumed_at"]] == []
    for session_id, row in rows.items():
        counted = own.get(session_id, SessionTotals()).sum
        assert (row["input_tokens"], row["output_tokens"], row["cost_usd"]) == (
            counted.tokens.input_tokens,
            counted.tokens.output_tokens,
            counted.cost_usd,
        ), session_id
    numbers = [(row["target_id"], row["session_number"]) for row in rows.values()]
    assert len(numbers) == len(set(numbers))


async def test_a_machine_that_dies_is_stood_in_for_and_comes_back(world: World) -> None:
    world.prepare(TARGETS, seconds=3)
    one, two, three = (world.machine(name) for name in ("one", "two", "three"))
    async with AsyncExitStack() as working:
        run = ("run", "--no-serve", "--no-live", "--queue", str(world.queue))
        first = await working.enter_async_context(one.at_work(*run))
        await until(lambda: world.rows("SELECT 1 FROM targets") != [])
        for machine in (two, three):
            await working.enter_async_context(machine.at_work("worker", "--no-live"))
        await until(
            lambda: sum(each.begun is not None for each in two.agents_own.sessions.values()) >= 4
        )
        two.kill()
        held = world.rows(
            "SELECT t.repo_id FROM target_places p JOIN targets t ON t.id = p.target_id"
            " WHERE p.host = 'two' AND p.worker_id IS NOT NULL"
        )
        assert held  # it died in the middle of work
        assert await asyncio.wait_for(first.wait(), 400) == 0
        await three.stop()
    dead = two.agents_own.sessions
    assert {row["status"] for row in world.rows("SELECT status FROM targets")} == {"complete"}
    assert world.doubled == []
    presumed = world.rows(
        "SELECT host, status, error_type FROM harness_sessions WHERE presumed_at IS NOT NULL"
    )
    assert {tuple(row.values()) for row in presumed} == {("two", "failed", "interrupted")}
    later = world.rows(
        "SELECT p.host FROM target_places p JOIN targets t ON t.id = p.target_id"
        " WHERE t.repo_id = ANY(%s)",
        [row["repo_id"] for row in held],
    )
    assert "two" not in {row["host"] for row in later}

    # The dead machine is back: what it had not recorded is recorded now, and changes no feature.
    async with two.at_work("worker", "--no-live"):
        await until(
            lambda: (
                not world.rows(
                    "SELECT 1 FROM harness_sessions WHERE presumed_at IS NOT NULL OR status = 'running'"
                )
                and len(world.rows("SELECT 1 FROM harness_sessions WHERE host = 'two'"))
                >= len(dead)
            )
        )
        await two.stop()
    own = {**one.agents_own.sessions, **two.agents_own.sessions, **three.agents_own.sessions}
    assert len(own) == sum(len(m.agents_own.sessions) for m in (one, two, three))
    assert_recorded(world, own)
    assert {row["status"] for row in world.rows("SELECT status FROM targets")} == {"complete"}


@pytest.fixture
async def cable(world: World) -> AsyncIterator[tuple[Proxy, str]]:
    """A way to the database that can be pulled out, and the database's URL by that way."""
    places = conninfo_to_dict(world.url)
    host, port = str(places["host"]), int(str(places["port"]))
    server: Address = Path(host) / f".s.PGSQL.{port}" if host.startswith("/") else (host, port)
    async with Proxy(server) as proxy:
        login = f"{places['user']}:{places.get('password', '')}"
        address = f"127.0.0.1:{proxy.port}/{places['dbname']}?sslmode=disable"
        yield proxy, f"postgresql://{login}@{address}"


async def test_a_machine_that_is_cut_off_lets_go_before_another_takes_over(
    world: World, cable: tuple[Proxy, str]
) -> None:
    world.prepare(1, seconds=1, first=120)
    proxy, url = cable
    one, two = world.machine("one", DATABASE_URL=url), world.machine("two")
    sessions = "SELECT id::text, host, status, error_type, error_message, presumed_at FROM harness_sessions ORDER BY started_at"
    async with AsyncExitStack() as working:
        run = ("run", "--no-serve", "--no-live", "--queue", str(world.queue))
        first = await working.enter_async_context(one.at_work(*run))
        mark = world.busy / "t00"
        await until(lambda: mark.exists() and mark.read_text().strip())
        agent = psutil.Process(int(mark.read_text()))
        await working.enter_async_context(two.at_work("worker", "--no-live"))
        await until(lambda: len(world.rows("SELECT 1 FROM workers")) == 2)
        proxy.stall()
        await until(lambda: two.agents_own.sessions)
        assert not agent.is_running()  # it was ended before the other one began
        await until(lambda: "completed" in [row["status"] for row in world.rows(sessions)])
        before, after = world.rows(sessions)
        assert (before["host"], before["status"], before["error_type"]) == (
            "one",
            "failed",
            "interrupted",
        )
        assert before["presumed_at"] is not None
        assert (after["host"], after["status"]) == ("two", "completed")
        proxy.flow()
        assert await asyncio.wait_for(first.wait(), 120) == 0
        await two.stop()
    assert world.doubled == []
    assert [row["presumed_at"] for row in world.rows(sessions)] == [None, None]
    assert "the database could not be reached" in world.rows(sessions)[0]["error_message"]
    assert world.rows("SELECT status FROM targets") == [{"status": "complete"}]
    assert_recorded(world, {**one.agents_own.sessions, **two.agents_own.sessions})
