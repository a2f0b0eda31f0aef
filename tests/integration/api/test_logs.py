"""What an agent printed: in order, by pages, without secrets or control characters, and only from where it is."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import httpx
import psycopg
import pytest

from acd.core.settings import Settings
from acd.database.connection import Database
from acd.files.folder import SessionFolder
from acd.web.paging import LINES
from tests.integration.api.walking import rows

# Long: `make test` is to take minutes, and CI runs everything.
pytestmark = pytest.mark.extra

RUNNING = "50000000-0000-0000-0000-000000000007"
ENDED = "50000000-0000-0000-0000-000000000005"
PATH = f"/api/db/logs/{ENDED}"


@pytest.fixture
async def here(seeded: Database) -> None:
    """The seed's sessions were run by this machine."""
    async with await psycopg.AsyncConnection.connect(seeded.url) as connection:
        await connection.execute("UPDATE harness_sessions SET host = %s", [socket.gethostname()])


@pytest.fixture
def stream(settings: Settings) -> Path:
    folder = SessionFolder(settings.sessions_dir / ENDED)
    folder.create()
    return folder.stream


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
async def test_all_lines_oldest_first(client: httpx.AsyncClient, stream: Path, limit: int) -> None:
    lines = [f'{{"n":{number},"text":"{"é" * (number % 30)}"}}' for number in range(120)]
    stream.write_text("\n".join(lines), encoding="utf-8")  # the last one has no end
    found = await rows(client, PATH, limit=limit)
    assert [row["text"] for row in found] == lines
    data = stream.read_bytes()
    for row, line in zip(found, lines, strict=True):
        taken = data[row["offset"] : row["offset"] + row["length"]]
        assert taken.decode().rstrip("\n") == line


@pytest.mark.usefixtures("here")
async def test_secrets_and_control_characters_do_not_come_out(
    client: httpx.AsyncClient, stream: Path
) -> None:
    secret = "sk-ant-api03-abcdefghijklmnop"
    stream.write_bytes(
        f'{{"text":"ANTHROPIC_API_KEY={secret}"}}\n'.encode()
        + b'\x1b]0;title\x07\x1b[2J{"a":"\xe2\x80\xae"}\x9b31m\r\n'
        + b"\xff\xfe\x00 not text\n"
    )
    answer = await client.get(PATH)
    assert secret not in answer.text
    first, second, third = (row["text"] for row in answer.json()["data"])
    assert "[redacted]" in first
    assert second.startswith(r"\x1b]0;title\x07\x1b[2J")
    assert not [c for c in first + second + third if ord(c) < 32 or 0x7F <= ord(c) < 0xA0]


@pytest.mark.usefixtures("here")
async def test_a_cursor_in_the_middle_of_a_line_does_not_cut_a_secret_in_two(
    client: httpx.AsyncClient, stream: Path
) -> None:
    stream.write_bytes(b"GITHUB_TOKEN=abcdefgh12345678\nplain\n")
    for offset in (5, 13, 33, 37, 10**6):
        answer = await client.get(PATH, params={"cursor": LINES.cursor((str(offset),))})
        assert answer.status_code == 400, offset
    answer = await client.get(PATH, params={"cursor": LINES.cursor(("30",))})
    assert [row["text"] for row in answer.json()["data"]] == ["plain"]


@pytest.mark.usefixtures("here")
async def test_long_lines_are_cut_and_many_bytes_are_several_pages(
    client: httpx.AsyncClient, stream: Path
) -> None:
    long = "x" * 200_000
    stream.write_text(f"{long}\n" * 100 + "end\n")
    answer = await client.get(PATH, params={"limit": "1000"})
    body = answer.json()
    assert len(answer.content) < 8_000_000
    assert body["nextCursor"] is not None
    assert body["data"][0]["length"] == 200_001
    assert body["data"][0]["text"].endswith("…")
    found = await rows(client, PATH, limit=1000)
    assert len(found) == 101
    assert found[-1]["text"] == "end"


@pytest.mark.usefixtures("here")
async def test_a_gigabyte_opens_at_once(client: httpx.AsyncClient, stream: Path) -> None:
    with stream.open("wb") as file:
        file.write(b'{"first":1}\n')
        file.truncate(1024**3)  # a hole: one line of a gigabyte that takes no place on the disk
    answer = await client.get(PATH, params={"limit": "1"})
    assert [row["text"] for row in answer.json()["data"]] == ['{"first":1}']
    assert answer.elapsed.total_seconds() < 5
    answer = await client.get(PATH, params={"limit": "1", "cursor": answer.json()["nextCursor"]})
    assert [row["text"] for row in answer.json()["data"]] == ["[a line too long to be shown]"]


@pytest.mark.usefixtures("here")
async def test_lines_of_a_session_that_runs_can_be_followed(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    folder = SessionFolder(settings.sessions_dir / RUNNING)
    folder.create()
    path = f"/api/db/logs/{RUNNING}"
    body = (await client.get(path)).json()
    assert body["data"] == []
    seen = []
    for part in (b"one\ntw", b"o\n", b"three\n"):
        with folder.stream.open("ab") as file:
            file.write(part)
        body = (await client.get(path, params={"cursor": body["nextCursor"]})).json()
        seen.append([row["text"] for row in body["data"]])
    assert seen == [["one"], ["two"], ["three"]]


async def test_another_machine_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get(PATH)
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert (error["code"], error["host"]) == ("elsewhere", "builder")
    assert "builder" in error["message"]


@pytest.mark.usefixtures("here")
async def test_what_is_not_there_is_404(client: httpx.AsyncClient, stream: Path) -> None:
    stream.unlink()
    assert (await client.get(PATH)).status_code == 404
    unknown = "/api/db/logs/00000000-0000-0000-0000-000000000000"
    assert (await client.get(unknown)).status_code == 404
    assert (await client.get("/api/db/logs/..%2f..%2fetc%2fpasswd")).status_code == 404
    assert (await client.get("/api/db/logs/passwd")).status_code == 422


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
async def test_only_a_file_of_our_own_is_read(
    client: httpx.AsyncClient, stream: Path, tmp_path: Path, kind: str
) -> None:
    """An agent may put anything in the place of its file."""
    elsewhere = tmp_path / "secret"
    elsewhere.write_text("secret\n")
    stream.unlink()
    if kind == "link":
        stream.symlink_to(elsewhere)
    elif kind == "fifo":
        os.mkfifo(stream)
    else:
        stream.mkdir()
    answer = await client.get(PATH)
    assert answer.status_code == 404
    assert "secret\n" not in answer.text
