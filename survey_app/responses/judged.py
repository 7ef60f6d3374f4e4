"""A waiting record, judged with what the database knows around it. Nothing is written here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from form_definitions import Questionnaire
from survey_app.device_models import Device
from survey_app.models import InboxConflict, InboxRecord, Response, Wave, WaveQuestionnaire
from survey_app.responses import tallies
from survey_app.responses.envelope import open_body, read_envelope
from survey_app.responses.flags import OTHER_DEVICE
from survey_app.responses.judge import Arrival, Judgement, WaveFacts, judge
from survey_app.responses.record_keys import held
from survey_app.responses.sent_anew import Form, form_of
from survey_app.responses.unidentified import UNIDENTIFIED, UnidentifiedTabletError

Key = tuple[str, int]
"""The id and the revision of a record."""
# Built once: making a statement costs more than running it.
_CONFLICTS = sa.exists().where(
    InboxConflict.id == InboxRecord.id, InboxConflict.revision == InboxRecord.revision
)
IN_BATCH = sa.tuple_(InboxRecord.id, InboxRecord.revision).in_(sa.bindparam("keys", expanding=True))
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
).where(IN_BATCH)
_SELECT_EARLIER = sa.select(*Response.__table__.columns).where(
    Response.record_id.in_(sa.bindparam("ids", expanding=True))
)
_SELECT_LATER = sa.select(InboxRecord.envelope, InboxRecord.source, InboxRecord.device_id).where(
    InboxRecord.id == sa.bindparam("id"),
    InboxRecord.revision > sa.bindparam("revision"),
    InboxRecord.envelope.is_not(None),
)
_SELECT_TABLET = sa.select(Device.site, Device.state).where(Device.id == sa.bindparam("id"))
_SELECT_WAVE = sa.select(*Wave.__table__.columns).where(Wave.id == sa.bindparam("id"))
_SELECT_DIGESTS = sa.select(WaveQuestionnaire.digest).where(WaveQuestionnaire.wave_id == sa.bindparam("id"))


@dataclass(frozen=True)
class Judged:
    """One judged record, before it is written."""

    judgement: Judgement
    keep_partial: bool
    finished_elsewhere: bool
    wave_over: bool
    taken_back: bool = False
    """A later revision says that the person took back what this one still holds."""
    ended: bool = False
    """The device says that no finished revision follows."""
    form: Form | None = None

    @property
    def key(self) -> Key:
        return self.judgement.record_id, self.judgement.revision

    @property
    def is_young_partial(self) -> bool:
        """A partial record whose finished revision may still be on its way."""
        judgement = self.judgement
        if (
            judgement.complete
            or judgement.withdrawn
            or "unreadable_body" in judgement.flags
            or self.wave_over
            or self.ended
        ):
            return False
        return self.keep_partial and not self.finished_elsewhere and not self.taken_back


def waiting_records(connection: Connection, keys: Sequence[Key]) -> Sequence[Any]:
    """These rows of the inbox, each with who sent its first revision and whether other bytes came too."""
    return connection.execute(_SELECT_RECORDS, {"keys": keys}).all() if keys else []


class Surroundings:
    """What the records of one batch have in common, read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.keys = held()
        self._waves: dict[str | None, WaveFacts | None] = {}
        self._questionnaires: dict[str, Questionnaire | None] = {}

    def tablet(self, device_id: str) -> Any:
        """Site and state of a tablet, as people say it now; None for one without a row."""
        return self._connection.execute(_SELECT_TABLET, {"id": device_id}).one_or_none()

    def wave(self, wave_id: str | None) -> WaveFacts | None:
        if wave_id not in self._waves:
            self._waves[wave_id] = wave_facts(self._connection, wave_id)
        return self._waves[wave_id]

    def questionnaire(self, digest: str) -> Questionnaire | None:
        if digest not in self._questionnaires:
            self._questionnaires[digest] = tallies.questionnaire_of(self._connection, digest)
        return self._questionnaires[digest]

    def is_finished(self, record_id: str) -> bool:
        return any(row.complete for row in earlier_responses(self._connection, [record_id])[record_id])

    def is_taken_back(self, record: Any) -> bool:
        """Whether the same sender sent a later revision that withdraws this one."""
        later = self._connection.execute(_SELECT_LATER, {"id": record.id, "revision": record.revision})
        mine = [row for row in later if _sender(row) == _sender(record)]
        return any(open_body(read_envelope(bytes(row.envelope)), self.keys).withdrawn for row in mine)


def judged_record(surroundings: Surroundings, record: Any) -> Judged:
    """The judgement of this row of the inbox, with what its writing and its waiting depend on.

    Raises
    ------
    KeyFileError
        The file of its key is not here.
    UnidentifiedTabletError
        It came from a tablet of which nobody has said yet what it is.
    """
    site, flags = _sent_from(surroundings, record)
    envelope = read_envelope(bytes(record.envelope))
    body = open_body(envelope, surroundings.keys)
    arrival = Arrival(
        mode=record.source,
        site=site,
        received_at=record.received_at,
        flags=flags,
        conflict=bool(record.has_conflict),
        other_device=record.first_sender != _sender(record),
    )
    questionnaire = surroundings.questionnaire(envelope.questionnaire_digest)
    wave = surroundings.wave(envelope.wave)
    judgement = judge(envelope, body, arrival, wave, questionnaire)
    return Judged(
        judgement,
        keep_partial=_keeps_partials(questionnaire),
        finished_elsewhere=not body.complete and surroundings.is_finished(envelope.id),
        taken_back=not body.complete and surroundings.is_taken_back(record),
        wave_over=wave is not None and wave.state not in ("draft", "open"),
        ended=body.ended,
        form=form_of(record, body),
    )


def _sent_from(surroundings: Surroundings, record: Any) -> tuple[str | None, tuple[str, ...]]:
    """Site and flags of a record; those of a tablet without a site are known once people have said it."""
    tablet = surroundings.tablet(record.device_id) if record.device_id and record.site is None else None
    if tablet is None:
        return record.site, tuple(record.flags)
    if tablet.state == UNIDENTIFIED:
        raise UnidentifiedTabletError
    return tablet.site or None, (*record.flags, *(["revoked_device"] if tablet.state == "revoked" else []))


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


def earlier_responses(connection: Connection, record_ids: Collection[str]) -> dict[str, list[Any]]:
    """The responses of the same sender that are already there, by record."""
    found: dict[str, list[Any]] = {record_id: [] for record_id in record_ids}
    if found:
        for row in connection.execute(_SELECT_EARLIER, {"ids": list(found)}):
            if OTHER_DEVICE not in row.flags:
                found[row.record_id].append(row)
    return found
