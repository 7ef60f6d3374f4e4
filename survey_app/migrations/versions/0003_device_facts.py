"""What a tablet says of itself, the refusals of each day, and why some of its numbers never arrived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _device_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("beat", sa.BigInteger(), nullable=True),
        sa.Column("quarantined", sa.Integer(), nullable=True),
        sa.Column("drafts", sa.Integer(), nullable=True),
        sa.Column("retained", sa.Integer(), nullable=True),
        sa.Column("questionnaires", sa.JSON(), nullable=True),
        sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("persisted", sa.Boolean(), nullable=True),
        sa.Column("battery_percent", sa.Integer(), nullable=True),
        sa.Column("charging", sa.Boolean(), nullable=True),
        sa.Column("last_receipt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("readiness", sa.String(length=80), nullable=True),
        sa.Column("readiness_reason", sa.String(length=80), nullable=True),
        sa.Column("pin_failures", sa.Integer(), nullable=True),
        sa.Column("pin", sa.JSON(), nullable=True),
    ]


def upgrade() -> None:
    """Columns of device and enrolment_code; device_refusals, gap_explanation."""
    for column in _device_columns():
        op.add_column("device", column)
    op.add_column("enrolment_code", sa.Column("pin", sa.JSON(), nullable=True))
    op.create_table(
        "device_refusals",
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_device_refusals_device_id_device")
        ),
        sa.PrimaryKeyConstraint("device_id", "day", name=op.f("pk_device_refusals")),
    )
    op.create_table(
        "gap_explanation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("explained_by", sa.Text(), nullable=False),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_gap_explanation_device_id_device")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap_explanation")),
    )
    op.create_index(op.f("ix_gap_explanation_device_id"), "gap_explanation", ["device_id"], unique=False)


def downgrade() -> None:
    """Forget what tablets said."""
    op.drop_table("gap_explanation")
    op.drop_table("device_refusals")
    op.drop_column("enrolment_code", "pin")
    for column in reversed(_device_columns()):
        op.drop_column("device", column.name)
