"""The generator of histories: the same plan gives the same bytes, and what it says of them is so."""

from __future__ import annotations

import json
from pathlib import Path

from bench.history_corpus import Plan, write_history


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    plan = Plan(250_000, seed=3, quirks=True)
    first = write_history(tmp_path / "first", plan)
    assert write_history(tmp_path / "second", plan) == first
    one, other = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.jsonl")}
        for folder in (tmp_path / "first", tmp_path / "second")
    )
    assert one == other
    assert first.files == len(one)
    assert first.bytes == sum(map(len, one.values()))
    assert first.lines + first.cut == sum(len(data.splitlines()) for data in one.values())


def test_greatest_snapshots_add_up(tmp_path: Path) -> None:
    """Counted once more in the plainest way: no line of this plan is damaged."""
    expected = write_history(tmp_path, Plan(500_000, seed=5))
    greatest: dict[str, dict[str, int]] = {}
    for path in tmp_path.rglob("*.jsonl"):
        for line in map(json.loads, path.read_text().splitlines()):
            message = line.get("message", {})
            if line["type"] == "assistant" and message["model"] != "<synthetic>":
                usage, known = message["usage"], greatest.get(message["id"])
                if known is None or usage["output_tokens"] > known["output_tokens"]:
                    greatest[message["id"]] = usage
    assert len(greatest) == expected.total.requests
    for ours, theirs in (
        (expected.total.input_tokens, "input_tokens"),
        (expected.total.output_tokens, "output_tokens"),
        (expected.total.cache_read_tokens, "cache_read_input_tokens"),
        (expected.total.cache_write_tokens, "cache_creation_input_tokens"),
    ):
        assert ours == sum(usage[theirs] for usage in greatest.values())
    assert sum(one.requests for one in expected.by_session.values()) == len(greatest)
