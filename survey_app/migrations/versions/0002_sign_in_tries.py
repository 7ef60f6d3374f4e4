"""Tries to sign in are counted in the database, so that all processes share the delay after failures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """sign_in_try."""
    op.create_table(
        "sign_in_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_try")),
    )
    op.create_index("ix_sign_in_try_account_place", "sign_in_try", ["account", "place"], unique=False)
    op.create_index("ix_sign_in_try_place", "sign_in_try", ["place"], unique=False)


def downgrade() -> None:
    """Forget the tries."""
    op.drop_table("sign_in_try")
