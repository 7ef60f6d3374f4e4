"""Records that arrived and were not judged: who they are, and the way out for one that cannot be judged."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from survey_app.database import DatabaseUnavailable, db, write_connection
from survey_app.device_models import Device
from survey_app.models import AuditEntry, InboxRecord
from survey_app.responses.envelope import UnreadableEnvelope, read_envelope
from survey_app.responses.intake import judge_one
from survey_app.responses.record_keys import KeyFileError, held
from survey_app.responses.unidentified import UNIDENTIFIED, UnidentifiedTabletError

log = logging.getLogger(__name__)
LISTED_AT_MOST = 20
_RECORDS = sa.select(InboxRecord.id, InboxRecord.revision, InboxRecord.received_at, InboxRecord.envelope)
_UNIDENTIFIED = sa.select(Device.id).where(Device.state == UNIDENTIFIED)
_WAITING = _RECORDS.where(InboxRecord.judged_at.is_(None)).order_by(InboxRecord.received_at)
_WITH_BYTES = _RECORDS.where(InboxRecord.envelope.is_not(None))


@dataclass(frozen=True)
class Waiting:
    """One record that waits. ``missing_key``: the key that opens it, where its file is not here."""

    record_id: str
    revision: int
    received_at: dt.datetime
    missing_key: str | None = None


def waiting(wave_id: str) -> list[Waiting]:
    """The oldest records of a wave that wait to be judged."""
    return list(_found(_WAITING.where(InboxRecord.wave_id == wave_id).limit(LISTED_AT_MOST)))


def waiting_for_keys() -> Counter[str]:
    """How many records wait for each key whose file is not here."""
    return Counter(one.missing_key for one in _found(_WAITING) if one.missing_key)


def keys_missing() -> Counter[str]:
    """How many records whose bytes are still here, judged or not, were sealed with each key that is not."""
    return Counter(one.missing_key for one in _found(_WITH_BYTES) if one.missing_key)


def of_unidentified_tablets(wave_id: str) -> int:
    """How many records of a wave wait until somebody says which tablet they are from."""
    query = sa.select(sa.func.count()).select_from(InboxRecord).where(InboxRecord.wave_id == wave_id)
    waits = sa.and_(InboxRecord.judged_at.is_(None), InboxRecord.device_id.in_(_UNIDENTIFIED))
    return int(db.session.execute(query.where(waits)).scalar_one())


def give_up(key_id: str, *, by: str) -> int:
    """Set apart all that waits for a key that is lost; how many."""
    lost = [one for one in _found(_WAITING) if one.missing_key == key_id]
    for one in lost:
        _set_apart(one, "KeyLost", by)
    return len(lost)


def _found(query: sa.Select[str, int, dt.datetime, bytes | None]) -> Iterator[Waiting]:
    here = {one.key_id for one in held().all()}
    with db.engine.connect() as connection:
        for row in connection.execute(query):
            key_id = _key_of(bytes(row.envelope)) if row.envelope else None
            yield Waiting(row.id, row.revision, row.received_at, None if key_id in here else key_id)


def _key_of(raw: bytes) -> str | None:
    """The key that sealed a record; none where its bytes changed on the disk (``changed_bytes.py`` tells)."""
    try:
        return read_envelope(raw).key_id
    except UnreadableEnvelope:
        return None


class Ended(NamedTuple):
    """What became of the records that somebody wanted an end for."""

    judged: int = 0
    apart: int = 0
    without_key: int = 0
    unidentified: int = 0


def judge_or_set_apart(wave_id: str, record_ids: Sequence[str], *, by: str) -> Ended:
    """Judge these waiting records now; those that cannot be are set apart.

    Setting apart ends the waiting, so that the wave can be sealed. The bytes stay in the inbox until their
    term, and the log of acts names the record. One that can be judged is never lost this way, and one whose
    key is not here, or whose tablet nobody has named, goes on waiting.
    """
    judged = apart = without_key = unidentified = 0
    for one in waiting(wave_id):
        if one.record_id not in record_ids:
            continue
        try:
            judge_one((one.record_id, one.revision), dt.datetime.now(dt.UTC))
            judged += 1
        except DatabaseUnavailable:
            raise
        except KeyFileError:
            without_key += 1
        except UnidentifiedTabletError:
            unidentified += 1
        except Exception as error:  # noqa: BLE001 (whatever the fault is, the record is what must be set apart)
            log.error(
                "record %s revision %s set apart: %s", one.record_id, one.revision, type(error).__name__
            )
            _set_apart(one, type(error).__name__, by)
            apart += 1
    return Ended(judged, apart, without_key, unidentified)


def _set_apart(one: Waiting, fault: str, by: str) -> None:
    now = dt.datetime.now(dt.UTC)
    same = sa.and_(InboxRecord.id == one.record_id, InboxRecord.revision == one.revision)
    detail = {"revision": one.revision, "fault": fault}
    entry = {"at": now, "actor": by, "action": "record-set-apart", "subject": one.record_id, "detail": detail}
    with write_connection() as connection:
        mark = sa.update(InboxRecord).where(same, InboxRecord.judged_at.is_(None)).values(judged_at=now)
        if connection.execute(mark).rowcount:
            connection.execute(sa.insert(AuditEntry).values(**entry))
