"""Whether an agent helped with a response."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = (
    "record_id",
    "revision",
    "wave_id",
    "questionnaire_digest",
    "site",
    "mode",
    "language",
    "answered_on",
    "complete",
    "practice",
    "answers",
    "other_answers",
    "flags",
)
TRIGGER = "append_only_response_update"
UNLESS_PURGING = "WHEN NOT EXISTS (SELECT 1 FROM server_fact WHERE key = 'purging')"
REFUSE = "SELECT RAISE(ABORT, 'response is append-only')"


def upgrade() -> None:
    """response.assisted, held as the other columns are; of earlier responses nobody knows."""
    op.add_column("response", sa.Column("assisted", sa.Boolean(), nullable=True))
    protect(*COLUMNS, "assisted")


def downgrade() -> None:
    """Who was helped is known no more."""
    protect(*COLUMNS)
    op.drop_column("response", "assisted")


def protect(*columns: str) -> None:
    """Let the trigger of the first migration watch these columns."""
    event = f"BEFORE UPDATE OF {', '.join(columns)} ON response"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {TRIGGER} ON response")
        op.execute(f"CREATE TRIGGER {TRIGGER} {event} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
        return
    op.execute(f"DROP TRIGGER {TRIGGER}")
    op.execute(f"CREATE TRIGGER {TRIGGER} {event} {UNLESS_PURGING} BEGIN {REFUSE}; END")
