"""The same answers twice: refused under a number already taken, then sent anew under another.

The website offers that at once, and the referent may have counted the refused contents as another person's by
then. Whichever of the two comes second does not count.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.models import InboxConflict, InboxRecord, Response
from survey_app.responses import counting
from survey_app.responses.envelope import Body, open_body, read_envelope
from survey_app.responses.record_keys import held

SENT_ANEW_WITHIN = dt.timedelta(days=1)
SAME_MOMENT = dt.timedelta(seconds=5)
Key = tuple[str, int]
# Built once: making a statement costs more than running it.
_REFUSED_BETWEEN = sa.select(*InboxConflict.__table__.columns).where(
    InboxConflict.device_id.is_(None),
    InboxConflict.envelope.is_not(None),
    InboxConflict.received_at.between(sa.bindparam("since"), sa.bindparam("until")),
)


@dataclass(frozen=True)
class Form:
    """A form as it was sent: when it was opened, and all that was answered."""

    opened_at: dt.datetime
    answers: Mapping[str, Any]

    def repeats(self, refused: Any) -> bool:
        """Whether it was opened by the very page that refused these bytes, and says the same."""
        if abs(self.opened_at - refused.received_at) >= SAME_MOMENT:
            return False
        return self.answers == open_body(read_envelope(bytes(refused.envelope)), held()).answers


def form_of(record: Any, body: Body) -> Form | None:
    """The form of a record, if it may be one sent anew: no tablet offers that."""
    if record.device_id is not None or not body.complete or body.started_at is None:
        return None
    just_now = -SAME_MOMENT < record.received_at - body.started_at < SENT_ANEW_WITHIN
    return Form(body.started_at, body.answers) if just_now else None


def number_of(content_hash: str) -> str:
    """The record id of refused contents as a response of their own."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, content_hash))


def counted_anew(connection: Connection, refused: Any) -> str | None:
    """The number under which refused contents were sent anew and are counted."""
    if refused.device_id is not None or refused.envelope is None:
        return None
    since, until = refused.received_at, refused.received_at + SENT_ANEW_WITHIN
    query = sa.select(*InboxRecord.__table__.columns).where(
        InboxRecord.received_at.between(since, until), InboxRecord.device_id.is_(None)
    )
    repeating = {
        str(record.id)
        for record in connection.execute(query.where(InboxRecord.envelope.is_not(None)))
        if (form := form_of(record, open_body(read_envelope(bytes(record.envelope)), held())))
        and form.repeats(refused)
    }
    return min(_counted(connection, repeating), default=None)


def counted_apart(connection: Connection, forms: Mapping[Key, Form]) -> set[Key]:
    """Which of these forms repeat refused contents that are counted as another person's already."""
    moments = [form.opened_at for form in forms.values()]
    if not moments:
        return set()
    span = {"since": min(moments) - SAME_MOMENT, "until": max(moments) + SAME_MOMENT}
    refused = connection.execute(_REFUSED_BETWEEN, span).all()
    counted = _counted(connection, {number_of(one.content_hash) for one in refused})
    standing = [one for one in refused if number_of(one.content_hash) in counted]
    return {key for key, form in forms.items() if any(form.repeats(one) for one in standing)}


def _counted(connection: Connection, record_ids: Collection[str]) -> set[str]:
    """Those under which a response is counted."""
    if not record_ids:
        return set()
    query = sa.select(*Response.__table__.columns).where(Response.record_id.in_(record_ids))
    return {row.record_id for row in counting.counted_among(connection, connection.execute(query).all())}
