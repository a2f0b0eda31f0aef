"""`python -m bench.screenshots`: pictures of every page, in both themes and at both widths, of a fleet made for it.

A database is filled (`corpus`), made to look like a fleet (`showcase.sql`), served on loopback, and opened in Debian's
Chromium. With `--serve` it only serves, until it is interrupted, for whoever works on the pages.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import psycopg
from playwright.async_api import Browser, async_playwright

from acd.core.environment import load_settings
from acd.dashboard.site import PAGES
from acd.database.connection import open_database
from acd.database.queries import parse_queries
from acd.server import serve
from bench.corpus import Size, fill
from bench.scratch import Scratch, scratch_server

SIZE = Size(sessions=420, targets=9, requests=25, events=12, features=30, days=21)
WIDTHS = {"wide": (1440, 900), "narrow": (390, 844)}
DOCUMENTS = {"document": (1200, 800)}
THEMES = ("light", "dark")
# Pages below those of the navigation, by the name of their picture.
BELOW = {
    "target": "/targets/search",
    "session": "/sessions/{session}",
    "lines": "/sessions/{session}/lines",
    "kind": "/errors/{group}",
}


async def make_fleet(scratch: Scratch) -> str:
    """URL of a database with the fleet in it."""
    await scratch.create_template()
    url = scratch.create()
    await fill(url, SIZE)
    await asyncio.to_thread(_dress, url)
    return url


def _dress(url: str) -> None:
    text = Path(__file__).with_name("showcase.sql").read_text()
    with psycopg.connect(url) as connection:
        for query in parse_queries("showcase", text):
            for statement in query.sql.split(b";\n"):
                if statement.strip():
                    connection.execute(statement, {})


async def _pictures(address: str, folder: Path, only: str | None, *, for_docs: bool) -> int:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("install chromium (Debian: apt install chromium)")
    folder.mkdir(parents=True, exist_ok=True)
    names = {
        "session": await _first(address, "/api/db/sessions?repoId=search&status=completed", "id"),
        "group": await _first(address, "/api/db/errors/groups?resolved=all", "key"),
    }
    below = {name: path.format(**names) for name, path in BELOW.items()}
    pages = {page.ENTRY.label.lower(): page.ENTRY.path for page in PAGES} | below
    taken = 0
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        for name, path in pages.items():
            if only in (None, name):
                taken += await _page(browser, f"{address}{path}", folder, name, for_docs=for_docs)
        await browser.close()
    return taken


async def _first(address: str, path: str, field: str) -> str:
    """A field of the first row that the API tells."""
    async with httpx.AsyncClient(base_url=address) as client:
        answer = (await client.get(path)).raise_for_status()
    return str(answer.json()["data"][0][field])


async def _page(browser: Browser, address: str, folder: Path, name: str, *, for_docs: bool) -> int:
    """The page in each look (for documents: its top alone, in one); no picture of one that is not there."""
    themes = THEMES[:1] if for_docs else THEMES
    widths = DOCUMENTS if for_docs else WIDTHS
    for theme in themes:
        for width, (across, down) in widths.items():
            context = await browser.new_context(
                viewport={"width": across, "height": down}, color_scheme=theme
            )
            page = await context.new_page()
            answer = await page.goto(address, wait_until="load")
            if answer is None or not answer.ok:
                print(f"{name}: no picture, {address} answered {answer and answer.status}")
                await context.close()
                return 0
            await page.wait_for_timeout(300)
            file = f"{name}.png" if for_docs else f"{name}-{theme}-{width}.png"
            await page.screenshot(path=folder / file, full_page=not for_docs)
            await context.close()
    return len(themes) * len(widths)


async def _main(
    folder: Path, only: str | None, *, for_docs: bool, keep_serving: bool, port: int
) -> None:
    with scratch_server() as scratch:
        url = await make_fleet(scratch)
        settings = load_settings({}, home=scratch.folder / "home", database_url=url, port=port)
        async with open_database(settings, application="screenshots") as db:
            address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            server = asyncio.create_task(
                serve(
                    db,
                    settings,
                    ready=address.set_result,
                    login=lambda link: print(link) if keep_serving else None,
                )
            )
            try:
                if keep_serving:
                    print(await address, flush=True)
                    await server
                taken = await _pictures(await address, folder, only, for_docs=for_docs)
                print(f"{taken} pictures in {folder}")
            finally:
                server.cancel()
                with suppress(asyncio.CancelledError):
                    await server


def main() -> None:
    """Take the pictures, or serve what they are taken of."""
    parser = argparse.ArgumentParser(prog="python -m bench.screenshots", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("screenshots"))
    parser.add_argument("--page", help="only this one, by its name")
    parser.add_argument("--docs", action="store_true", help="small ones, as docs/images has them")
    parser.add_argument("--serve", action="store_true", help="serve the fleet until interrupted")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(
            _main(
                given.folder,
                given.page,
                for_docs=given.docs,
                keep_serving=given.serve,
                port=given.port,
            )
        )


if __name__ == "__main__":
    main()
