"""Mailings as staff prepare them: a text, a moment, a pace; and what they decide while it leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session, joinedload

from survey_app.audit import act, record
from survey_app.clock import day_in_paris, utc_now
from survey_app.database import db
from survey_app.invitation_models import Invitation, Mailing, MailMessage, WaveFrame
from survey_app.invitations.states import KEY_CHANGED
from survey_app.mailing import queue
from survey_app.mailing.of_results import faults_of_results
from survey_app.mailing.placeholders import TextError, text_faults, used_in
from survey_app.mailing.recipients import forecast, refusal, too_late
from survey_app.mailing.smtp import REFUSED, SENT, UNCERTAIN
from survey_app.mailing.texts import KINDS, RESULTS, shipped, typeset
from survey_app.mailing.values import lacking
from survey_app.models import Wave
from survey_app.responses.link_key import has_changed
from survey_app.settings import Settings
from survey_app.waves import DRAFT

PACE: Final = 30
FASTEST: Final = 6000
UNDECIDED: Final = (UNCERTAIN,)
SENT_AGAIN: Final = (UNCERTAIN, REFUSED, queue.BOUNCED)


class MailingError(ValueError):
    """A mailing cannot be taken that way; the message (French) says why and what to do."""


def mailings_of(wave_id: str) -> Sequence[Mailing]:
    """The mailings of a wave, the newest first."""
    query = sa.select(Mailing).where(Mailing.wave_id == wave_id).order_by(Mailing.id.desc())
    return db.session.scalars(query).all()


def find_mailing(mailing_id: int) -> Mailing | None:
    """This mailing, or None."""
    return db.session.get(Mailing, mailing_id)


def create_mailing(
    wave_id: str, kind: str, *, actor: str, attachment: tuple[str, bytes] | None = None
) -> Mailing:
    """A draft with the shipped text of this kind. Raises MailingError for an unknown one."""
    if kind not in KINDS:
        raise MailingError(f"Choisissez une sorte d’envoi\u00a0: {', '.join(KINDS.values())}.")
    wave = db.session.get_one(Wave, wave_id)
    text = shipped(kind, wave.questionnaire_version.slug)
    name, content = attachment or (None, None)
    made = Mailing(
        wave_id=wave_id,
        kind=kind,
        subject=text.subject,
        body=text.body,
        attachment=content,
        attachment_name=name,
        created_at=utc_now(),
        created_by=actor,
    )
    with act() as transaction:
        transaction.add(made)
        transaction.flush()
        record(transaction, "mailing-created", actor=actor, subject=wave_id, detail=_named(made))
    return made


def change_text(mailing_id: int, subject: str, body: str, *, actor: str) -> None:
    """Another text for a draft. Raises TextError with every fault, MailingError once it is planned."""
    subject, body = typeset(subject).strip(), typeset(body).strip() + "\n"
    faults = text_faults(subject, body)
    if faults:
        raise TextError(faults)
    with act() as transaction:
        mailing = _known(transaction, mailing_id)
        if mailing.state != queue.DRAFT:
            raise MailingError("Le texte d’un envoi programmé ne change plus\u00a0: préparez-en un autre.")
        mailing.subject, mailing.body = subject, body
        record(transaction, "mailing-changed", actor=actor, subject=mailing.wave_id, detail=_named(mailing))


def delete_draft(mailing_id: int, *, actor: str) -> None:
    """Take away a mailing that was never planned."""
    with act() as transaction:
        mailing = _known(transaction, mailing_id)
        if mailing.state != queue.DRAFT:
            raise MailingError("Seul un envoi jamais programmé se supprime\u00a0: arrêtez-le plutôt.")
        record(transaction, "mailing-deleted", actor=actor, subject=mailing.wave_id, detail=_named(mailing))
        transaction.delete(mailing)


def obstacles(session: Session, mailing: Mailing, due_at: dt.datetime) -> list[str]:
    """Why a mailing cannot be planned for this moment: one sentence each, with its remedy."""
    wave = session.get_one(Wave, mailing.wave_id)
    frame = session.get(WaveFrame, wave.id)
    settings: Settings = current_app.extensions["survey_settings"]
    found = [f"Le réglage {name} manque\u00a0: rien ne peut partir." for name in settings.mail.lacks]
    found += [KEY_CHANGED] if has_changed(session, settings.link_key) else []
    found += [
        f"{{{one.placeholder}}} n’a pas de valeur. {one.remedy}"
        for one in lacking(used_in(mailing.subject, mailing.body), wave, frame)
    ]
    found += faults_of_results(session, mailing) if mailing.kind == RESULTS else []
    reason = too_late(session, wave, mailing.kind)
    if reason:
        found.append(f"Personne ne recevrait rien\u00a0: {reason}. {_remedy(wave, mailing.kind)}")
    elif mailing.kind != RESULTS and not wave.opens_on <= day_in_paris(due_at) <= wave.closes_on:
        found.append("Ce moment est hors des dates de l’édition\u00a0: choisissez un autre jour.")
    return found


def _remedy(wave: Wave, kind: str) -> str:
    if kind == RESULTS:
        return "Publiez d’abord les résultats de l’édition."
    return "Ouvrez d’abord l’édition." if wave.state == DRAFT else "Changez d’abord ses dates."


def schedule(mailing_id: int, due_at: dt.datetime, per_minute: int, *, actor: str) -> int:
    """Plan it for everybody who would get it now; how many. Raises MailingError.

    Each message is judged again when it leaves.
    """
    if not 1 <= per_minute <= FASTEST:
        raise MailingError(f"Choisissez une cadence entre 1 et {FASTEST} messages par minute.")
    settings: Settings = current_app.extensions["survey_settings"]
    now = utc_now()
    with act() as transaction:
        mailing = _known(transaction, mailing_id)
        if mailing.state != queue.DRAFT:
            raise MailingError("Cet envoi est déjà programmé.")
        in_the_way = obstacles(transaction, mailing, due_at)
        expected = forecast(transaction, transaction.get_one(Wave, mailing.wave_id), mailing.kind)
        if in_the_way or not expected.recipients:
            raise MailingError(" ".join(in_the_way) or "Personne ne recevrait cet envoi.")
        mailing.state, mailing.due_at, mailing.per_minute = queue.SCHEDULED, due_at, per_minute
        mailing.scheduled_by = actor
        domain = settings.mail.sender.rpartition("@")[2]
        queue.enqueue(transaction, mailing, expected.recipients, domain, now)
        told = {"due_at": due_at.isoformat(), "per_minute": per_minute, "messages": len(expected.recipients)}
        record(
            transaction,
            "mailing-scheduled",
            actor=actor,
            subject=mailing.wave_id,
            detail={**_named(mailing), **told},
        )
    return len(expected.recipients)


def stop(mailing_id: int, *, actor: str) -> None:
    """Nothing more leaves until it is resumed; the message that is leaving now ends its way."""
    _turn(mailing_id, queue.SCHEDULED, queue.STOPPED, "mailing-stopped", actor)


def resume(mailing_id: int, *, actor: str) -> None:
    """Go on where it was stopped."""
    _turn(mailing_id, queue.STOPPED, queue.SCHEDULED, "mailing-resumed", actor)


def _turn(mailing_id: int, before: str, after: str, action: str, actor: str) -> None:
    with act() as transaction:
        mailing = _known(transaction, mailing_id)
        if mailing.state != before:
            raise MailingError("L’envoi a changé d’état entre-temps\u00a0: rechargez la page.")
        mailing.state = after
        queue.finish(transaction, mailing)
        record(transaction, action, actor=actor, subject=mailing.wave_id, detail=_named(mailing))


def send_again(attempt: queue.Attempt, *, actor: str) -> None:
    """The referent decides: a message that did not arrive leaves once more, under the same Message-ID."""
    _decide(attempt, SENT_AGAIN, queue.QUEUED, "message-sent-again", actor)


def send_refused_again(mailing_id: int, *, actor: str) -> int:
    """Once the relay is mended, all that it refused and is still wanted leaves once more; how many."""
    with act() as transaction:
        mailing = _known(transaction, mailing_id)
        chosen = sa.select(MailMessage).where(
            MailMessage.mailing_id == mailing.id, MailMessage.state == REFUSED
        )
        refused = transaction.scalars(chosen.with_for_update()).all()
        leaving = [one for one in refused if not _kept_back(transaction, mailing, one)]
        if not leaving:
            raise MailingError("Aucun message refusé ne peut repartir\u00a0: rechargez la page.")
        now, count = utc_now(), len(leaving)
        for message in leaving:
            message.state, message.changed_at, message.next_try_at = queue.QUEUED, now, now
        if mailing.state == queue.DONE:
            mailing.state = queue.SCHEDULED
        detail = {**_named(mailing), "messages": count}
        record(transaction, "message-sent-again", actor=actor, subject=mailing.wave_id, detail=detail)
    return count


def take_as_arrived(attempt: queue.Attempt, *, actor: str) -> None:
    """The referent decides: an uncertain message did arrive."""
    _decide(attempt, UNDECIDED, SENT, "message-taken-as-arrived", actor)


def _decide(attempt: queue.Attempt, before: Sequence[str], after: str, action: str, actor: str) -> None:
    """One statement compares and changes: of two decisions, or one about an earlier try, one holds."""
    with act() as transaction:
        now = utc_now()
        mine = sa.and_(MailMessage.id == attempt.message_id, MailMessage.attempts == attempt.number)
        decided = sa.update(MailMessage).where(mine, MailMessage.state.in_(before))
        changed: Any = transaction.execute(decided.values(state=after, changed_at=now, next_try_at=now))
        if changed.rowcount != 1:
            raise MailingError("Ce message n’attend plus de décision\u00a0: rechargez la page.")
        message = transaction.get_one(MailMessage, attempt.message_id)
        mailing = _known(transaction, message.mailing_id)
        reason = _kept_back(transaction, mailing, message) if after == queue.QUEUED else ""
        if reason:
            raise MailingError(f"Ce message ne repart pas\u00a0: {reason}.")
        if after == queue.QUEUED and mailing.state == queue.DONE:
            mailing.state = queue.SCHEDULED
        queue.finish(transaction, mailing)
        detail = {**_named(mailing), "message": message.id}
        record(transaction, action, actor=actor, subject=mailing.wave_id, detail=detail)


def _kept_back(transaction: Session, mailing: Mailing, message: MailMessage) -> str:
    """Why it would be cancelled instead of leaving: nobody is told that it leaves."""
    wave = transaction.get_one(Wave, mailing.wave_id)
    general = too_late(transaction, wave, mailing.kind)
    if general:
        return general
    reason = refusal(transaction, wave, mailing.kind, transaction.get_one(Invitation, message.invitation_id))
    remedy = "remplacez d’abord son lien sur sa page, ou écrivez-lui par lettre"
    return reason and f"son destinataire {reason}\u202f; {remedy}"


def progress(session: Session, mailing_id: int) -> dict[str, int]:
    """How many of its messages are in each state; after the mixing, as they were counted then."""
    kept: dict[str, int] | None = session.scalar(sa.select(Mailing.counts).where(Mailing.id == mailing_id))
    if kept is not None:
        return kept
    query = (
        sa.select(MailMessage.state, sa.func.count())
        .where(MailMessage.mailing_id == mailing_id)
        .group_by(MailMessage.state)
    )
    return {state: count for state, count in session.execute(query)}


def messages(
    session: Session, mailing_id: int, states: Sequence[str]
) -> Sequence[tuple[MailMessage, Invitation]]:
    """Its messages in these states, each with whom it is for."""
    query = (
        sa.select(MailMessage, Invitation)
        .join(Invitation, Invitation.id == MailMessage.invitation_id)
        .options(joinedload(Invitation.unit))
        .where(MailMessage.mailing_id == mailing_id, MailMessage.state.in_(states))
        .order_by(MailMessage.id)
    )
    return [(message, invitation) for message, invitation in session.execute(query)]


def invited_count(session: Session, wave_id: str) -> int:
    """How many were invited to a wave, whatever became of it."""
    query = sa.select(sa.func.count()).select_from(Invitation).where(Invitation.wave_id == wave_id)
    return session.scalar(query) or 0


def uncertain_count(session: Session, wave_id: str) -> int:
    """How many messages of a wave wait for the referent's word."""
    query: Any = (
        sa.select(sa.func.count())
        .select_from(MailMessage)
        .join(Mailing, Mailing.id == MailMessage.mailing_id)
        .where(Mailing.wave_id == wave_id, MailMessage.state == UNCERTAIN)
    )
    return int(session.scalar(query) or 0)


def is_leaving(session: Session, wave_id: str) -> bool:
    """Whether a mailing of this wave is on its way."""
    found = sa.select(Mailing.id).where(Mailing.wave_id == wave_id, Mailing.state == queue.SCHEDULED)
    return bool(session.scalar(sa.select(sa.exists(found))))


def _known(transaction: Session, mailing_id: int) -> Mailing:
    mailing = transaction.get(Mailing, mailing_id, with_for_update=True)
    if mailing is None:
        raise MailingError("Cet envoi n’existe plus.")
    return mailing


def _named(mailing: Mailing) -> dict[str, object]:
    return {"mailing": mailing.id, "kind": mailing.kind}
