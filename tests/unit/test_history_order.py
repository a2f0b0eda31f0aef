"""In which order files are imported, and what is shared out between processes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from acd.agents.history import HistoryFile
from acd.history.looking import Found
from acd.history.order import in_order, shares_of, stages_of


def found(path: str, session: str | None, size: int = 10, agent: str = "claude-code") -> Found:
    history: Any = SimpleNamespace(name=agent)
    subagent = "/subagents/" in path
    file = HistoryFile(Path(path), Path(path).name, session, subagent=subagent)
    return Found(history, file, 1, size, 1, None)


def known(files: list[Found]) -> dict[Path, str | None]:
    return {one.file.path: one.file.agent_session_id for one in files}


def names(files: list[Found]) -> list[str]:
    return [one.file.path.name for one in files]


MIXED = [
    found("/p/b/loose.jsonl", None),
    found("/p/b/two.jsonl", "two"),
    found("/p/a/one/subagents/x.jsonl", "one"),
    found("/p/a/one.jsonl", "one"),
]


def test_a_session_is_whole_and_unknown_ones_are_last() -> None:
    assert names(in_order(MIXED, known(MIXED))) == [
        "one.jsonl",
        "x.jsonl",
        "two.jsonl",
        "loose.jsonl",
    ]


def test_a_file_whose_lines_name_the_session_stands_with_it() -> None:
    sessions = known(MIXED) | {MIXED[0].file.path: "one"}
    assert names(in_order(MIXED, sessions)) == ["one.jsonl", "loose.jsonl", "x.jsonl", "two.jsonl"]


def test_what_is_little_is_one_share() -> None:
    (stage,) = stages_of(in_order(MIXED, known(MIXED)), known(MIXED), processes=2, many_bytes=1000)
    assert [names(share) for share in stage] == [
        ["one.jsonl", "x.jsonl", "two.jsonl", "loose.jsonl"]
    ]


def test_what_is_much_is_shared_out_and_the_unknown_wait() -> None:
    stages = stages_of(in_order(MIXED, known(MIXED)), known(MIXED), processes=2, many_bytes=10)
    assert [[names(share) for share in stage] for stage in stages] == [
        [["one.jsonl", "x.jsonl"], ["two.jsonl"]],
        [["loose.jsonl"]],
    ]


def test_agents_come_one_after_the_other() -> None:
    files = [
        *(found(f"/p/{n}.jsonl", str(n)) for n in range(4)),
        *(found(f"/p/{n}.jsonl", str(n), agent="codex") for n in range(4, 8)),
    ]
    stages = stages_of(in_order(files, known(files)), known(files), processes=2, many_bytes=20)
    agents = [[{one.history.name for one in share} for share in stage] for stage in stages]
    assert agents == [[{"claude-code"}] * 2, [{"codex"}] * 2]


def test_shares_are_about_equal_and_nothing_is_lost() -> None:
    files = [found(f"/p/{n:03}.jsonl", str(n), size=n + 1) for n in range(100)]
    shares = shares_of(files, known(files), 3)
    assert [one for share in shares for one in share] == files
    sizes = [sum(one.size for one in share) for share in shares]
    assert max(sizes) - min(sizes) < 200


def test_there_are_no_more_shares_than_sessions() -> None:
    one = [found("/p/one.jsonl", "one"), found("/p/one/subagents/x.jsonl", "one")]
    assert len(shares_of(one, known(one), 4)) == 1
    two = [*one, found("/p/two.jsonl", "two")]
    assert len(shares_of(two, known(two), 4)) == 2
