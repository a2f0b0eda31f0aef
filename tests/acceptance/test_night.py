"""A small night (`make night` is a whole one): it ends by itself, and nothing is wrong in the morning.

The control lets the checker see that it can fail: an agent's word is changed, a row is taken away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench.night.check import look
from bench.night.plans import BLOCKING, PASSING, plan_night
from bench.night.run import live_through
from bench.night.world import Server

TARGETS, SEED = 6, 1


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    own = Server(tmp_path / "server")
    yield own
    own.remove()


def test_a_night_has_every_habit_and_is_the_same_every_time() -> None:
    night = plan_night(40, SEED)
    assert {each.habit for each in night} >= {*PASSING, *BLOCKING}
    assert [each.name for each in night] == [f"t{number:02}" for number in range(40)]
    assert plan_night(40, SEED) == night
    assert plan_night(40, SEED + 1) != night


@pytest.mark.extra
@pytest.mark.timeout(600)
async def test_a_small_night(tmp_path: Path, server: Server) -> None:
    folder = tmp_path / "night"
    folder.mkdir()
    machine, lived = await live_through(
        folder, server, targets=TARGETS, seed=SEED, restarts=1, kills=1, tell=print
    )
    night, own = plan_night(TARGETS, SEED), machine.agents_own
    assert (lived.restarts, lived.kills, lived.exit_status) == (1, 1, 1)  # 1: some are blocked
    morning = await look(folder, server.url, night, own)
    assert morning.wrong == []
    assert morning.recorded_usd == morning.counted_usd > 0

    # The checker sees what is lost, what is doubled, and an end that is not true.
    with psycopg.connect(server.url) as database:
        changed = database.execute(
            "UPDATE harness_sessions SET cost_usd = cost_usd + 1 WHERE session_number = 1"
        )
        assert changed.rowcount == TARGETS
        database.execute("UPDATE targets SET status = 'complete' WHERE repo_id = 't00'")
        database.execute("DELETE FROM harness_commits")
    wrong = (await look(folder, server.url, night, own)).wrong
    assert sum(": recorded " in line for line in wrong) == TARGETS
    assert [line for line in wrong if re.match(r"t00 \(no login\) is complete", line)]
    assert [line for line in wrong if "commits of agents are not recorded" in line]
