"""What every connection of ours is told beside its URL, whoever makes it: the driver, or `quick`."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

CONNECT_TIMEOUT = 5.0
"""Seconds in which a connection must be there."""

OLDEST_SERVER = 15


def pinned(given: Mapping[str, str], application: str) -> dict[str, str]:
    """Connection parameters, with those spelled out that libpq would else take from the environment.

    A `PGHOST` or `PGOPTIONS` that the user keeps for something else must not change where we connect or how.
    Only what keeps secrets out of a URL is still read from it: PGPASSWORD, PGPASSFILE and the TLS variables.

    Args:
        given: what the URL says, which wins.
        application: shown in `pg_stat_activity`.
    """
    user = given.get("user") or _own_name()
    ours = {
        "user": user,
        "dbname": user,
        "host": "",
        "hostaddr": "",
        "port": "5432",
        "options": "",
        "requirepeer": "",
        "require_auth": "",
        "channel_binding": "prefer",
        "target_session_attrs": "any",
        "load_balance_hosts": "disable",
        "gssencmode": "disable",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "tcp_user_timeout": "10000",
        "connect_timeout": str(int(CONNECT_TIMEOUT)),
    }
    always = {"client_encoding": "UTF8", "application_name": application}
    return ours | dict(given) | always


def _own_name() -> str:
    """Libpq's default for user and database; a container may run us as a user without a name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
