"""Claude Code killed at work, and `acd run` killed while Claude Code works: nothing is lost, nothing happens twice."""

from __future__ import annotations

import asyncio
import signal

import pytest

from acd.core.facts import Adopted
from acd.database.connection import Database
from acd.files.folder import SessionFolder
from acd.files.locks import is_held
from acd.testing.endpoint import Endpoint, Reply, Request, Text
from acd.testing.prices import Tokens
from tests.acceptance.genuine.books import assert_books_agree, assert_one_after_another
from tests.acceptance.genuine.scripts import ASK_A_SCOUT, FirstSession, Move, looks_then
from tests.acceptance.genuine.stage import Stage, finished, until
from tests.acceptance.genuine.work import AtWork, holds_open, started_process

pytestmark = pytest.mark.extra


def unended(*, after_block: bool) -> Reply:
    """A reply whose stream goes silent, in its first block or after it."""
    return Reply(
        blocks=[Text(text="A long answer that takes its time."), Text(text="Its end.")],
        usage=Tokens(1009, 290, 500, 70, 30),
        cut="stall",
        cut_after_block=after_block,
    )


@pytest.mark.parametrize(
    ("number", "exit_code", "after_block"),
    [
        (signal.SIGTERM, 143, False),
        (signal.SIGTERM, 143, True),
        (signal.SIGKILL, -9, True),
    ],
)
async def test_an_agent_killed_in_the_middle_of_a_reply(
    stage: Stage,
    database: Database,
    number: signal.Signals,
    exit_code: int,
    after_block: bool,
) -> None:
    """What it had printed of the broken reply stays, as the reply's beginning told it; the next session does the work."""
    stage.repository("shop", ["F1"])
    stage.write_queue({"id": "shop"})
    script = FirstSession(looks_then(unended(after_block=after_block)))
    async with Endpoint({"*": script}) as endpoint, stage.running(endpoint) as process:
        await until(lambda: endpoint.totals().broken)
        (folder,) = stage.folders()
        broken = str(endpoint.served[-1].message_id).encode()
        if after_block:
            await until(lambda: broken in folder.stream.read_bytes())
        await until(lambda: stage.transcribed(endpoint))
        (agent,) = stage.agents()
        assert agent.pid == started_process(folder).pid
        agent.send_signal(number)
        ran = await finished(process)
    assert ran.status == 0, ran.said
    first, second = stage.sessions()
    assert (first["status"], first["error_type"], first["exit_code"]) == (
        "failed",
        "killed",
        exit_code,
    )
    assert second["status"] == "completed"
    (error,) = stage.errors()
    assert (error["error_type"], error["session_id"]) == ("killed", first["id"])
    assert stage.target()["status"] == "complete"
    assert_one_after_another(endpoint)
    await assert_books_agree(stage, endpoint, database, with_broken=after_block)


async def test_an_agent_killed_while_its_subagent_works(stage: Stage, database: Database) -> None:
    """What the subagent had spent stands in its own transcript alone."""
    stage.repository("shop", ["F1"])
    stage.write_queue({"id": "shop"})
    scout = looks_then(unended(after_block=False))

    def moves(request: Request) -> Move:
        return scout(request) if "SCOUT" in request.prompt else ASK_A_SCOUT

    async with Endpoint({"*": FirstSession(moves)}) as endpoint, stage.running(endpoint) as process:
        await until(lambda: endpoint.totals().broken and stage.transcribed(endpoint))
        (agent,) = stage.agents()
        agent.kill()
        ran = await finished(process)
    assert ran.status == 0, ran.said
    assert [(r["error_type"], r["request_count"]) for r in stage.sessions()] == [
        ("killed", 2),
        (None, 9),
    ]
    await assert_books_agree(stage, endpoint, database)


def adoptions(folder: SessionFolder) -> list[int]:
    """Processes that took the session over."""
    return [each.pid for each in folder.journal.facts() if isinstance(each, Adopted)]


async def kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


async def test_a_killed_run_is_taken_over_while_the_agent_works_on(
    stage: Stage, database: Database
) -> None:
    """Two runs die one after the other. The agent holds its target all the time, so no other can begin on it."""
    work = AtWork(stage)
    async with Endpoint({"*": work.script}) as endpoint:
        async with stage.running(endpoint) as first:
            folder, agent = await work.begun()
            await kill(first)
        assert stage.agents() == [agent]
        assert is_held(work.lock)
        assert holds_open(agent, work.lock)
        async with stage.running(endpoint) as second:
            await until(lambda: adoptions(folder))
            assert stage.agents() == [agent]
            await kill(second)
        assert is_held(work.lock)
        async with stage.running(endpoint) as third:
            await until(lambda: len(adoptions(folder)) == 2)
            assert [stage.agents(), stage.folders()] == [[agent], [folder]]
            work.release()
            ran = await finished(third)
    assert ran.status == 0, ran.said
    assert adoptions(folder) == [second.pid, third.pid]
    await assert_both_features_done(stage, endpoint, database, work)


async def test_an_agent_that_ended_while_no_run_was_there(stage: Stage, database: Database) -> None:
    """Its own report says how it ended; the next run reads that and goes on."""
    work = AtWork(stage)
    async with Endpoint({"*": work.script}) as endpoint:
        async with stage.running(endpoint) as first:
            folder, agent = await work.begun()
            await kill(first)
        work.release()
        await until(lambda: not stage.processes())
        await until(lambda: not is_held(work.lock))  # its last threads close its files
        ran = await stage.run(endpoint)
    assert ran.status == 0, ran.said
    assert started_process(folder).pid == agent.pid
    assert adoptions(folder) == []
    await assert_both_features_done(stage, endpoint, database, work)


async def assert_both_features_done(
    stage: Stage, endpoint: Endpoint, database: Database, work: AtWork
) -> None:
    rows = stage.sessions()
    assert [(r["session_number"], r["status"], r["exit_code"]) for r in rows] == [
        (1, "completed", None),  # nobody but a parent learns an exit status
        (2, "completed", 0),
    ]
    assert [r["features_completed"] for r in rows] == [1, 1]
    assert stage.errors() == []
    log = stage.git(work.repo, "log", "--reverse", "--format=%H", "-2").split()
    commits = stage.rows("SELECT sha, session_id FROM harness_commits")
    assert {c["sha"]: c["session_id"] for c in commits} == {
        sha: row["id"] for sha, row in zip(log, rows, strict=True)
    }
    assert stage.target()["status"] == "complete"
    assert not is_held(work.lock)
    assert_one_after_another(endpoint)
    await assert_books_agree(stage, endpoint, database)
