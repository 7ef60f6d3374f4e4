"""Step two of the intake: records become responses, exactly once each, whatever is killed when.

Reading and judging happen outside the write lock. Then one transaction marks the record as judged, writes
the response and changes its tally: all of it or nothing. A record already judged by somebody else is left.
"""

from __future__ import annotations

import datetime as dt
import logging
import traceback
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from form_definitions import Questionnaire
from survey_app.database import DatabaseUnavailable, db, write_connection
from survey_app.models import InboxConflict, InboxRecord, Response, Wave, WaveQuestionnaire
from survey_app.responses import tallies
from survey_app.responses.envelope import open_body, read_envelope
from survey_app.responses.flags import OTHER_DEVICE
from survey_app.responses.judge import Arrival, Judgement, WaveFacts, judge
from survey_app.responses.set_aside import SUPERSEDED, change, decide

log = logging.getLogger(__name__)
BATCH = 50
POISON_PAUSE = dt.timedelta(hours=1)
PARTIAL_PAUSE = dt.timedelta(minutes=1)
Key = tuple[str, int]
# Built once: making a statement costs more than running it.
_CONFLICTS = sa.exists().where(
    InboxConflict.id == InboxRecord.id, InboxConflict.revision == InboxRecord.revision
)
_IN_BATCH = sa.tuple_(InboxRecord.id, InboxRecord.revision).in_(sa.bindparam("keys", expanding=True))
_SELECT_KEYS = (
    sa.select(InboxRecord.id, InboxRecord.revision)
    .where(InboxRecord.judged_at.is_(None))
    .order_by(InboxRecord.received_at)
    .limit(sa.bindparam("limit"))
)
_FIRST = aliased(InboxRecord)
_FIRST_SENDER = (
    sa.select(_FIRST.source + " " + sa.func.coalesce(_FIRST.device_id, ""))
    .where(_FIRST.id == InboxRecord.id)
    .order_by(_FIRST.received_at, _FIRST.revision)
    .limit(1)
    .scalar_subquery()
)
_SELECT_RECORDS = sa.select(
    *InboxRecord.__table__.columns, _CONFLICTS.label("has_conflict"), _FIRST_SENDER.label("first_sender")
).where(_IN_BATCH)
_MARK_JUDGED = (
    sa.update(InboxRecord)
    .where(_IN_BATCH, InboxRecord.judged_at.is_(None))
    .values(judged_at=sa.bindparam("now"))
    .returning(InboxRecord.id, InboxRecord.revision)
)
_SELECT_EARLIER = sa.select(*Response.__table__.columns).where(
    Response.record_id.in_(sa.bindparam("ids", expanding=True))
)
_INSERT_RESPONSE = sa.insert(Response)
_RESPONSE_COLUMNS = tuple(Response.__table__.columns.keys())
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
        with db.engine.connect() as connection:
            surroundings = _Surroundings(connection)
            found = [self._judge(surroundings, record, moment) for record in self._waiting(connection, limit)]
        return self._write([one for one in found if one], moment)

    def _waiting(self, connection: Connection, limit: int) -> Sequence[Any]:
        """Oldest first. Deferred ones are passed over, so that they never hold up the others."""
        oldest = connection.execute(_SELECT_KEYS, {"limit": limit + len(self._deferred)})
        keys = [(row.id, row.revision) for row in oldest if (row.id, row.revision) not in self._deferred]
        return connection.execute(_SELECT_RECORDS, {"keys": keys[:limit]}).all() if keys else []

    def _judge(self, surroundings: _Surroundings, record: Any, now: dt.datetime) -> _Judged | None:
        key = (record.id, record.revision)
        try:
            judged = _judged(surroundings, record)
        except DatabaseUnavailable:
            raise
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
        """Its message and its values may hold an answer: the log gets the type and the place of the fault."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"{type(error).__name__} in {place.name}, line {place.lineno}"
        log.error("record %s revision %s cannot be %s; it stays in the inbox: %s", *key, done, fault)
        self._deferred[key] = now + POISON_PAUSE

    def _write(self, judged: Sequence[_Judged], now: dt.datetime) -> int:
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


_SEALED = sa.select(Wave.id).where(Wave.sealed_at.is_not(None))


@dataclass(frozen=True)
class _Judged:
    """One judged record, before it is written."""

    judgement: Judgement
    keep_partial: bool
    finished_elsewhere: bool
    wave_over: bool

    @property
    def key(self) -> Key:
        return self.judgement.record_id, self.judgement.revision

    @property
    def is_young_partial(self) -> bool:
        """A partial record whose finished revision may still be on its way."""
        judgement = self.judgement
        if judgement.complete or "unreadable_body" in judgement.flags or self.wave_over:
            return False
        return self.keep_partial and not self.finished_elsewhere


def judge_waiting(limit: int = 10_000, now: dt.datetime | None = None) -> int:
    """Judge what waits, up to ``limit`` records; the number judged. Used by commands and tests."""
    settings = current_app.extensions["survey_settings"]
    intake = Intake(dt.timedelta(minutes=settings.partial_grace_minutes))
    total = 0
    while total < limit and (done := intake.judge_waiting(min(BATCH, limit - total), now)):
        total += done
    return total


def judge_one(key: Key, now: dt.datetime) -> None:
    """Judge this record now, however young; raises what prevents it."""
    with db.engine.connect() as connection:
        record = connection.execute(_SELECT_RECORDS, {"keys": [key]}).one()
        judged = _judged(_Surroundings(connection), record)
    with write_connection() as connection:
        write_judgements(connection, [judged], now)


class _Surroundings:
    """What the records of one batch have in common, read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waves: dict[str | None, WaveFacts | None] = {}
        self._questionnaires: dict[str, Questionnaire | None] = {}

    def wave(self, wave_id: str | None) -> WaveFacts | None:
        if wave_id not in self._waves:
            self._waves[wave_id] = wave_facts(self._connection, wave_id)
        return self._waves[wave_id]

    def questionnaire(self, digest: str) -> Questionnaire | None:
        if digest not in self._questionnaires:
            self._questionnaires[digest] = tallies.questionnaire_of(self._connection, digest)
        return self._questionnaires[digest]

    def is_finished(self, record_id: str) -> bool:
        return any(row.complete for row in _earlier(self._connection, [record_id])[record_id])


def _judged(surroundings: _Surroundings, record: Any) -> _Judged:
    envelope = read_envelope(bytes(record.envelope))
    body = open_body(envelope)
    arrival = Arrival(
        mode=record.source,
        site=record.site,
        received_at=record.received_at,
        flags=tuple(record.flags),
        conflict=bool(record.has_conflict),
        other_device=record.first_sender != _sender(record),
    )
    questionnaire = surroundings.questionnaire(envelope.questionnaire_digest)
    wave = surroundings.wave(envelope.wave)
    judgement = judge(envelope, body, arrival, wave, questionnaire)
    return _Judged(
        judgement,
        keep_partial=_keeps_partials(questionnaire),
        finished_elsewhere=not body.complete and surroundings.is_finished(envelope.id),
        wave_over=wave is not None and wave.state not in ("draft", "open"),
    )


def _sender(record: Any) -> str:
    """Who sent a record, as :data:`_FIRST_SENDER` writes it."""
    return f"{record.source} {record.device_id or ''}"


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


def write_judgements(connection: Connection, judged: Iterable[_Judged], now: dt.datetime) -> int:
    """Mark, write and count, in the caller's transaction. Finished records first: they supersede others."""
    tallies.lock(connection)
    ordered = sorted(judged, key=lambda one: (not one.judgement.complete, one.key))
    marked = connection.execute(_MARK_JUDGED, {"keys": [one.key for one in ordered], "now": now})
    # Another judge may have been faster with some of them.
    ours = {(row.id, row.revision) for row in marked}
    mine = _after_sealing(connection, [one for one in ordered if one.key in ours])
    tallies.refresh_layouts(connection, {one.judgement.questionnaire_digest for one in mine})
    tallies.apply(connection, tallies.summed(_store(connection, mine, now)))
    return len(mine)


def _after_sealing(connection: Connection, judged: Sequence[_Judged]) -> list[_Judged]:
    """What was judged while its wave was being sealed came too late: the figures of a sealed wave stand."""
    waves = {one.judgement.wave_id for one in judged}
    sealed = set(connection.scalars(_SEALED.where(Wave.id.in_(waves)))) if waves else set()
    return [_flagged(one, "sealed_wave") if one.judgement.wave_id in sealed else one for one in judged]


def _flagged(one: _Judged, flag: str) -> _Judged:
    flags = sorted({*one.judgement.flags, flag})
    return replace(one, judgement=replace(one.judgement, flags=flags))


def _store(
    connection: Connection, judged: Sequence[_Judged], now: dt.datetime
) -> list[tuple[tallies.CellKey, Any]]:
    """Write the responses; the changes of the tallies that follow."""
    earlier = _earlier(connection, {one.judgement.record_id for one in judged})
    new: list[Judgement] = []
    superseded: dict[Key, Any] = {}
    for one in judged:
        before = earlier[one.judgement.record_id]
        if (judgement := _to_store(one, before)) is not None:
            if judgement.counted:
                superseded |= {(row.record_id, row.revision): row for row in before}
            if OTHER_DEVICE not in judgement.flags:
                before.append(judgement)
            new.append(judgement)
    if new:
        connection.execute(_INSERT_RESPONSE, [_row(judgement) for judgement in new])
    counted = [change(connection, judgement, +1) for judgement in new if judgement.counted]
    return [*counted, *_supersede(connection, list(superseded.values()), now)]


def _to_store(one: _Judged, earlier: Sequence[Any]) -> Judgement | None:
    """The response to write, with what only its earlier revisions tell; None where it comes too late."""
    judgement = one.judgement
    if not judgement.complete and (not one.keep_partial or _is_outdated(judgement, earlier)):
        return None
    if judgement.complete and any(row.complete for row in earlier):
        return replace(judgement, flags=sorted({*judgement.flags, "second_finish"}))
    return judgement


def _row(judgement: Judgement) -> dict[str, Any]:
    return {name: getattr(judgement, name) for name in _RESPONSE_COLUMNS}


def _earlier(connection: Connection, record_ids: Collection[str]) -> dict[str, list[Any]]:
    """The responses of the same sender that are already there, by record."""
    found: dict[str, list[Any]] = {record_id: [] for record_id in record_ids}
    if found:
        for row in connection.execute(_SELECT_EARLIER, {"ids": list(found)}):
            if OTHER_DEVICE not in row.flags:
                found[row.record_id].append(row)
    return found


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
            decide(connection, row, tallies.SET_ASIDE, SUPERSEDED, "", "intake", now)
            changes.append(change(connection, row, -1))
    return changes
