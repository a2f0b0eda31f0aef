"""A typed client of the HTTP API, for one's own programs and for the command line.

    from acd.client import Client, calls

    with Client("http://builder:3434") as server:
        for session in server.rows(calls.sessions(status="failed")):
            print(session.target.repo_id, session.error_message)

`calls` says what can be asked: each function gives a `Call`, which knows its request and how to read the answer as types
of `acd.core.contract`. `Client` and `AsyncClient` send calls; both drive the same conversation (`conversation.py`),
which decides what is tried again and which error an answer is. The errors are those of `acd.core.errors`: `ServerError`
with the server's `code`, `message` and `field`, `ServerAway` when trying again later may help.
"""

from acd.client import calls, control
from acd.client.call import Call, Page
from acd.client.client import AsyncClient, Client
from acd.client.conversation import Retry
from acd.client.events import Event

__all__ = ["AsyncClient", "Call", "Client", "Event", "Page", "Retry", "calls", "control"]
