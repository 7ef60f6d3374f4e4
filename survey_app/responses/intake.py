"""Step two of the intake: records become responses, exactly once each, whatever is killed when.

Reading and judging happen outside the write lock. Then one transaction marks the record as judged, writes
the response and changes its tally: all of it or nothing. A record already judged by somebody else is left.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.engine import Connection

from survey_app.database import DatabaseUnavailable, db, write_connection
from survey_app.fault_log import told_without_values
from survey_app.models import InboxRecord
from survey_app.responses.judged import Judged, Key, Surroundings, judged_record, waiting_records
from survey_app.responses.judgement_writing import write_judgements
from survey_app.responses.record_keys import KeyFileError
from survey_app.responses.unidentified import UnidentifiedTabletError

log = logging.getLogger(__name__)
BATCH = 50
POISON_PAUSE = dt.timedelta(hours=1)
KEY_PAUSE = dt.timedelta(minutes=1)
PARTIAL_PAUSE = dt.timedelta(minutes=1)
# Built once: making a statement costs more than running it.
_SELECT_OLDEST = (
    sa.select(InboxRecord.id, InboxRecord.revision)
    .where(InboxRecord.judged_at.is_(None))
    .order_by(InboxRecord.received_at)
    .limit(sa.bindparam("limit"))
)


@dataclass
class Intake:
    """The judge of the waiting records. ``_deferred`` is only memory of what to leave for later."""

    partial_grace: dt.timedelta = dt.timedelta(hours=1)
    _deferred: dict[Key, dt.datetime] = field(default_factory=dict)

    def judge_waiting(self, limit: int = BATCH, now: dt.datetime | None = None) -> int:
        """Judge up to ``limit`` waiting records; the number judged."""
        moment = now or dt.datetime.now(dt.UTC)
        self._deferred = {key: until for key, until in self._deferred.items() if until > moment}
        with db.engine.connect() as connection:
            surroundings = Surroundings(connection)
            found = [self._judge(surroundings, record, moment) for record in self._waiting(connection, limit)]
        return self._write([one for one in found if one], moment)

    @property
    def put_off(self) -> int:
        """How many are left for later."""
        return len(self._deferred)

    def _waiting(self, connection: Connection, limit: int) -> Sequence[Any]:
        """Oldest first. Deferred ones are passed over, so that they never hold up the others."""
        oldest = connection.execute(_SELECT_OLDEST, {"limit": limit + len(self._deferred)})
        keys = [(row.id, row.revision) for row in oldest if (row.id, row.revision) not in self._deferred]
        return waiting_records(connection, keys[:limit])

    def _judge(self, surroundings: Surroundings, record: Any, now: dt.datetime) -> Judged | None:
        key = (record.id, record.revision)
        try:
            judged = judged_record(surroundings, record)
        except DatabaseUnavailable:
            raise
        except (KeyFileError, UnidentifiedTabletError):
            # Looked at again soon: somebody puts the file back, or says which tablet it is. Pages name both.
            self._deferred[key] = now + KEY_PAUSE
            return None
        except Exception as error:  # noqa: BLE001 (it is deferred and logged)
            # A fault of ours must stop neither the others nor this one for good: it waits.
            self._defer_poison(key, "judged", error, now)
            return None
        ripe_at = record.received_at + self.partial_grace
        if judged.is_young_partial and ripe_at > now:
            # Looked at again before that: its wave may close meanwhile, and then nobody waits for it.
            self._deferred[key] = min(ripe_at, now + PARTIAL_PAUSE)
            return None
        return judged

    def _defer_poison(self, key: Key, done: str, error: Exception, now: dt.datetime) -> None:
        fault = told_without_values(error)
        log.error("record %s revision %s cannot be %s; it stays in the inbox: %s", *key, done, fault)
        self._deferred[key] = now + POISON_PAUSE

    def _write(self, judged: Sequence[Judged], now: dt.datetime) -> int:
        if not judged:
            return 0
        try:
            with write_connection() as connection:
                return write_judgements(connection, judged, now)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 (it is deferred and logged)
            if len(judged) > 1:
                return sum(self._write([one], now) for one in judged)
            self._defer_poison(judged[0].key, "written", error, now)
            return 0


def judge_waiting(limit: int = 10_000, now: dt.datetime | None = None) -> int:
    """Judge what waits, up to ``limit`` records; the number judged. Used by commands and tests."""
    settings = current_app.extensions["survey_settings"]
    intake = Intake(dt.timedelta(minutes=settings.partial_grace_minutes))
    total = 0
    while total < limit:
        put_off = intake.put_off
        done = intake.judge_waiting(min(BATCH, limit - total), now)
        if not done and intake.put_off == put_off:
            break
        total += done
    return total


def judge_one(key: Key, now: dt.datetime) -> None:
    """Judge this record now, however young; raises what prevents it."""
    with db.engine.connect() as connection:
        (record,) = waiting_records(connection, [key])
        judged = judged_record(Surroundings(connection), record)
    with write_connection() as connection:
        write_judgements(connection, [judged], now)
