"""The one answer of an invitation: in one transaction the invitation is used up and a blob lies in the pool.

Exactly one of two people who race wins: the change of state is a comparison and a change in one statement.
The blob's number is random, and nothing says when.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from form_definitions import Questionnaire
from survey_app.database import db, write_transaction
from survey_app.invitation_models import Invitation, SavedInterview, SealedAnswer, WaveFrame, random_number
from survey_app.invitations.sealed_answers import Answer, monday_of, seal
from survey_app.invitations.states import ANSWERED, MAY_ANSWER, OPEN, AlreadyAnswered, LinkIsDead, WaveIsOver
from survey_app.models import Wave
from survey_app.responses.record_keys import PublicKey


@dataclass(frozen=True)
class Holder:
    """Whose answer it is, as the page's sealed field says: the invitation, and which of its links."""

    invitation_id: str
    generation: int


def hand_in(
    holder: Holder,
    answers: Mapping[str, Any],
    *,
    questionnaire: Questionnaire,
    digest: str,
    language: str,
    today: dt.date,
) -> None:
    """Take an answer that was checked already.

    Raises
    ------
    AlreadyAnswered, LinkIsDead, WaveIsOver
        And then nothing of it is kept.
    """
    invitation = db.session.get(Invitation, holder.invitation_id)
    frame = None if invitation is None else db.session.get(WaveFrame, invitation.wave_id)
    if invitation is None or frame is None or frame.public_key is None or frame.key_id is None:
        raise LinkIsDead
    answer = Answer(digest, language, monday_of(today), invitation.stratum, dict(answers))
    sealed = seal(answer, questionnaire, PublicKey(frame.key_id, frame.public_key), frame.wave_id)
    with write_transaction() as transaction:
        hold_open(transaction, frame.wave_id)
        _use_up(transaction, holder)
        transaction.execute(
            sa.insert(SealedAnswer).values(id=random_number(), wave_id=frame.wave_id, sealed=sealed)
        )
        transaction.execute(
            sa.delete(SavedInterview).where(SavedInterview.invitation_id == holder.invitation_id)
        )
    db.session.rollback()  # it may have read the state from before


def hold_open(transaction: Session, wave_id: str) -> None:
    """Who closes the wave waits until this transaction has ended: the mixing must not miss what it stores.

    Raises
    ------
    WaveIsOver
        It is closed, or was not opened.
    """
    state = transaction.scalar(sa.select(Wave.state).where(Wave.id == wave_id).with_for_update(read=True))
    if state != OPEN:
        raise WaveIsOver


def _use_up(transaction: Session, holder: Holder) -> None:
    mine = sa.and_(Invitation.id == holder.invitation_id, Invitation.generation == holder.generation)
    used = sa.update(Invitation).where(mine, Invitation.state.in_(MAY_ANSWER))
    changed: Any = transaction.execute(used.values(state=ANSWERED, started=True))
    if changed.rowcount == 1:
        return
    state = transaction.scalar(sa.select(Invitation.state).where(Invitation.id == holder.invitation_id))
    raise AlreadyAnswered if state == ANSWERED else LinkIsDead
