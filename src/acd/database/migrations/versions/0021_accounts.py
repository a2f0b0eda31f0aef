"""Logins of agents: see `0021_accounts.sql`."""

from __future__ import annotations

from alembic import op

from acd.database.migrate import driver_of
from acd.database.schema import read_revision

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Run the SQL as it stands."""
    driver_of(op.get_bind()).execute(read_revision(revision).encode())
