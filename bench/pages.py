"""The pages over 100,000 sessions with 3 million ledger rows: how soon they are there, a 1 GB session, many viewers."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import psycopg
from playwright.async_api import Browser, async_playwright

from acd.core.settings import Settings
from acd.dashboard.site import PAGES
from acd.database.connection import open_database
from acd.files.folder import SessionFolder
from acd.ledger.catch_up import open_source
from acd.ledger.price import PriceList
from bench.api import REPO_ID, serving
from bench.corpus import Size, fill
from bench.figures import Figure, Outcome, aimed
from bench.history import History, append, begin_session
from bench.scratch import scratch_server
from bench.viewers import Watch, watch

VIEWERS = 50
_SECONDS = 2.0
_OPENINGS = 4
_LEAST, _MOST = 4, 40
_PATIENCE_S = 120.0
_WATCHED_S = 20.0
_REQUEST_EVERY_S = 0.25
_GIGABYTE = 1_000_000_000
_LINE_BYTES = 2_000
_LIVE = UUID(int=0x11FE)
# A session whose agent printed a gigabyte: an event for every line of it, a request for every tenth.
_LARGE = """
INSERT INTO session_events (target_id, session_id, seq, kind, occurred_at, tool_name, tool_use_id, subagent, outcome, text)
SELECT %(target)s, %(session)s, n::bigint * %(line)s * 65536 + 32768, (ARRAY['tool_used', 'tool_ended', 'text'])[1 + n %% 3],
       %(begin)s::timestamptz + n * interval '40 ms', 'Bash', 'toolu_' || n / 3, CASE WHEN n %% 50 = 0 THEN 'Explore' END, 'ok',
       repeat('What it did. ', 12)
FROM generate_series(1, %(lines)s) AS n;
INSERT INTO token_usage_details (target_id, request_key, session_id, model, input_tokens, output_tokens, cache_read_tokens,
                                 cache_write_tokens, cost_usd, tools, requested_at)
SELECT %(target)s, 'large_' || n, %(session)s, 'claude-opus-5-5', 3, 500, 90000, 2000, 0.0615, '{Bash}',
       %(begin)s::timestamptz + n * interval '400 ms'
FROM generate_series(1, %(lines)s / 10) AS n;
"""


async def measure(scale: float = 1.0) -> Outcome:
    """Everything; `scale` makes the database and the large file smaller, to try the benchmark itself."""
    with scratch_server() as scratch:
        await scratch.create_template()
        url = scratch.create()
        size = Size(sessions=int(100_000 * scale))
        await fill(url, size)
        session, large = await asyncio.to_thread(_sessions, url)
        home = scratch.folder / "serving"
        written = await asyncio.to_thread(_write_large, url, home, large, int(_GIGABYTE * scale))
        with serving(scratch.folder, url) as port:
            paths = [
                *((page.ENTRY.path, 100.0) for page in PAGES),
                *_below(session),
                *_of_large(large[1], written),
            ]
            figures = [await _first_byte(port, path, aim) for path, aim in paths]
            with _committing(url):
                figures += [await _first_byte(port, path, aim, ", written") for path, aim in paths]
            figures += await _complete(port, [path for path, _ in paths])
            figures += await _watched(scratch.folder, url, port)
    notes = [
        f"{size.sessions:,} sessions, {size.sessions * size.requests:,} ledger rows, {size.targets} targets; the large session: "
        f"{written / 1e9:.2f} GB of lines, {written // _LINE_BYTES:,} events",
        f"one connection, no gzip, the first answer left out, up to {_SECONDS:g} s each; Chromium headless, {_OPENINGS} openings until all charts are drawn, "
        "its cache kept; "
        "written: another connection commits ten times a second, and pages show what was so up to a second ago",
    ]
    return Outcome("pages: the dashboard", figures, notes)


def _sessions(url: str) -> tuple[UUID, tuple[UUID, UUID, str]]:
    """A session like all others; and another, with its target and its beginning, that is made a large one."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT id, target_id, started_at::text FROM harness_sessions WHERE status = 'completed' "
            "ORDER BY started_at DESC, id DESC OFFSET 100 LIMIT 2"
        ).fetchall()
    return rows[0][0], (rows[1][1], rows[1][0], rows[1][2])


def _write_large(url: str, home: Path, large: tuple[UUID, UUID, str], least: int) -> int:
    """The rows and the file of the large session; bytes of the file."""
    target, session, begin = large
    lines = least // _LINE_BYTES
    values = {"target": target, "session": session, "begin": begin, "lines": lines}
    with psycopg.ClientCursor(psycopg.connect(url, autocommit=True)) as cursor:
        cursor.execute(_LARGE, {**values, "line": _LINE_BYTES})
        cursor.execute(
            "UPDATE harness_sessions SET host = %s WHERE id = %s", [socket.gethostname(), session]
        )
        cursor.execute("VACUUM ANALYZE session_events, token_usage_details")
    folder = SessionFolder(home / "sessions" / str(session))
    folder.create()
    filler = "x" * (_LINE_BYTES - len('{"n":000000000,"text":""}\n'))
    with folder.stream.open("w", encoding="ascii") as file:
        for n in range(lines):
            file.write(f'{{"n":{n:09d},"text":"{filler}"}}\n')
    return folder.stream.stat().st_size


def _below(session: UUID) -> Iterator[tuple[str, float]]:
    yield f"/targets/{REPO_ID}", 100.0
    yield f"/sessions/{session}", 100.0
    yield "/sessions?status=failed&model=opus", 100.0
    yield f"/sessions?target={REPO_ID}", 100.0
    yield "/errors?state=all&days=30", 100.0


def _of_large(session: UUID, written: int) -> Iterator[tuple[str, float]]:
    yield f"/sessions/{session}", 1000.0
    yield f"/sessions/{session}?after={written // 2 // _LINE_BYTES * _LINE_BYTES * 65536}", 1000.0
    yield f"/sessions/{session}/lines", 1000.0
    yield f"/sessions/{session}/lines?offset={written // 2}", 1000.0
    yield f"/sessions/{session}/lines?part=end", 1000.0
    yield f"/sessions/{session}/lines?q=nothing+of+it", 1000.0


@contextmanager
def _committing(url: str) -> Iterator[None]:
    """Something is committed ten times a second, so that no answer is one that was kept."""
    over = threading.Event()

    def commit() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.wait(0.1):
                connection.execute("SELECT pg_current_xact_id()")

    writer = threading.Thread(target=commit)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


async def _first_byte(port: int, path: str, aim: float, meanwhile: str = "") -> Figure:
    took, size = await asyncio.to_thread(_ask, port, path)
    note = f"slowest of {len(took)}: {max(took) * 1000:.0f} ms, {size / 1000:.0f} kB"
    value = median(took) * 1000
    return _told(aimed(f"first byte{meanwhile} {_shown(path)}", value, "ms", below=aim, note=note))


def _ask(port: int, path: str) -> tuple[list[float], int]:
    """Seconds to the first byte, time after time on one connection, and the bytes of the page."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    took: list[float] = []
    size, end = 0, time.perf_counter() + _SECONDS
    while len(took) < _LEAST or (len(took) < _MOST and time.perf_counter() < end):
        begin = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        took.append(time.perf_counter() - begin)
        size = len(answer.read())
        assert answer.status == 200, f"{path}: {answer.status}"
    connection.close()
    return took[1:], size


def _told(figure: Figure) -> Figure:
    """As it comes, too: the whole takes minutes."""
    print(f"{figure.name}: {figure.value:.3g} {figure.unit} ({figure.note})", file=sys.stderr)
    return figure


async def _complete(port: int, paths: list[str]) -> list[Figure]:
    chromium = shutil.which("chromium")
    assert chromium, "install chromium (Debian: apt install chromium)"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        figures = [await _opened(browser, port, path) for path in paths]
        await browser.close()
    return figures


async def _opened(browser: Browser, port: int, path: str) -> Figure:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    took = []
    for _ in range(_OPENINGS):
        begin = time.perf_counter()
        await page.goto(f"http://127.0.0.1:{port}{path}", wait_until="load")
        if await page.locator("[data-chart]").count():  # some are drawn after `load`
            await page.wait_for_selector("html[data-drawn=yes]", state="attached")
        took.append(time.perf_counter() - begin)
    await context.close()
    note = f"first opening {took[0]:.2f} s"
    return _told(aimed(f"complete {_shown(path)}", median(took), "s", below=1.5, note=note))


async def _watched(folder: Path, url: str, port: int) -> list[Figure]:
    """A session is recorded while many look at its page: from a line in its file to the row."""
    session = begin_session(folder / "sessions-live", _LIVE)
    history = History(_LIVE)
    append(session, *history.opening())
    settings = Settings(home=folder / "home", database_url=url)
    lags: list[float] = []
    async with open_database(settings, application="bench") as database:
        source = open_source(session.path, database, PriceList())
        assert source is not None
        await source.catch_up()
        watching = asyncio.create_task(
            watch(Watch(port, f"/sessions/{_LIVE}", "/api/events?repoId=shop", VIEWERS, _WATCHED_S))
        )
        while not watching.done():
            append(session, *history.request())
            begin = time.perf_counter()
            await source.catch_up()
            lags.append(time.perf_counter() - begin)
            await asyncio.sleep(_REQUEST_EVERY_S)
        watched = watching.result()
    late = quantiles(lags, n=20)[-1]
    note = f"median {median(lags) * 1000:.0f} ms, {len(lags)} requests recorded, {watched.events:,} events heard"
    pages = f"{len(watched.latencies) / _WATCHED_S:.0f} pages/s"
    return [
        aimed(f"recorder's lag, p95, {VIEWERS} viewers", late, "s", below=2.0, note=note),
        Figure(
            name=f"page of {VIEWERS} viewers, median",
            value=median(watched.latencies) * 1000,
            unit="ms",
            note=pages,
        ),
    ]


def _shown(path: str) -> str:
    shown = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", path)
    return re.sub(r"=\d{6,}", "=…", shown)
