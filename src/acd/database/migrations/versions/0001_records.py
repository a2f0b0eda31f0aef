"""The tables: see `0001_records.sql`."""

from __future__ import annotations

from alembic import op

from acd.database.migrate import driver_of
from acd.database.schema import read_revision

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the SQL as it stands."""
    driver_of(op.get_bind()).execute(read_revision(revision).encode())
