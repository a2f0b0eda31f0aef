"""Adding up ledgers: what counts, and what a writer at work leaves."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from acd.testing.ledger import Committed, LedgerWriter, Printed, RequestMade, read_ledgers
from acd.testing.prices import Tokens


def _request(session: str, number: int, model: str, subagent: str | None = None) -> RequestMade:
    return RequestMade(
        session_id=session,
        message_id=f"msg_{session}_{number}",
        request_id=f"req_{session}_{number}",
        model=model,
        tokens=Tokens(1, 2, 3, 4, 5, 6),
        cost_usd=Decimal("0.00000001"),
        subagent=subagent,
    )


def test_sums_by_session_and_model_and_what_was_not_printed(tmp_path: Path) -> None:
    for session in ("a", "b"):
        book = LedgerWriter(tmp_path / f"{session}.jsonl")
        book.add(_request(session, 1, "opus"))
        book.add(Printed(session_id=session, message_id=f"msg_{session}_1"))
        book.add(_request(session, 2, "haiku", subagent="Explore"))
        book.add(Committed(session_id=session, sha=session * 40, message="x"))
    totals = read_ledgers(tmp_path)
    assert totals.sum.requests == 4
    assert totals.sum.tokens == Tokens(4, 8, 12, 16, 20, 24)
    assert totals.sum.cost_usd == Decimal("0.00000004")
    assert {name: each.requests for name, each in totals.models.items()} == {"opus": 2, "haiku": 2}
    assert totals.sessions["a"].subagents["Explore"].requests == 1
    assert totals.sessions["a"].unprinted == {"msg_a_2"}
    assert totals.commits == ["a" * 40, "b" * 40]


def test_several_sessions_may_share_a_file(tmp_path: Path) -> None:
    books = [LedgerWriter(tmp_path / "one.jsonl") for _ in range(3)]
    for number in range(5):
        for index, book in enumerate(books):
            book.add(_request(str(index), number, "opus"))
    assert [each.sum.requests for each in read_ledgers(tmp_path).sessions.values()] == [5, 5, 5]


def test_an_unfinished_line_is_left_out_and_a_wrong_one_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    LedgerWriter(path).add(_request("a", 1, "opus"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert read_ledgers(tmp_path).sum.requests == 1
    path.write_bytes(whole[: len(whole) // 2] + b"\n" + whole)
    with pytest.raises(msgspec.DecodeError):
        read_ledgers(tmp_path)
