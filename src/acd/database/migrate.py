"""`python -m acd.database.migrate`: bring a database to the newest revision. Started by `schema.upgrade`.

Reads `{"url": …, "timezone": …}` from stdin. The only module that imports Alembic and SQLAlchemy.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy.pool import NullPool

from acd.database.schema import AWAY_STATUS
from acd.database.wire import parameters

VERSION_TABLE = "acd_schema_version"
# Any number will do, as long as nobody else uses it: the bytes of "acd".
_LOCK = 0x616364
_APPLICATION = "acd migrate"


def migrate(url: str, timezone: str) -> None:
    """Run every missing revision, each in a transaction of its own, one migrator at a time.

    A migrator that is killed leaves the old schema or the new one, since PostgreSQL's DDL is transactional, and its
    lock is free at once.
    """
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", connect_args=parameters(url, _APPLICATION), poolclass=NullPool
    )
    with engine.connect() as holder, engine.connect() as connection:
        holder.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        _run_revisions(connection)
        connection.rollback()  # Alembic has committed each revision; what is open is its last look
        _store_timezone(connection, timezone)


def _run_revisions(connection: sqlalchemy.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "acd.database:migrations")
    config.attributes |= {"connection": connection, "version_table": VERSION_TABLE}
    command.upgrade(config, "head")


def driver_of(connection: sqlalchemy.Connection) -> psycopg.Connection[Any]:
    """The driver's connection under SQLAlchemy's: it runs SQL as it stands, colons, per cent signs and all."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"migrations run on psycopg, not on {driver!r}")
    return driver


def _store_timezone(connection: sqlalchemy.Connection, timezone: str) -> None:
    """Fix the zone in which a day is a day, where the database has none yet, for acd and for anybody's SQL."""
    driver = driver_of(connection)
    with connection.begin():
        stored = driver.execute(
            "INSERT INTO acd_settings (key, value) VALUES ('timezone', %s) ON CONFLICT (key) DO NOTHING",
            [timezone],
        ).rowcount
        if stored:
            database = driver.info.dbname
            driver.execute(
                sql.SQL("ALTER DATABASE {} SET timezone TO {}").format(
                    sql.Identifier(database), sql.Literal(timezone)
                )
            )


def main() -> int:
    """Do what stdin says; the reason of a failure goes to stdout."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str])
    try:
        migrate(request["url"], request["timezone"])
    except sqlalchemy.exc.OperationalError as error:
        sys.stdout.write(str(error.orig))
        return AWAY_STATUS
    except sqlalchemy.exc.DBAPIError as error:
        sys.stdout.write(str(error.orig))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
