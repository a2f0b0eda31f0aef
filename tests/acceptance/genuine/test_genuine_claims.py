"""Claude Code claims what is not so: taken back, told to the next session, and then really done."""

from __future__ import annotations

import pytest

from acd.database.connection import Database
from acd.testing.brain import Brain
from acd.testing.endpoint import Endpoint, Reply, Request, Text
from acd.testing.prices import Tokens
from tests.acceptance.genuine.books import assert_books_agree, assert_one_after_another
from tests.acceptance.genuine.scripts import Move, bash
from tests.acceptance.genuine.stage import Stage

pytestmark = pytest.mark.extra

CLAIM = 'sed -i \'s/"passes": false/"passes": true/\' feature_list.json && git commit -q -a -m "Claim it"'
_CHANGES = "SELECT change, status FROM feature_changes ORDER BY changed_at, source_offset"


class Liar:
    """The first session claims without work, each later one works; `prompts`: what each was told, in order."""

    def __init__(self) -> None:
        self._brain = Brain()
        self.prompts: dict[str, str] = {}

    def __call__(self, request: Request) -> Move:
        self.prompts.setdefault(request.session_id, request.prompt)
        if request.session_id != next(iter(self.prompts)):
            return self._brain(request)
        if request.turn == 0:
            return bash(CLAIM, Tokens(111, 23, 0, 900, 130))
        return Reply(blocks=[Text(text="It is done.")], usage=Tokens(57, 11, 900))


async def test_a_false_claim_is_caught(stage: Stage, database: Database) -> None:
    repository = stage.repository("shop", ["F1"])
    stage.write_queue({"id": "shop", "verify": "test -f F1.txt"})
    script = Liar()
    async with Endpoint({"*": script}) as endpoint:
        ran = await stage.run(endpoint)
    assert ran.status == 0, ran.said
    first, second = stage.sessions()
    assert [first["status"], second["status"]] == ["completed"] * 2
    assert [first["features_completed"], second["features_completed"]] == [0, 1]
    assert [(row["change"], row["status"]) for row in stage.rows(_CHANGES)] == [
        ("claimed", "claimed"),
        ("rejected", "rejected"),
        ("claimed", "claimed"),
        ("passing", "passing"),
    ]
    told_first, told_second = script.prompts.values()
    assert "Claims that did not hold" not in told_first
    assert "Claims that did not hold" in told_second
    assert "test -f F1.txt" in told_second.partition("Claims that did not hold")[2]
    assert "acd" in stage.git(repository, "log", "--format=%an").split("\n")
    (feature,) = stage.rows("SELECT status, passes, verified_at FROM target_features")
    assert (feature["status"], feature["passes"]) == ("passing", True)
    assert feature["verified_at"] is not None
    assert stage.target()["status"] == "complete"
    assert_one_after_another(endpoint)
    await assert_books_agree(stage, endpoint, database)
