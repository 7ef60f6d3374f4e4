"""Step two of the intake: records become responses, exactly once each, whatever is killed when.

Reading and judging happen outside the write lock. Then one transaction marks the record as judged, writes
the response and changes its tally: all of it or nothing. A record already judged by somebody else is left.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from form_definitions import Questionnaire
from survey_app.database import DatabaseUnavailable, db, write_connection
from survey_app.models import InboxConflict, InboxRecord, Response, Wave, WaveQuestionnaire
from survey_app.responses import tallies
from survey_app.responses.envelope import open_body, read_envelope
from survey_app.responses.judge import Arrival, Judgement, WaveFacts, judge
from survey_app.responses.set_aside import change, decide

log = logging.getLogger(__name__)
BATCH = 50
POISON_PAUSE = dt.timedelta(hours=1)
Key = tuple[str, int]
# Built once: making a statement costs more than running it.
_HAS_CONFLICT = sa.select(
    sa.exists().where(
        InboxConflict.id == sa.bindparam("id"), InboxConflict.revision == sa.bindparam("revision")
    )
)
_MARK_JUDGED = (
    sa.update(InboxRecord)
    .where(
        InboxRecord.id == sa.bindparam("its_id"),
        InboxRecord.revision == sa.bindparam("its_revision"),
        InboxRecord.judged_at.is_(None),
    )
    .values(judged_at=sa.bindparam("judged_at"))
)
_SELECT_EARLIER = sa.select(*Response.__table__.columns).where(Response.record_id == sa.bindparam("id"))
_INSERT_RESPONSE = sa.insert(Response)
_SELECT_WAVE = sa.select(*Wave.__table__.columns).where(Wave.id == sa.bindparam("id"))
_SELECT_DIGESTS = sa.select(WaveQuestionnaire.digest).where(WaveQuestionnaire.wave_id == sa.bindparam("id"))


@dataclass
class Intake:
    """The judge of the waiting records. ``_deferred`` is only memory of what to leave for later."""

    partial_grace: dt.timedelta = dt.timedelta(hours=1)
    _deferred: dict[Key, dt.datetime] = field(default_factory=dict)

    def judge_waiting(self, limit: int = BATCH, now: dt.datetime | None = None) -> int:
        """Judge up to ``limit`` waiting records; the number judged."""
        moment = now or dt.datetime.now(dt.UTC)
        self._deferred = {key: until for key, until in self._deferred.items() if until > moment}
        judged = [found for record in self._waiting(limit) if (found := self._judge(record, moment))]
        return self._write(judged, moment)

    def _waiting(self, limit: int) -> Sequence[Any]:
        """Oldest first. Deferred ones are passed over, so that they never hold up the others."""
        query = sa.select(InboxRecord.id, InboxRecord.revision).where(InboxRecord.judged_at.is_(None))
        query = query.order_by(InboxRecord.received_at).limit(limit + len(self._deferred))
        with db.engine.connect() as connection:
            keys = [tuple(row) for row in connection.execute(query) if tuple(row) not in self._deferred]
            wanted = sa.tuple_(InboxRecord.id, InboxRecord.revision).in_(keys[:limit])
            columns = sa.select(*InboxRecord.__table__.columns).where(wanted)
            return connection.execute(columns).all() if keys else []

    def _judge(self, record: Any, now: dt.datetime) -> _Judged | None:
        key = (record.id, record.revision)
        try:
            with db.engine.connect() as connection:
                judged = _judged(connection, record)
        except DatabaseUnavailable:
            raise
        except Exception:
            # A fault of ours must stop neither the others nor this one for good: it waits.
            log.exception("record %s revision %s cannot be judged; it stays in the inbox", *key)
            self._deferred[key] = now + POISON_PAUSE
            return None
        ripe_at = record.received_at + self.partial_grace
        if judged.is_young_partial and ripe_at > now:
            self._deferred[key] = ripe_at
            return None
        return judged

    def _write(self, judged: Sequence[_Judged], now: dt.datetime) -> int:
        if not judged:
            return 0
        try:
            with write_connection() as connection:
                return write_judgements(connection, judged, now)
        except DBAPIError:
            if len(judged) > 1:
                return sum(self._write([one], now) for one in judged)
            log.exception("record %s revision %s cannot be written; it stays in the inbox", *judged[0].key)
            self._deferred[judged[0].key] = now + POISON_PAUSE
            return 0


@dataclass(frozen=True)
class _Judged:
    """One judged record, before it is written."""

    judgement: Judgement
    keep_partial: bool
    finished_elsewhere: bool

    @property
    def key(self) -> Key:
        return self.judgement.record_id, self.judgement.revision

    @property
    def is_young_partial(self) -> bool:
        """A partial record whose finished revision may still be on its way."""
        readable = "unreadable_body" not in self.judgement.flags
        return readable and not self.judgement.complete and self.keep_partial and not self.finished_elsewhere


def judge_waiting(limit: int = 10_000, now: dt.datetime | None = None) -> int:
    """Judge what waits, up to ``limit`` records; the number judged. Used by commands and tests."""
    settings = current_app.extensions["survey_settings"]
    intake = Intake(dt.timedelta(minutes=settings.partial_grace_minutes))
    total = 0
    while total < limit and (done := intake.judge_waiting(min(BATCH, limit - total), now)):
        total += done
    return total


def _judged(connection: Connection, record: Any) -> _Judged:
    envelope = read_envelope(bytes(record.envelope))
    body = open_body(envelope)
    arrival = Arrival(
        mode=record.source,
        site=record.site,
        received_at=record.received_at,
        flags=tuple(record.flags),
        conflict=_has_conflict(connection, record),
    )
    wave = wave_facts(connection, envelope.wave)
    questionnaire = tallies.questionnaire_of(connection, envelope.questionnaire_digest)
    judgement = judge(envelope, body, arrival, wave, questionnaire)
    return _Judged(
        judgement,
        keep_partial=_keeps_partials(questionnaire),
        finished_elsewhere=not body.complete and _finished(connection, envelope.id),
    )


def _keeps_partials(questionnaire: Questionnaire | None) -> bool:
    """What cannot be read is kept: only a known questionnaire may say « discard »."""
    return questionnaire is None or questionnaire.partial_policy == "keep"


def wave_facts(connection: Connection, wave_id: str | None) -> WaveFacts | None:
    """What the judgement needs of this wave; None when it does not exist."""
    row = connection.execute(_SELECT_WAVE, {"id": wave_id}).one_or_none()
    if row is None:
        return None
    used = connection.scalars(_SELECT_DIGESTS, {"id": wave_id})
    return WaveFacts(
        id=row.id,
        state=row.state,
        questionnaire_digest=row.questionnaire_digest,
        digests=frozenset((*used, row.questionnaire_digest)),
        opens_on=row.opens_on,
        closes_on=row.closes_on,
        sites=frozenset(row.sites),
        modes=frozenset(row.modes),
        languages=frozenset(row.languages),
        closed_at=row.closed_at,
        sealed_at=row.sealed_at,
    )


def _has_conflict(connection: Connection, record: Any) -> bool:
    return bool(connection.scalar(_HAS_CONFLICT, {"id": record.id, "revision": record.revision}))


def _finished(connection: Connection, record_id: str) -> bool:
    return any(row.complete for row in _earlier(connection, record_id))


def write_judgements(connection: Connection, judged: Iterable[_Judged], now: dt.datetime) -> int:
    """Mark, write and count, in the caller's transaction. Finished records first: they supersede others."""
    tallies.lock(connection)
    ordered = sorted(judged, key=lambda one: (not one.judgement.complete, one.key))
    tallies.refresh_layouts(connection, {one.judgement.questionnaire_digest for one in ordered})
    changes: list[tuple[tallies.CellKey, Any]] = []
    done = 0
    for one in ordered:
        if _mark_judged(connection, one.key, now):
            done += 1
            changes += _store(connection, one, now)
    tallies.apply(connection, tallies.summed(changes))
    return done


def _mark_judged(connection: Connection, key: Key, now: dt.datetime) -> bool:
    """Whether this transaction is the one that judges the record."""
    parameters = {"its_id": key[0], "its_revision": key[1], "judged_at": now}
    return connection.execute(_MARK_JUDGED, parameters).rowcount == 1


def _store(connection: Connection, one: _Judged, now: dt.datetime) -> list[tuple[tallies.CellKey, Any]]:
    """Write the response; the changes of the tallies that follow."""
    earlier = _earlier(connection, one.judgement.record_id)
    judgement = one.judgement
    if not judgement.complete and (not one.keep_partial or _is_outdated(judgement, earlier)):
        return []
    if judgement.complete and any(row.complete for row in earlier):
        judgement = replace(judgement, flags=sorted({*judgement.flags, "second_finish"}))
    connection.execute(_INSERT_RESPONSE, asdict(judgement))
    if not judgement.counted:
        return []
    return [*_supersede(connection, earlier, now), change(connection, judgement, +1)]


def _earlier(connection: Connection, record_id: str) -> Sequence[Any]:
    return connection.execute(_SELECT_EARLIER, {"id": record_id}).all()


def _is_outdated(partial: Judgement, earlier: Iterable[Any]) -> bool:
    return any(row.complete or row.revision > partial.revision for row in earlier)


def _supersede(
    connection: Connection, earlier: Sequence[Any], now: dt.datetime
) -> list[tuple[tallies.CellKey, Any]]:
    """Set the earlier revisions aside; take those that were counted out of their cells."""
    if not earlier:
        return []
    decisions = tallies.decisions_about(connection, {row.record_id for row in earlier})
    changes = []
    for row in earlier:
        if tallies.is_counted(row, decisions.get((row.record_id, row.revision))):
            decide(connection, row, tallies.SET_ASIDE, "superseded", "", "intake", now)
            changes.append(change(connection, row, -1))
    return changes
