"""The short way is a client of an embedded server that is up, as any other, and starts none."""

from __future__ import annotations

import psycopg
import pytest

from acd.cli import short
from acd.core.errors import NotQuick
from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.database.staying import joined
from tests.integration.embedded.conftest import StartClient

pytestmark = pytest.mark.extra


def test_it_joins_a_server_that_is_up(
    settings: Settings, server: EmbeddedServer, start_client: StartClient
) -> None:
    with pytest.raises(NotQuick), joined(settings.home):
        pass
    settings.home.mkdir(exist_ok=True)
    client = start_client(settings.home)
    client.ready()
    with short.opened(short.settings_by({"ACD_HOME": str(settings.home)}), "usage") as quick:
        assert quick.timezone
    server.attach()
    client.end()
    with joined(settings.home) as url:
        assert url == server.url
        server.leave()  # returns at once: the other still uses it
        psycopg.connect(url).close()
        assert server.status().pid is not None
    assert server.status().pid is None, "it was the last one"
    with pytest.raises(NotQuick), joined(settings.home):
        pass
