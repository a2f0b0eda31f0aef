"""How sessions' accounts are billed: see `0020_billing.sql`."""

from __future__ import annotations

from alembic import op

from acd.database.migrate import driver_of
from acd.database.schema import read_revision

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Run the SQL as it stands."""
    driver_of(op.get_bind()).execute(read_revision(revision).encode())
