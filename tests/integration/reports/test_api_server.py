"""The real server in an event loop of ours: it answers, it survives an outage, it stops, it says who has its port."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from acd.core.environment import load_settings
from acd.core.errors import ConfigError
from acd.core.settings import Settings
from acd.database.connection import Database, open_database
from acd.server import serve
from tests.integration.serving import serving_as_set


def on_port(settings: Settings, port: int, host: str = "127.0.0.1") -> Settings:
    return load_settings(home=settings.home, port=port, host=host)


async def test_it_answers_and_stops_when_cancelled(seeded: Database, settings: Settings) -> None:
    async with (
        serving_as_set(seeded, on_port(settings, 0)) as address,
        httpx.AsyncClient(base_url=address) as client,
    ):
        answer = await client.get("/api/db/sessions?limit=1")
        assert answer.status_code == 200
        assert answer.json()["data"][0]["sessionNumber"] == 7
        assert "server" not in answer.headers
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


async def test_a_foreign_host_is_refused_on_the_wire(seeded: Database, settings: Settings) -> None:
    async with (
        serving_as_set(seeded, on_port(settings, 0)) as address,
        httpx.AsyncClient(base_url=address) as client,
    ):
        answer = await client.get("/api/db/sessions", headers={"Host": "evil.example"})
        assert answer.status_code == 403


async def test_signals_stay_with_whoever_embeds_the_server(
    seeded: Database, settings: Settings
) -> None:
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, seen.set)
    try:
        async with (
            serving_as_set(seeded, on_port(settings, 0)) as address,
            httpx.AsyncClient(base_url=address) as client,
        ):
            assert (await client.get("/api/health")).status_code == 200
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(seen.wait(), 10)
            assert (await client.get("/api/health")).status_code == 200
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def test_a_port_that_is_taken_names_its_holder(seeded: Database, settings: Settings) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(ConfigError) as raised:
            await serve(seeded, on_port(settings, port))
    message = str(raised.value)
    assert f"port {port} is taken" in message
    assert f"process {os.getpid()}" in message
    assert "recorded all the same" in message
    assert "BACKEND_PORT" in message


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])  # noqa: S104
async def test_other_machines_are_not_let_in(
    seeded: Database, settings: Settings, host: str
) -> None:
    with pytest.raises(ConfigError, match="loopback"):
        await serve(seeded, on_port(settings, 0, host))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
async def test_every_loopback_name_can_be_bound(
    seeded: Database, settings: Settings, host: str
) -> None:
    async with (
        serving_as_set(seeded, on_port(settings, 0, host)) as address,
        httpx.AsyncClient(base_url=address) as client,
    ):
        assert (await client.get("/api/health")).status_code == 200


class Cable:
    """A TCP port that leads to PostgreSQL, and that can be pulled out and plugged in again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.parameters = conninfo_to_dict(url)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._ends: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        return make_conninfo(self._url, host="127.0.0.1", port=self.port)

    async def plug_in(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def pull_out(self) -> None:
        if self._server:
            self._server.close()
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = str(self.parameters["host"]), self.parameters.get("port", 5432)
        if host.startswith("/"):
            far = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            far = await asyncio.open_connection(host, int(port or 5432))
        self._ends += [writer, far[1]]
        await asyncio.gather(_pump(reader, far[1]), _pump(far[0], writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def test_an_outage_is_503_and_over_when_it_is_over(
    seeded: Database, settings: Settings
) -> None:
    cable = Cable(seeded.url)
    await cable.plug_in()
    try:
        through = load_settings(home=settings.home, database_url=cable.url, port=0)
        async with (
            open_database(through, application="acd test") as database,
            serving_as_set(database, through) as address,
            httpx.AsyncClient(base_url=address, timeout=20) as client,
        ):
            assert (await client.get("/api/db/sessions")).status_code == 200
            await cable.pull_out()
            for path in ("/api/db/sessions", "/api/health", "/", "/api/db/errors"):
                answer = await client.get(path)
                assert answer.status_code == 503, path
                assert answer.headers["retry-after"] == "5"
            await cable.plug_in()
            for path in ("/api/db/sessions", "/api/health", "/", "/api/db/errors"):
                assert (await client.get(path)).status_code == 200, path
    finally:
        await cable.pull_out()
