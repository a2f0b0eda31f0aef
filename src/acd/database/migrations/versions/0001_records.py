"""The tables: see `0001_records.sql`."""

from __future__ import annotations

from alembic import op

from acd.database.schema import read_revision

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the SQL as it stands: by the driver, since SQLAlchemy would read colons and per cent signs."""
    op.get_bind().connection.driver_connection.execute(read_revision(revision))
