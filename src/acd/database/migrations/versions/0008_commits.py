"""The newest commits of all targets: see `0008_commits.sql`."""

from __future__ import annotations

from alembic import op

from acd.database.migrate import driver_of
from acd.database.schema import read_revision

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the SQL as it stands."""
    driver_of(op.get_bind()).execute(read_revision(revision).encode())
