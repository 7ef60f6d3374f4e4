"""What the mixing keeps instead of who was reminded, and answers that do not open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """mailing.counts, sealed_answer.unreadable. Who answered editions that were mixed before is forgotten by
    the next mixing run.
    """
    op.add_column("mailing", sa.Column("counts", sa.JSON(), nullable=True))
    unreadable: sa.Column[bool] = sa.Column(
        "unreadable", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("sealed_answer", unreadable)


def downgrade() -> None:
    """How many messages of mixed editions left is known no more, nor which answers were left out."""
    op.drop_column("sealed_answer", "unreadable")
    op.drop_column("mailing", "counts")
