"""What arrived under a number already taken, with other contents: never counted, shown to the referent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from survey_app.database import db
from survey_app.models import InboxConflict, InboxRecord
from survey_app.responses.envelope import open_body, read_envelope

LISTED_AT_MOST = 50


@dataclass(frozen=True)
class Variant:
    """One envelope that came second. ``differences``: what it says otherwise; None once it is erased."""

    record_id: str
    revision: int
    received_at: dt.datetime
    same_sender: bool
    differences: Mapping[str, Any] | None


def variants(wave_id: str) -> list[Variant]:
    """The variants of the records of a wave, the latest first."""
    same = sa.and_(InboxRecord.id == InboxConflict.id, InboxRecord.revision == InboxConflict.revision)
    first = (InboxRecord.envelope.label("first"), InboxRecord.device_id.label("first_device"))
    query = sa.select(*InboxConflict.__table__.columns, *first).join(InboxRecord, same)
    query = query.where(InboxRecord.wave_id == wave_id).order_by(InboxConflict.received_at.desc())
    with db.engine.connect() as connection:
        return [_variant(row) for row in connection.execute(query.limit(LISTED_AT_MOST))]


def _variant(row: Any) -> Variant:
    same_sender = row.device_id == row.first_device
    return Variant(row.id, row.revision, row.received_at, same_sender, _differences(row.first, row.envelope))


def _differences(first: bytes | None, second: bytes | None) -> dict[str, Any] | None:
    if first is None or second is None:
        return None
    known, other = _answers(first), _answers(second)
    return {name: other.get(name) for name in {**known, **other} if known.get(name) != other.get(name)}


def _answers(raw: bytes) -> dict[str, Any]:
    return open_body(read_envelope(bytes(raw))).answers
