"""Sessions that begin at one moment: see `0016_beginnings.sql`."""

from __future__ import annotations

from alembic import op

from acd.database.migrate import driver_of
from acd.database.schema import read_revision

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Run the SQL as it stands."""
    driver_of(op.get_bind()).execute(read_revision(revision).encode())
