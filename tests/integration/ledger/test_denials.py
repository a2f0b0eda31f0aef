"""Denied tool calls: one error row each, whichever lines tell it and however they are cut into batches."""

from __future__ import annotations

import json
from typing import Any

import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder
from acd.ledger.catch_up import Source, open_source
from acd.ledger.price import PriceList
from tests.integration.ledger.stage import end, rows_of, session_of

PRICES = PriceList()
REFUSED = "Permission to use Bash with command git push has been denied."
QUIET = "File is in a directory that is denied by your permission settings."


def call(use_id: str, name: str, **given: str) -> dict[str, Any]:
    block = {"type": "tool_use", "id": use_id, "name": name, "input": given}
    message = {"id": f"msg_{use_id}", "model": "claude-opus-5-5", "content": [block], "usage": {}}
    return {"type": "assistant", "message": message}


def refused(use_id: str, why: str) -> dict[str, Any]:
    """As Claude Code 2.1.330 prints it."""
    result = {"type": "tool_result", "tool_use_id": use_id, "content": why, "is_error": True}
    decision = {"decision": "reject", "source": "config", "reason_type": "rule"}
    return {
        "type": "user",
        "message": {"role": "user", "content": [result]},
        "tool_result_meta": [{"id": use_id, "permission_decision": decision}],
    }


LINES = [
    call("t1", "Bash", command="git push"),
    {
        "type": "system",
        "subtype": "permission_denied",
        "tool_name": "Bash",
        "tool_use_id": "t1",
        "decision_reason_type": "subcommandResults",
        "message": REFUSED,
    },
    refused("t1", REFUSED),
    call("t2", "Read", file_path="/home/a/.ssh/id_rsa"),
    refused("t2", QUIET),
]


def source_of(folder: SessionFolder, database: Database) -> Source:
    source = open_source(folder.path, database, PRICES)
    assert source is not None
    return source


@pytest.mark.parametrize("batch", [1, 2, 3, 5])
async def test_a_denial_is_one_row_that_names_the_call(
    database: Database, settings: Settings, batch: int
) -> None:
    folder = session_of(settings, 1)
    for first in range(0, len(LINES), batch):
        with folder.stream.open("a") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in LINES[first : first + batch])
        await source_of(folder, database).catch_up()
    end(folder)
    await source_of(folder, database).catch_up()
    rows = sorted(await rows_of(database, "harness_errors"), key=lambda row: row["source_offset"])
    assert [row["message"] for row in rows] == [
        f"Bash(git push): subcommandResults: {REFUSED}",
        f"Read(/home/a/.ssh/id_rsa): {QUIET}",
    ]
    assert {(row["error_type"], row["error_code"], row["retryable"]) for row in rows} == {
        ("permission", "denied", False)
    }
    assert rows[1]["context"] == {
        "origin": "agent",
        "tool": "Read",
        "input": "/home/a/.ssh/id_rsa",
        "tool_use_id": "t2",
    }
    events = await rows_of(database, "session_events")
    assert [row["kind"] for row in events if row["outcome"] == "denied"] == [
        "permission_denied",
        "tool_ended",
        "tool_ended",
    ]
