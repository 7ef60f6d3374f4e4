"""Which numbers of a tablet arrived, apart from the records: those forget their tablet at their term."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """received_number. The hash of a tablet's last record goes: nothing read it, and it named that record."""
    op.create_table(
        "received_number",
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wave_id", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("device_id", "seq", name=op.f("pk_received_number")),
    )
    op.drop_column("device", "head_hash")


def downgrade() -> None:
    """Numbers whose records are unlinked are then missing ones."""
    op.add_column("device", sa.Column("head_hash", sa.String(length=64), nullable=True))
    op.drop_table("received_number")
