"""What people say of a tablet that kept silent after a wave, or whose numbers came twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "tablet_explanation"


def upgrade() -> None:
    """The table ``tablet_explanation``."""
    op.create_table(
        TABLE,
        sa.Column("wave_id", sa.String(length=80), nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("explained_by", sa.Text(), nullable=False),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_tablet_explanation_device_id_device")
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_tablet_explanation_wave_id_wave")),
        sa.PrimaryKeyConstraint("wave_id", "device_id", "kind", name=op.f("pk_tablet_explanation")),
    )


def downgrade() -> None:
    """What people said is known no more."""
    op.drop_table(TABLE)
