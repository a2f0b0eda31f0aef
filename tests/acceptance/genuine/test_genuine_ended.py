"""Sessions of Claude Code that acd ends, and what is left of their processes: nothing."""

from __future__ import annotations

import signal

import pytest

from acd.database.connection import Database
from acd.testing.brain import Brain
from acd.testing.endpoint import Endpoint, Request
from acd.testing.prices import Tokens
from tests.acceptance.genuine.books import assert_books_agree
from tests.acceptance.genuine.scripts import Move, bash
from tests.acceptance.genuine.stage import Stage, finished
from tests.acceptance.genuine.work import AtWork, holds_open

pytestmark = pytest.mark.extra


async def test_ctrl_c_ends_the_agent_in_order(stage: Stage, database: Database) -> None:
    """Its shell command runs in a process session of its own; it is ended with the rest. The next run does the work."""
    work = AtWork(stage)
    async with Endpoint({"*": work.script}) as endpoint:
        async with stage.running(endpoint) as process:
            await work.begun()
            process.send_signal(signal.SIGINT)
            ran = await finished(process)
        assert stage.processes() == []
        assert ran.status == 130, ran.said
        (session,) = stage.sessions()
        assert (session["status"], session["error_type"]) == ("failed", "interrupted")
        assert session["exit_code"] == 143
        assert [error["error_type"] for error in stage.errors()] == ["interrupted"]
        await assert_books_agree(stage, endpoint, database)
        ran = await stage.run(endpoint)
    assert ran.status == 0, ran.said
    assert [row["status"] for row in stage.sessions()] == ["failed", "completed", "completed"]
    assert stage.target()["status"] == "complete"
    await assert_books_agree(stage, endpoint, database)


async def test_what_an_agent_leaves_running_is_ended_with_its_session(
    stage: Stage, database: Database
) -> None:
    """One in the background of its shell, one that made itself a process session. Neither holds the repository."""
    repo = stage.repository("shop", ["F1"])
    stage.write_queue({"id": "shop"})
    leave = "nohup sleep 301 >/dev/null 2>&1 & setsid -f sleep 302 >/dev/null 2>&1"
    brain, seen = Brain(), dict[str, bool]()

    def script(request: Request) -> Move:
        if request.turn == 0:
            return bash(f"{leave}; cat feature_list.json", Tokens(97, 41, 0, 1000, 100))
        for process in stage.programs("sleep"):
            seen[process.cmdline()[-1]] = holds_open(process, repo / ".git")
        return brain(request)

    async with Endpoint({"*": script}) as endpoint:
        ran = await stage.run(endpoint)
    assert ran.status == 0, ran.said
    assert seen == {"301": False, "302": False}
    assert stage.processes() == []
    assert [row["status"] for row in stage.sessions()] == ["completed"]
    await assert_books_agree(stage, endpoint, database)
