"""Erasure on request: one response, by the reference that its author kept. Logged, and counters follow.

Number and hash of its record stay, as after a term: sent again, it gets its receipt and is no new one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.database import write_connection
from survey_app.models import AuditEntry, InboxConflict, InboxRecord, Response, Wave
from survey_app.responses import counting, tallies
from survey_app.responses.purge import (
    delete_responses,
    empty_envelopes,
    empty_the_log_of_sqlite,
    erase_texts_of,
    passing,
)
from survey_app.responses.sent_anew import number_of
from survey_app.responses.set_aside import DecisionError, change


def erase(record_id: str, *, by: str, wave_id: str, now: dt.datetime | None = None) -> bool:
    """Erase a response of this wave; whether the ticked answers went too. Those of a sealed wave stand.

    Raises
    ------
    DecisionError
        No response of this wave has this number.
    """
    mine = sa.and_(Response.record_id == record_id, Response.wave_id == wave_id)
    with write_connection() as connection:
        tallies.lock(connection)
        rows = connection.execute(sa.select(*Response.__table__.columns).where(mine)).all()
        if not rows:
            raise DecisionError(f"Aucune réponse de cette édition ne porte le numéro {record_id}.")
        state = connection.scalar(sa.select(Wave.state).where(Wave.id == wave_id))
        whole = state not in ("sealed", "published")
        with passing(connection, by):
            if whole:
                _take_out(connection, rows)
                delete_responses(connection, mine)
            else:
                layouts = tallies.wave_layouts(connection, wave_id)
                for row in rows:
                    erase_texts_of(connection, row, layouts.get(row.questionnaire_digest))
            empty_envelopes(connection, InboxRecord.id == record_id)
            _empty_variant(connection, record_id)
        at = now or dt.datetime.now(dt.UTC)
        line = {"actor": by, "action": "response-erased", "subject": record_id, "detail": {"whole": whole}}
        connection.execute(sa.insert(AuditEntry).values(at=at, **line))
    empty_the_log_of_sqlite()
    return whole


def _take_out(connection: Connection, rows: Sequence[Any]) -> None:
    tallies.refresh_layouts(connection, {row.questionnaire_digest for row in rows})
    counted = counting.counted_among(connection, rows)
    tallies.apply(connection, tallies.summed([change(connection, row, -1) for row in counted]))


def _empty_variant(connection: Connection, record_id: str) -> None:
    """The contents of a variant that was counted apart: its number is made from its hash."""
    hashes = connection.scalars(
        sa.select(InboxConflict.content_hash).where(InboxConflict.envelope.is_not(None))
    )
    own = [one for one in hashes if number_of(one) == record_id]
    gone = sa.update(InboxConflict).where(InboxConflict.content_hash.in_(own)).values(envelope=None)
    connection.execute(gone)
