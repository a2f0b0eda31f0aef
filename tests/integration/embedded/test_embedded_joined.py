"""The short way is a client of an embedded server that is up, as any other, and starts none."""

from __future__ import annotations

import psycopg
import pytest

from acd.core.errors import NotQuick
from acd.core.settings import Settings
from acd.database.embedded import EmbeddedServer
from acd.database.staying import joined

pytestmark = pytest.mark.extra


def test_it_joins_a_server_that_is_up(settings: Settings, server: EmbeddedServer) -> None:
    with pytest.raises(NotQuick), joined(settings.home):
        pass
    server.attach()
    with joined(settings.home) as url:
        assert url == server.url
        server.leave()  # returns at once: the other still uses it
        psycopg.connect(url).close()
        assert server.status().pid is not None
    assert server.status().pid is None, "it was the last one"
    with pytest.raises(NotQuick), joined(settings.home):
        pass
