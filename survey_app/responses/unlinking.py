"""The end of the join between an answer and its sending: an erased envelope leaves no tablet and no time.

A response and its record share their number. So where the envelope is gone, the record keeps what a resend
needs (number, hash) and loses the rest. The numbers of the tablet move to a table that names no record.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.device_models import ReceivedNumber
from survey_app.models import AuditEntry, InboxConflict, InboxRecord, ResponseSetAside
from survey_app.responses.set_aside import SUPERSEDED

FORGOTTEN: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""Stands for a moment that was there."""
IMPORTED: Final = "records-imported"
_LINKED = sa.and_(InboxRecord.envelope.is_(None), InboxRecord.received_at != FORGOTTEN)


def unlink(connection: Connection) -> None:
    """Forget tablet, order and time of every record without envelope, in the purge's transaction."""
    _keep_the_numbers(connection)
    _forget_automatic_decisions(connection)
    _forget_imports(connection)
    nothing = {"device_id": None, "received_at": FORGOTTEN}
    gone = sa.and_(InboxConflict.envelope.is_(None), InboxConflict.received_at != FORGOTTEN)
    connection.execute(sa.update(InboxConflict).where(gone).values(nothing))
    frame = {"seq": None, "prev": None, "site": None, "judged_at": FORGOTTEN}
    connection.execute(sa.update(InboxRecord).where(_LINKED).values({**nothing, **frame}))


def _keep_the_numbers(connection: Connection) -> None:
    """Whether a number arrived stays known: a tablet goes on counting from one edition to the next."""
    number = (InboxRecord.device_id, InboxRecord.seq)
    known = sa.exists().where(
        ReceivedNumber.device_id == InboxRecord.device_id, ReceivedNumber.seq == InboxRecord.seq
    )
    new = sa.select(*number, sa.func.min(InboxRecord.wave_id)).where(
        _LINKED, *(part.is_not(None) for part in number), ~known
    )
    into = sa.insert(ReceivedNumber)
    connection.execute(
        into.from_select(["device_id", "seq", "wave_id"], new.group_by(*number).order_by(*number))
    )


def _forget_automatic_decisions(connection: Connection) -> None:
    """The intake decides at the moment of receipt; people decide at a moment of their own."""
    record_ids = sa.select(InboxRecord.id).where(_LINKED)
    automatic = sa.and_(
        ResponseSetAside.reason == SUPERSEDED,
        ResponseSetAside.at != FORGOTTEN,
        ResponseSetAside.record_id.in_(record_ids),
    )
    connection.execute(sa.update(ResponseSetAside).where(automatic).values(at=FORGOTTEN))


def _forget_imports(connection: Connection) -> None:
    """The log of a rescue file names its tablet, and each record by its number."""
    query = sa.select(AuditEntry.id, AuditEntry.detail).where(AuditEntry.action == IMPORTED)
    for entry_id, detail in connection.execute(query).all():
        named = detail.get("records", [])
        of_these = sa.select(InboxRecord.id).where(_LINKED, InboxRecord.id.in_(named))
        gone = set(connection.scalars(of_these))
        if gone:
            left = {**detail, "records": [one for one in named if one not in gone]}
            connection.execute(sa.update(AuditEntry).where(AuditEntry.id == entry_id).values(detail=left))
