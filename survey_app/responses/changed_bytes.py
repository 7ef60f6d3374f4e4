"""Records whose bytes are no longer those of their receipt: no page and no index tells. Floor 2."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.models import InboxRecord
from survey_app.responses.envelope import content_hash

AT_ONCE = 500


def changed_records(connection: Connection) -> list[str]:
    """The ids of these records; those whose bytes were erased at their term are none."""
    query = sa.select(InboxRecord.id, InboxRecord.content_hash, InboxRecord.envelope)
    rows = connection.execution_options(yield_per=AT_ONCE).execute(
        query.where(InboxRecord.envelope.is_not(None))
    )
    return [row.id for row in rows if content_hash(row.envelope) != row.content_hash]
