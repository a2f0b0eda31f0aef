"""The short way of `acd import` and `acd usage` prints what the ordinary way prints, byte for byte, wherever it answers."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

# Long: a process for each answer.
pytestmark = pytest.mark.extra

TRANSCRIPT = (
    b'{"type":"assistant","uuid":"u1","sessionId":"11111111-2222-3333-4444-555555555555",'
    b'"timestamp":"2026-11-20T10:00:00.000Z","cwd":"/work","requestId":"r1","message":{"id":"m1",'
    b'"model":"claude-sonnet-4-6","role":"assistant","content":[],"usage":{"input_tokens":5,"output_tokens":7}}}\n'
)
SECONDS = re.compile(rb" in \d+\.\d s")

# A setting that changes nothing, but is one to be checked: with it the short way leaves all to the ordinary one.
ORDINARY = {"ACD_CONCURRENCY": "1"}
# Says on stderr which way gave the answer; the short one leaves by `os._exit`.
PROGRAM = """
import os, sys
from acd.cli.entry import main

leave = os._exit
def short(status):
    os.write(2, b"short")
    leave(status)

os._exit = short
try:
    main()
finally:
    sys.stderr.write("long")
"""


@pytest.fixture
def user(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment of a user with a transcript and an ACD_HOME."""
    (tmp_path / "home").mkdir()
    transcript = tmp_path / "history/projects/p/11111111-2222-3333-4444-555555555555.jsonl"
    transcript.parent.mkdir(parents=True)
    transcript.write_bytes(TRANSCRIPT)
    kept = {name: environment[name] for name in ("PATH", "HOME", "TZ", "ACD_HOME", "DATABASE_URL")}
    return kept | {"CLAUDE_CONFIG_DIR": str(tmp_path / "history"), "LANG": "C.UTF-8"}


Answer = tuple[int, bytes, str]


def call(words: list[str], environment: dict[str, str], columns: int | None = None) -> Answer:
    """Status, output (without seconds) and which way was taken; `columns`: on a terminal of that width."""
    argv = [sys.executable, "-c", PROGRAM, *words]
    if columns is None:
        done = subprocess.run(argv, env=environment, capture_output=True, timeout=90, check=False)
        out, status, said = done.stdout, done.returncode, done.stderr
    else:
        status, out, said = on_terminal(argv, environment, columns)
    way = "short" if said.endswith(b"short") else "long"
    told = said.decode().removesuffix(way)
    return status, SECONDS.sub(b" in N s", out) + told.encode(), way


def on_terminal(
    argv: list[str], environment: dict[str, str], columns: int
) -> tuple[int, bytes, bytes]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    more = {"TERM": "xterm-256color"}
    with subprocess.Popen(argv, env=more | environment, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE) as child:  # fmt: skip
        os.close(theirs)
        out = b""
        try:
            while part := os.read(ours, 65536):
                out += part
        except OSError:  # the terminal is closed at the other end
            pass
        assert child.stderr is not None
        said = child.stderr.read()
        status = child.wait(90)
    os.close(ours)
    return status, out, said


def both(words: list[str], user: dict[str, str], columns: int | None = None) -> str:
    """Which way answers; it prints what the ordinary one does."""
    *quick, way = call(words, user, columns)
    *ordinary, other = call(words, ORDINARY | user, columns)
    assert other == "long"
    assert quick == ordinary
    return str(way)


def test_an_import_answers_the_short_way_only_where_nothing_is_new(
    user: dict[str, str], tmp_path: Path
) -> None:
    first = call(["import"], user)
    assert (first[0], first[2]) == (0, "long")
    assert first[1].startswith(b"Imported 1 request")
    assert both(["import"], user) == "short"
    assert both(["import"], user, 100) == "short"
    assert both(["import", "--json"], user) == "long"
    moved = {**user, "CLAUDE_CONFIG_DIR": f"{user['CLAUDE_CONFIG_DIR']}, {tmp_path / 'nowhere'}"}
    assert both(["import"], moved) == "short"
    (transcript,) = (tmp_path / "history").rglob("*.jsonl")
    transcript.write_bytes(TRANSCRIPT + TRANSCRIPT.replace(b'"m1"', b'"m2"'))
    again = call(["import"], user)
    assert (again[0], again[2]) == (0, "long")
    assert again[1].startswith(b"Imported 1 request")
    assert call(["import"], user)[2] == "short"
    os.utime(transcript, ns=(1, 1))
    assert call(["import"], user)[2] == "long"


@pytest.mark.parametrize("columns", [None, 110, 70, 41])
def test_usage_looks_the_same_on_every_terminal(
    user: dict[str, str], seed: Callable[[], None], columns: int | None
) -> None:
    seed()
    way = both(["usage", "--daily"], user, columns)
    assert way == ("long" if columns == 41 else "short")  # a sentence must be wrapped


@pytest.mark.parametrize(
    "words",
    [[], ["--weekly"], ["--monthly"], *(["--by", by] for by in ("session", "branch", "target"))],
    ids=" ".join,
)  # fmt: skip
def test_usage_by_anything_looks_the_same(
    user: dict[str, str], seed: Callable[[], None], words: list[str]
) -> None:
    seed()
    with psycopg.connect(user["DATABASE_URL"]) as connection:
        connection.execute("UPDATE harness_sessions SET billing = 'subscription'")
    assert both(["usage", *words], user, 130) == "short"


def test_what_is_no_plain_question_goes_the_ordinary_way(
    user: dict[str, str], seed: Callable[[], None]
) -> None:
    assert both(["usage", "--daily"], user) == "short"  # nothing was spent
    assert both(["usage", "--daily"], user, 40) == "long"  # which has to be wrapped
    seed()
    for words in (["usage", "--json"], ["usage", "--by", "commit"], ["usage", "--by", "nonsense"]):
        assert call(words, user)[2] == "long"
    for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"COLUMNS": "x"}):
        both(["usage", "--daily"], user | more, 100)
    assert both(["usage", "--daily"], user | {"COLUMNS": "90"}) == "short"
    with psycopg.connect(user["DATABASE_URL"]) as connection:
        connection.execute("UPDATE model_usage SET model = model || '\u00e8'")
    assert both(["usage", "--daily"], user) == "long"


def test_settings_are_obeyed(user: dict[str, str], empty_database_url: str, tmp_path: Path) -> None:
    assert both(["usage"], user | {"ACD_TIMEZONE": "UTC"}) == "short"
    for more in (
        {"ACD_TIMEZONE": "Europe/Berlin"},
        {"ACD_HOME": str(tmp_path / "new")},
        {"DATABASE_URL": "mysql://x"},
        {"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x"},
        {"DATABASE_URL": user["DATABASE_URL"].replace("/test_", "/no_such_")},
    ):
        assert call(["usage"], user | more)[2] == "long", more
    elsewhere = user | {"DATABASE_URL": empty_database_url}
    assert call(["import"], elsewhere)[2] == "long"  # which makes the schema
    assert both(["import"], elsewhere) == "short"
    # What a user keeps for other programs' libpq steers neither.
    steered = user | {"PGHOST": "nowhere.invalid", "PGOPTIONS": "-c search_path=x", "PGTZ": "Asia/Tokyo"}  # fmt: skip
    assert both(["usage"], steered) == "short"


def test_with_an_unknown_schema_the_ordinary_way_says_so(user: dict[str, str]) -> None:
    with psycopg.connect(user["DATABASE_URL"]) as connection:
        connection.execute("UPDATE acd_schema_version SET version_num = '9999'")
    assert both(["import"], user) == "long"
