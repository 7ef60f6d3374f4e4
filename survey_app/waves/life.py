"""The life of a wave: draft → open ⇄ closed → sealed → published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from analysis.display import counted
from survey_app.audit import act, record
from survey_app.clock import PARIS, today_in_paris, utc_now
from survey_app.database import db
from survey_app.models import InboxRecord, Response, Wave, WaveQuestionnaire
from survey_app.responses import tablet_accounts, tallies, unjudged
from survey_app.responses.participation import freeze_participation
from survey_app.waves import personal_links
from survey_app.waves.plan import plan_for_the_log, plan_of
from survey_app.waves.states import CLOSED, DRAFT, OPEN, PUBLISHED, SEALED, WaveError, known_wave

NAMED_AT_MOST: Final = 3
JUDGED_WITHIN: Final = timedelta(minutes=2)
"""After the closing, or after it came: the intake looks every minute at what it put off."""
KEPT: Final = "Des réponses nomment déjà cette édition\u00a0: elle ne se supprime plus."


@dataclass(frozen=True)
class Step:
    """One step in the life of a wave: between which states, and what it leaves behind."""

    before: str
    after: str
    logged: str
    otherwise: str
    stamp: str
    """The column that keeps its moment."""
    undoes: bool = False
    """Whether the moment is taken back instead."""


DELETE: Final = "delete"
GONE: Final = ""
"""The state of an edition that is deleted."""


STEPS: Final[Mapping[str, Step]] = {
    "open": Step(DRAFT, OPEN, "wave-opened", "Seule une édition en préparation s’ouvre.", "opened_at"),
    "close": Step(OPEN, CLOSED, "wave-closed", "Seule une édition ouverte se ferme.", "closed_at"),
    "reopen": Step(
        CLOSED, OPEN, "wave-reopened", "Seule une édition close et non scellée se rouvre.", "closed_at", True
    ),
    "seal": Step(CLOSED, SEALED, "wave-sealed", "Fermez l’édition avant de la sceller.", "sealed_at"),
    "publish": Step(
        SEALED,
        PUBLISHED,
        "wave-published",
        "Scellez l’édition avant de publier ses résultats.",
        "published_at",
    ),
    DELETE: Step(DRAFT, GONE, "wave-deleted", "Seule une édition en préparation se supprime.", "created_at"),
}


def take_step(name: str, wave_id: str, *, actor: str, today: date | None = None) -> None:
    """Take the wave one step on; raises `WaveError` where it cannot be taken."""
    step = STEPS[name]
    with act() as transaction:
        tallies.lock(transaction.connection())
        wave = known_wave(transaction, wave_id)
        reason = why_not(name, wave, transaction, today=today)
        if reason:
            raise WaveError(reason)
        if name == DELETE:
            _delete(transaction, wave, actor)
            return
        before: datetime | None = getattr(wave, step.stamp)
        wave.state = step.after
        setattr(wave, step.stamp, None if step.undoes else utc_now())
        if step.after == CLOSED:
            transaction.flush()  # whoever hands in at this moment is waited for, and counted
            freeze_participation(transaction, wave.id)
        detail = {step.stamp: before.isoformat()} if before else {}
        record(transaction, step.logged, actor=actor, subject=wave.id, detail=detail)


def _delete(transaction: Session, wave: Wave, actor: str) -> None:
    """What it had declared stays in the log."""
    declared = plan_for_the_log(plan_of(wave))
    personal_links.forget(transaction, wave)
    transaction.execute(delete(WaveQuestionnaire).where(WaveQuestionnaire.wave_id == wave.id))
    transaction.delete(wave)
    record(transaction, STEPS[DELETE].logged, actor=actor, subject=wave.id, detail=declared)


open_wave = partial(take_step, "open")
"""Start to take answers. One wave of a survey at a time."""
close_wave = partial(take_step, "close")
"""Stop asking. What tablets still hold arrives later, is kept and flagged."""
reopen_wave = partial(take_step, "reopen")
"""Ask again. What came meanwhile keeps its flags: people decide whether it counts."""
seal_wave = partial(take_step, "seal")
"""Declare that everything has arrived: from now on the terms of the raw records run."""
publish_wave = partial(take_step, "publish")
"""Declare the figures of a sealed wave official."""
delete_wave = partial(take_step, DELETE)
"""Throw away a wave in preparation; not even a stray record may name it."""


def why_not(name: str, wave: Wave, session: Session | None = None, *, today: date | None = None) -> str:
    """Why this step cannot be taken now (French), with the remedy; empty = it can."""
    session = session or db.session()
    if wave.state != STEPS[name].before:
        return STEPS[name].otherwise
    if STEPS[name].after == OPEN:
        reopened = personal_links.why_not_reopen(wave, session) if name == "reopen" else ""
        return reopened or _not_to_open(wave, session, today or today_in_paris())
    if name == DELETE:
        return KEPT if _anything_came(wave, session) else ""
    return _not_to_seal(wave, session) if name == "seal" else ""


def _not_to_seal(wave: Wave, session: Session) -> str:
    if waiting := waiting_records(wave.id, session):
        return _still_waiting(wave, waiting, session)
    return personal_links.why_not_seal(wave, session) or tablet_accounts.why_incomplete(session, wave)


def _not_to_open(wave: Wave, session: Session, today: date) -> str:
    """An edition whose last day is past would be called open and receive nothing."""
    other = session.scalars(
        select(Wave.title).where(Wave.survey_id == wave.survey_id, Wave.state == OPEN)
    ).first()
    if other is not None:
        return f"«\u202f{other}\u202f» est encore ouverte\u00a0: fermez-la d’abord."
    if wave.closes_on >= today:
        return personal_links.why_not_open(wave, session)
    if wave.state == DRAFT or dates_can_move(wave, session, today=today):
        return "Son dernier jour est passé\u00a0: changez d’abord ses dates."
    return (
        "Son dernier jour est passé, et ses dates ne changent plus\u00a0: elle a des réponses. "
        "Préparez une nouvelle édition."
    )


def dates_can_move(wave: Wave, session: Session | None = None, *, today: date | None = None) -> bool:
    """Whether the dates of a wave that has opened can change: it asks nobody now, and nothing ever came."""
    session = session or db.session()
    asks_nobody = wave.state == CLOSED or (wave.state == OPEN and wave.opens_on > (today or today_in_paris()))
    return asks_nobody and not _anything_came(wave, session)


def _anything_came(wave: Wave, session: Session) -> bool:
    return personal_links.anything_came(wave, session) or any(
        session.scalars(select(table.wave_id).where(table.wave_id == wave.id).limit(1)).first()
        for table in (Response, InboxRecord)
    )


def _still_waiting(wave: Wave, number: int, session: Session) -> str:
    if unnamed := unjudged.of_unidentified_tablets(wave.id):
        return (
            f"{counted(unnamed, 'envoi vient', 'envois viennent')} d’une tablette inconnue ici\u00a0: "
            "dites laquelle, à «\u202fTablettes\u202f»."
        )
    named = ", ".join(one.record_id[:8] for one in unjudged.waiting(wave.id)[:NAMED_AT_MOST])
    return (
        f"{counted(number, 'envoi attend', 'envois attendent')} encore d’être lu{'s' if number > 1 else ''} "
        f"({named}{'…' if number > NAMED_AT_MOST else ''}). {_read_at_the_latest(wave, session)}"
    )


def _read_at_the_latest(wave: Wave, session: Session) -> str:
    """Of a closed wave: nobody goes on with an unfinished interview then, so that nothing waits for one."""
    query = select(func.max(InboxRecord.received_at)).where(
        InboxRecord.wave_id == wave.id, InboxRecord.judged_at.is_(None)
    )
    newest = [one for one in (session.scalar(query), wave.closed_at) if one is not None]
    due = max(newest) + JUDGED_WITHIN
    if due < utc_now():
        return "Cela dure trop longtemps\u00a0: voyez «\u202fRéponses à revoir\u202f»."
    return f"Ils seront lus au plus tard à {due.astimezone(PARIS):%H:%M}."


def waiting_records(wave_id: str, session: Session | None = None) -> int:
    """How many records of the wave are stored and not yet judged."""
    query = select(func.count()).select_from(InboxRecord)
    query = query.where(InboxRecord.wave_id == wave_id, InboxRecord.judged_at.is_(None))
    return int((session or db.session).execute(query).scalar_one())
