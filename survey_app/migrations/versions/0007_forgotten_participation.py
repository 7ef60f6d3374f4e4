"""What the mixing keeps instead of who was reminded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """mailing.counts. Who answered editions that were mixed before is forgotten by the next mixing run."""
    op.add_column("mailing", sa.Column("counts", sa.JSON(), nullable=True))


def downgrade() -> None:
    """How many messages of mixed editions left is known no more."""
    op.drop_column("mailing", "counts")
