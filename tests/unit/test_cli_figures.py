"""How figures look in a terminal, and that nothing of others reaches it raw."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from acd.cli.figures import NOTHING, brief, count_of, elapsed, features, gap, moment, outcome, spent
from acd.cli.output import Column, show_json, show_table


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (None, NOTHING),
        (0, "0.0s"),
        (950, "0.9s"),
        (12_000, "12s"),
        (185_000, "3m05s"),
        (7_800_000, "2h10m"),
        (4 * 86_400_000, "4d"),
    ],
)
def test_durations_are_brief(milliseconds: int | None, shown: str) -> None:
    assert brief(milliseconds) == shown


def test_clocks_that_differ_give_no_negative_time() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert elapsed(now + timedelta(seconds=5), now) == "0.0s"


def test_passing_features_are_labelled_unless_all_are_verified() -> None:
    assert features(3, 4, 3).plain == "3/4"
    assert features(3, 4, 2).plain == "3/4 unverified"
    assert features(0, 4, 0).plain == "0/4"
    assert features(0, 0, 0).plain == "no list yet"


def test_costs_tell_what_is_not_in_them() -> None:
    assert spent(Decimal("3.274")) == "$3.27"
    assert spent(Decimal("0.00000001")) == "$0.00000001"
    assert spent(Decimal("3.274"), 1) == "$3.27+?"
    assert gap(Decimal("-0.5")) == "\N{MINUS SIGN}$0.5000"


def test_times_of_today_have_seconds_and_old_ones_a_year() -> None:
    now = datetime.now(UTC).astimezone()
    assert moment(now) == now.strftime("%H:%M:%S")
    assert moment(datetime(2020, 5, 17, 12, tzinfo=UTC)) == "2020-05-17"
    assert moment(None) == NOTHING


def test_counts_agree_with_their_nouns() -> None:
    assert [count_of(n, "session") for n in (0, 1, 1234)] == [
        "0 sessions",
        "1 session",
        "1,234 sessions",
    ]


def test_text_of_others_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;owned\x07\u202enot\nthis"
    show_table((Column("Name"), Column("Status", flexible=True)), [[evil, outcome(evil, evil)]])
    printed = capsys.readouterr().out
    assert "\\x1b]0;owned" in printed
    assert not set(printed) & {"\x1b", "\x07", "\u202e"}
    assert len(printed.splitlines()) == 2


def test_a_report_is_printed_byte_for_byte(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    report = b'{"cost":0.07000007, "big":12345678901234567890,  "odd":"\xc2\x9b"}'
    show_json(report)
    assert capsysbinary.readouterr().out == report + b"\n"


def test_a_report_on_a_terminal_is_escaped_and_still_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show_json('{"odd":"a\x9b2Jb","cost":0.07000007}'.encode())
    printed = capsys.readouterr().out
    assert "\x9b" not in printed
    assert json.loads(printed) == {"odd": "a\x9b2Jb", "cost": 0.07000007}
    assert len(printed.splitlines()) > 1


@pytest.mark.parametrize("wrapped", [False, True])
def test_only_columns_that_may_give_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    columns = (Column("Name", flexible=not wrapped, wrapped=wrapped), Column("Cost", right=True))
    show_table(columns, [["n" * 40, "$1,234.56"], ["short", "$0"]])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) == 30
    assert sum("$1,234.56" in line for line in lines) == 1
    assert sum(line.count("n") for line in lines if "short" not in line) == (40 if wrapped else 18)
    assert ("\N{HORIZONTAL ELLIPSIS}" in "".join(lines)) is not wrapped
    assert lines[0] == "Name" + " " * 22 + "Cost"
    assert lines[-1] == "short" + " " * 23 + "$0"


def test_columns_may_be_left_out_where_it_is_narrow(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = (Column("Name"), Column("Model", needs=90))
    for width, titles in (("89", ["Name"]), ("90", ["Name", "Model"])):
        monkeypatch.setenv("COLUMNS", width)
        show_table(columns, [["one", "opus"]])
        assert capsys.readouterr().out.splitlines()[0].split() == titles
