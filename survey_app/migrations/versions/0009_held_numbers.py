"""Which numbers a tablet still holds, which one an earlier enrolment became, whether one emptied itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLE = "device"


def upgrade() -> None:
    """Four columns of ``device``: an older application told none of it."""
    op.add_column(TABLE, sa.Column("held", sa.JSON(), nullable=True))
    op.add_column(TABLE, sa.Column("former", sa.Integer(), nullable=True))
    op.add_column(TABLE, sa.Column("replaced_by", sa.String(length=36), nullable=True))
    op.add_column(TABLE, sa.Column("emptied_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """They are forgotten."""
    for name in ("emptied_at", "replaced_by", "former", "held"):
        op.drop_column(TABLE, name)
