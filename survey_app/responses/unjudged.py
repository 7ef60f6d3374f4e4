"""Records that arrived and were not judged: who they are, and the way out for one that cannot be judged."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from survey_app.database import DatabaseUnavailable, db, write_connection
from survey_app.models import AuditEntry, InboxRecord
from survey_app.responses.intake import judge_one

log = logging.getLogger(__name__)
LISTED_AT_MOST = 20


@dataclass(frozen=True)
class Waiting:
    """One record that waits."""

    record_id: str
    revision: int
    received_at: dt.datetime


def waiting(wave_id: str) -> list[Waiting]:
    """The oldest records of a wave that wait to be judged."""
    query = sa.select(InboxRecord.id, InboxRecord.revision, InboxRecord.received_at)
    query = query.where(InboxRecord.wave_id == wave_id, InboxRecord.judged_at.is_(None))
    with db.engine.connect() as connection:
        found = connection.execute(query.order_by(InboxRecord.received_at).limit(LISTED_AT_MOST))
        return [Waiting(*row) for row in found]


def judge_or_set_apart(wave_id: str, record_ids: Sequence[str], *, by: str) -> tuple[int, int]:
    """Judge these waiting records now; those that cannot be are set apart. How many of each.

    Setting apart ends the waiting, so that the wave can be sealed. The bytes stay in the inbox until their
    term, and the log of acts names the record. One that can be judged is never lost this way.
    """
    judged = apart = 0
    for one in waiting(wave_id):
        if one.record_id not in record_ids:
            continue
        try:
            judge_one((one.record_id, one.revision), dt.datetime.now(dt.UTC))
            judged += 1
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 (whatever the fault is, the record is what must be set apart)
            log.error(
                "record %s revision %s set apart: %s", one.record_id, one.revision, type(error).__name__
            )
            _set_apart(one, type(error).__name__, by)
            apart += 1
    return judged, apart


def _set_apart(one: Waiting, fault: str, by: str) -> None:
    now = dt.datetime.now(dt.UTC)
    same = sa.and_(InboxRecord.id == one.record_id, InboxRecord.revision == one.revision)
    detail = {"revision": one.revision, "fault": fault}
    entry = {"at": now, "actor": by, "action": "record-set-apart", "subject": one.record_id, "detail": detail}
    with write_connection() as connection:
        mark = sa.update(InboxRecord).where(same, InboxRecord.judged_at.is_(None)).values(judged_at=now)
        if connection.execute(mark).rowcount:
            connection.execute(sa.insert(AuditEntry).values(**entry))
