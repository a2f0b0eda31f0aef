"""Tool calls that the rules deny: a few are recorded and no more, many end the session."""

from __future__ import annotations

from acd.core.facts import HarnessFailed
from tests.integration.sessions.stage import Stage, plan_of


async def test_a_few_denials_end_nothing(ready: Stage) -> None:
    ready.set(denial_limit=4)
    ready.script(plan_of({"do": "denied", "count": 3}, {"do": "feature"}))
    outcome = await ready.work()
    assert (outcome.status, outcome.features_completed) == ("completed", 1)
    assert ready.shown[-1].denials == 3  # each is told twice, and counted once
    assert ready.only(HarnessFailed) == []


async def test_many_denials_end_the_session_for_a_person_to_look_at(ready: Stage) -> None:
    ready.set(denial_limit=3)
    push = {"do": "denied", "command": "git push"}
    ready.script(
        plan_of({"do": "feature"}, {**push, "count": 2}, {**push, "quietly": True}, {"do": "hang"})
    )
    outcome = await ready.work()
    assert (outcome.status, outcome.error_type, outcome.retryable) == (
        "failed",
        "permission",
        False,
    )
    assert outcome.error_message == "3 tool calls were denied, e.g. Bash(git push)"
    assert (outcome.features_completed, outcome.commits_made) == (1, 1)
    (failure,) = ready.only(HarnessFailed)
    assert (failure.error_type, failure.message) == ("permission", outcome.error_message)
    assert ready.living() == []
