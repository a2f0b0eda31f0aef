"""What the harness costs over a bare `claude -p`: the genuine CLI against the scripted endpoint.

Both start the same command in the same repository with the same prompt. Ours also looks at the repository and the feature
list before and after, journals with fsync, follows the stream, sees that no process is left, and records (in the same
process, as `acd run` does). The endpoint is a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from acd.agents.protocol import Launch
from acd.harness.environment import agent_environment
from acd.harness.features import read_feature_list
from acd.harness.prompts import render_prompt
from bench.figures import Figure, Outcome, Sample, aimed, in_turns
from bench.stage import Stage, staged

_WAIT_S = 6.0
_SCRIPTS = {
    "quick": [{"blocks": [{"type": "text", "text": "Done."}]}],
    "slow": [
        {
            "delay": _WAIT_S,
            "blocks": [{"type": "tool_use", "name": "Bash", "input": {"command": "true"}}],
        },
        {"delay": _WAIT_S, "blocks": [{"type": "text", "text": "Done."}]},
    ],
}


async def measure() -> Outcome:
    """Seconds by the clock over the bare agent, and processor while the agent waits."""
    async with _endpoint() as url:
        async with _stage(f"{url}/s/quick") as stage:
            quick = await in_turns({"bare": lambda: _bare(stage), "ours": lambda: _ours(stage)})
        async with _stage(f"{url}/s/slow") as stage:
            slow = await in_turns({"ours": lambda: _ours(stage)}, repeats=3)
    bare, ours, waiting = quick["bare"], quick["ours"], slow["ours"]
    share = (waiting.cpu - ours.cpu) / (waiting.wall - ours.wall)
    return Outcome(
        "session: the harness over a bare claude -p",
        [
            Figure(name="bare claude -p", value=bare.wall, unit="s"),
            Figure(name="ours, until its end is journalled", value=ours.wall, unit="s"),
            aimed("ours minus bare", ours.wall - bare.wall, "s", below=0.3),
            Figure(name="processor of the harness a session", value=ours.cpu, unit="s"),
            aimed("processor while the agent waits", 100 * share, "% of a core", below=2),
        ],
        [
            f"median of 5 in turns; waiting: median of 3 sessions that are {2 * _WAIT_S:.0f} s longer"
        ],
    )


@asynccontextmanager
async def _stage(url: str) -> AsyncIterator[Stage]:
    environment = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "fake",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    async with staged("claude-code", environment) as stage:
        await _bare(stage)  # the first start writes the agent's own configuration
        yield stage


@asynccontextmanager
async def _endpoint() -> AsyncIterator[str]:
    """The scripted endpoint as a process; its address."""
    with TemporaryDirectory(prefix="acd-bench-") as folder:
        scenario = Path(folder) / "scripts.json"
        scenario.write_text(json.dumps({"scripts": _SCRIPTS}))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "acd.testing.endpoint", "--scenario", str(scenario)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            yield json.loads(await process.stdout.readline())["url"]
        finally:
            process.terminate()
            await process.wait()


async def _ours(stage: Stage) -> Sample:
    cpu, begin = time.process_time(), time.perf_counter()
    outcome = await stage.work()
    seconds = time.perf_counter() - begin
    await stage.recorded()
    assert outcome.status == "completed", outcome
    return Sample(seconds, time.process_time() - cpu)


async def _bare(stage: Stage) -> Sample:
    """The same command, without us around it. Its processor time is not ours: 0."""
    repository = Path(stage.target.path)
    features = read_feature_list(repository / "feature_list.json", [repository])
    launch = Launch(
        session_id=uuid4(),
        session_type="coding",
        prompt=render_prompt(stage.plan(), features),
        model="sonnet",
        workspace=repository,
        session_dir=stage.folder,
    )
    environment = agent_environment(
        os.environ,
        launch.session_id,
        inherit=stage.adapter.environment_names,
        extra=dict(stage.adapter.environment(launch, stage.settings)),
    )
    with (stage.folder / "bare.jsonl").open("wb") as output:
        begin = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *stage.adapter.command(stage.binary, launch, stage.settings),
            cwd=repository,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        status = await process.wait()
        seconds = time.perf_counter() - begin
    assert status == 0, (stage.folder / "bare.jsonl").read_text()
    return Sample(seconds, 0.0)
