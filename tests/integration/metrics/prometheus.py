"""Debian's Prometheus on loopback, scraping one server of ours, until the block ends."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

DEADLINE_S = 60


class Prometheus:
    """What it has scraped, by its own query language."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, query: str) -> dict[str, float]:
        """The value now of each series that the query gives; the key is its label values, in order of their names."""
        answer = await self._client.get("/api/v1/query", params={"query": query})
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return {}  # it is still starting: it knows no series yet
        assert answer.status_code == 200, answer.text
        return {
            ",".join(value for name, value in sorted(one["metric"].items()) if name in LABELS): (
                float(one["value"][1])
            )
            for one in answer.json()["data"]["result"]
        }

    async def one(self, query: str) -> float:
        (value,) = (await self.ask(query)).values()
        return value

    async def warnings(self) -> list[str]:
        """What it has against the target that it scrapes."""
        targets = (await self._client.get("/api/v1/targets")).json()["data"]["activeTargets"]
        return [one["lastError"] for one in targets if one["lastError"]]


LABELS = {"status", "type", "model"}


@asynccontextmanager
async def scraping(address: str, folder: Path) -> AsyncIterator[Prometheus]:
    """Prometheus, once it has scraped the server at `address` successfully."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.fail("prometheus is missing: install it (tests marked `extra` need it)")
    port = _free_port()
    target = urlsplit(address).netloc
    (folder / "prometheus.yml").write_text(
        json.dumps(  # JSON is YAML
            {
                "global": {"scrape_interval": "1s"},
                "scrape_configs": [{"job_name": "acd", "static_configs": [{"targets": [target]}]}],
            }
        )
    )
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False
        ) as client:
            prometheus = Prometheus(client)
            await _until_scraped(prometheus, process, folder / "log")
            yield prometheus
    finally:
        process.terminate()
        process.wait(30)


async def _until_scraped(
    prometheus: Prometheus, process: subprocess.Popen[bytes], log: Path
) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            assert process.poll() is None, log.read_text()
            try:
                if await prometheus.ask("up == 1"):
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
