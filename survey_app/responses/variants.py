"""What arrived under a number already taken, with other contents: shown to the referent, who may count it.

The first contents stand. The others count only where a person finds that they are another person's; they then
become a response of their own, under a number made from their hash: the same one however often it is asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.database import db, write_connection
from survey_app.device_models import Device
from survey_app.models import InboxConflict, InboxRecord, Response
from survey_app.responses import counting, tallies
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import Envelope, open_body, read_envelope
from survey_app.responses.flags import OTHER_PERSON
from survey_app.responses.inbox import credential_flags
from survey_app.responses.judge import Arrival, Judgement, judge
from survey_app.responses.judged import wave_facts
from survey_app.responses.judgement_writing import insert_responses
from survey_app.responses.record_keys import KeyFileError, held
from survey_app.responses.sent_anew import counted_anew, number_of
from survey_app.responses.set_aside import DecisionError, settle

LISTED_AT_MOST = 50
_FIRST = sa.and_(InboxRecord.id == InboxConflict.id, InboxRecord.revision == InboxConflict.revision)
_SELECT = sa.select(
    *InboxConflict.__table__.columns,
    InboxRecord.envelope.label("first"),
    InboxRecord.device_id.label("first_device"),
    InboxRecord.source.label("first_source"),
).join(InboxRecord, _FIRST)


@dataclass(frozen=True)
class Variant:
    """One envelope that came second.

    ``differences``: per question, what the first contents say and what these say; None once they are erased,
    and while the key that opens them is not here. ``counted``: None until somebody decided.
    """

    record_id: str
    revision: int
    content_hash: str
    received_at: dt.datetime
    same_sender: bool
    differences: Mapping[str, tuple[Any, Any]] | None
    questionnaire_digest: str = ""
    waits_for_key: bool = False
    counted: bool | None = None

    @property
    def own_number(self) -> str:
        """The number of the response that it becomes when it is counted."""
        return number_of(self.content_hash)


def variants(wave_id: str) -> list[Variant]:
    """The variants of the records of a wave, the latest first."""
    query = _SELECT.where(InboxRecord.wave_id == wave_id).order_by(InboxConflict.received_at.desc())
    with db.engine.connect() as connection:
        found = [_variant(row) for row in connection.execute(query.limit(LISTED_AT_MOST))]
        decisions = counting.decisions_about(connection, [one.own_number for one in found])
    return [replace(one, counted=_counted(decisions.get((one.own_number, one.revision)))) for one in found]


def _counted(decision: str | None) -> bool | None:
    return None if decision is None else decision == counting.REINSTATED


def _variant(row: Any) -> Variant:
    known = (row.id, row.revision, row.content_hash, row.received_at, row.device_id == row.first_device)
    if row.first is None or row.envelope is None:
        return Variant(*known, None)
    first, second = read_envelope(bytes(row.first)), read_envelope(bytes(row.envelope))
    try:
        return Variant(*known, _differences(first, second), second.questionnaire_digest)
    except KeyFileError:
        return Variant(*known, None, waits_for_key=True)


def _differences(first: Envelope, second: Envelope) -> dict[str, tuple[Any, Any]]:
    known, other = open_body(first, held()).answers, open_body(second, held()).answers
    both = {name: (known.get(name), other.get(name)) for name in {**known, **other}}
    return {name: (before, after) for name, (before, after) in both.items() if before != after}


def count_apart(
    content_hash: str, *, by: str, note: str = "", now: dt.datetime | None = None, wave_id: str | None = None
) -> bool:
    """Count a variant as another person's response; whether that changed anything.

    With `wave_id`, only one that names that wave.

    Raises
    ------
    DecisionError
        It cannot be counted; nothing is written then.
    """
    at = now or dt.datetime.now(dt.UTC)
    with write_connection() as connection:
        tallies.lock(connection)
        row = _refused(connection, content_hash)
        response = _stored(connection, content_hash) or _store(connection, row)
        if wave_id not in (None, response.wave_id):
            raise DecisionError("Ce contenu nomme une autre édition.")
        decision = (counting.REINSTATED, "other_person", note, by, at)
        return settle(connection, response, *decision, logged="variant-counted")


def _stored(connection: Connection, content_hash: str) -> Any:
    query = sa.select(*Response.__table__.columns).where(Response.record_id == number_of(content_hash))
    found = connection.execute(query).one_or_none()
    if found is not None and OTHER_PERSON not in found.flags:
        raise DecisionError("Un autre envoi porte déjà le numéro que ce contenu aurait.")
    return found


def _refused(connection: Connection, content_hash: str) -> Any:
    """The contents, unless their author is counted already."""
    row = connection.execute(_SELECT.where(InboxConflict.content_hash == content_hash)).first()
    if row is None:
        raise DecisionError("Ce contenu n’existe pas. Choisissez-en un dans la liste.")
    if anew := counted_anew(connection, row):
        raise DecisionError(
            f"La personne a renvoyé ces réponses sous le numéro {anew[:8]}\u00a0: elle y est comptée."
        )
    return row


def _store(connection: Connection, row: Any) -> Judgement:
    if row.envelope is None:
        raise DecisionError("Ce contenu est effacé\u00a0: il ne peut plus être compté.")
    try:
        judgement = _judged(connection, row)
    except KeyFileError as fault:
        raise DecisionError(str(fault)) from fault
    if not judgement.complete and "unreadable_body" not in judgement.flags:
        # A partial one may be the start of what came finished since: it would count one person twice.
        raise DecisionError(
            "Ce questionnaire est inachevé\u00a0: seul un questionnaire terminé compte à part."
        )
    insert_responses(connection, [judgement])
    return judgement


def _judged(connection: Connection, row: Any) -> Judgement:
    """Judged as any record of its sender, by what was known when it came."""
    envelope = read_envelope(bytes(row.envelope))
    credential = _credential(connection, row)
    flags = credential_flags(credential, envelope.device)
    arrival = Arrival(credential.mode, credential.site, row.received_at, (*flags, OTHER_PERSON))
    questionnaire = tallies.questionnaire_of(connection, envelope.questionnaire_digest)
    wave = wave_facts(connection, envelope.wave)
    judgement = judge(envelope, open_body(envelope, held()), arrival, wave, questionnaire)
    return replace(judgement, record_id=number_of(row.content_hash))


def _credential(connection: Connection, row: Any) -> Credential:
    """The sender, as the inbox believed it: a tablet, or the same pages from which the first ones came."""
    if row.device_id is None:
        return Credential(mode="website" if row.first_device else row.first_source)
    columns = (Device.site, Device.revoked_at)
    device = connection.execute(sa.select(*columns).where(Device.id == row.device_id)).one_or_none()
    site, revoked_at = device or (None, None)
    revoked = revoked_at is not None and revoked_at <= row.received_at
    return Credential(mode="tablet", device_id=row.device_id, site=site, revoked=revoked)
