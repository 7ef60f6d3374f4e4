"""The queue of messages. Each step is one transaction; between two of them nothing is only in memory.

``queued`` → ``sending`` → ``sent``. The mark ``sending`` is on disk before the relay hears of the message, so
whatever a kill leaves behind is ``sending``: it becomes ``uncertain`` and is for the referent to decide.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from survey_app.invitation_models import Invitation, Mailing, MailMessage
from survey_app.invitations.transitions import mark_unreachable
from survey_app.mailing.recipients import refusal
from survey_app.mailing.smtp import LATER, REFUSED, SENT, UNCERTAIN, Delivery
from survey_app.models import Wave

QUEUED, SENDING, CANCELLED, BOUNCED = "queued", "sending", "cancelled", "bounced"
DRAFT, SCHEDULED, STOPPED, DONE = "draft", "scheduled", "stopped", "done"
DELAYS: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""Before each further try; the last one goes on for as long as the message is wanted."""
DUE_AT_ONCE: Final = 50
"""So many are looked at in one transaction: cancelling a whole mailing must not hold the database."""
KILLED: Final = "Arrêt du serveur pendant l’envoi."
_AWAITED: Final = (QUEUED, SENDING)
_DECIDED_BY_OTHERS: Final = (BOUNCED, QUEUED)


@dataclass(frozen=True)
class Attempt:
    """One try to send one message."""

    message_id: int
    number: int


@dataclass(frozen=True)
class Claim:
    """A message that is marked as leaving, with what it is made from."""

    message: MailMessage
    mailing: Mailing
    invitation: Invitation
    wave: Wave

    @property
    def attempt(self) -> Attempt:
        """This try."""
        return Attempt(self.message.id, self.message.attempts)


def enqueue(
    transaction: Session, mailing: Mailing, invitations: Iterable[Invitation], domain: str, now: dt.datetime
) -> None:
    """One message for each; the mailing's time decides when they leave."""
    for one in invitations:
        transaction.add(
            MailMessage(
                mailing_id=mailing.id,
                invitation_id=one.id,
                message_id=new_message_id(domain),
                return_tag=new_tag(),
                next_try_at=now,
                changed_at=now,
            )
        )


def new_message_id(domain: str) -> str:
    """A name for a message, the same at every try."""
    return f"<{secrets.token_hex(16)}@{domain}>"


def new_tag() -> str:
    """What a bounce will name; says nothing to anybody else."""
    return secrets.token_hex(10)


def anything_to_do(session: Session, now: dt.datetime) -> bool:
    """Whether a message may leave now, or was left half done."""
    half_done = sa.select(MailMessage.id).where(MailMessage.state == SENDING)
    return bool(session.scalar(sa.select(sa.or_(sa.exists(_due(now)), sa.exists(half_done)))))


def claim(transaction: Session, now: dt.datetime) -> Claim | None:
    """Mark the next message that may leave as ``sending``; those that nobody wants any more are cancelled."""
    for message, mailing in transaction.execute(_due(now)).all():
        invitation = transaction.get(Invitation, message.invitation_id, options=[joinedload(Invitation.unit)])
        wave = transaction.get(Wave, mailing.wave_id, options=[joinedload(Wave.questionnaire_version)])
        if invitation is None or wave is None:  # foreign keys forbid it
            continue
        reason = refusal(transaction, wave, mailing.kind, invitation)
        if not reason:
            message.state, message.changed_at = SENDING, now
            message.attempts += 1
            return Claim(message, mailing, invitation, wave)
        # Neither why nor when exactly: who has answered since is nobody's to read here.
        message.state, message.last_reply, message.changed_at = CANCELLED, "", mailing.due_at or now
        finish(transaction, mailing)
    return None


def settle(transaction: Session, attempt: Attempt, delivery: Delivery, now: dt.datetime) -> None:
    """Write down what became of an attempt. What the referent or a bounce said meanwhile stays."""
    message = _message(transaction, attempt)
    if message is None or message.state in _DECIDED_BY_OTHERS:
        return
    fates = {SENT: SENT, LATER: QUEUED, REFUSED: REFUSED, UNCERTAIN: UNCERTAIN}
    message.state, message.last_reply, message.changed_at = fates[delivery.fate], delivery.reply, now
    message.next_try_at = now + delay(message.attempts) if delivery.fate == LATER else None
    invitation = locked(transaction, message.invitation_id) if delivery.address_is_bad else None
    if invitation is not None:
        mark_unreachable(transaction, invitation)
    finish(transaction, transaction.get(Mailing, message.mailing_id))


def put_back(transaction: Session, attempt: Attempt, now: dt.datetime) -> None:
    """The relay would not even listen: the message waits for it, behind those that were not tried."""
    message = _message(transaction, attempt)
    if message is not None and message.state == SENDING:
        message.state, message.next_try_at, message.changed_at = QUEUED, now, now


def _message(transaction: Session, attempt: Attempt) -> MailMessage | None:
    """The message, unless another attempt was begun since: this one was given up."""
    message = transaction.get(MailMessage, attempt.message_id, with_for_update=True)
    return message if message is not None and message.attempts == attempt.number else None


def locked(transaction: Session, invitation_id: str) -> Invitation | None:
    """The invitation as it is now, while nobody else changes it: its owner may be answering."""
    return transaction.get(Invitation, invitation_id, with_for_update={"of": Invitation})


def own_up(transaction: Session, now: dt.datetime) -> int:
    """What a sender that is no more left half done is uncertain from now on; how many there were."""
    left = transaction.scalars(
        sa.select(MailMessage).where(MailMessage.state == SENDING).with_for_update()
    ).all()
    for message in left:
        message.state, message.last_reply, message.changed_at = UNCERTAIN, KILLED, now
        finish(transaction, transaction.get(Mailing, message.mailing_id))
    return len(left)


def delay(attempts: int) -> dt.timedelta:
    """How long to wait after so many tries."""
    return DELAYS[min(max(attempts, 1), len(DELAYS)) - 1]


def finish(transaction: Session, mailing: Mailing | None) -> None:
    """The mailing is done when none of its messages is still to leave.

    It is locked first: whoever puts a message back into it holds it until that is committed.
    """
    transaction.flush()
    if mailing is not None:
        transaction.refresh(mailing, ["state"], with_for_update=True)
    if mailing is None or mailing.state != SCHEDULED:
        return
    awaited = sa.select(MailMessage.id).where(
        MailMessage.mailing_id == mailing.id, MailMessage.state.in_(_AWAITED)
    )
    if not transaction.scalar(sa.select(sa.exists(awaited))):
        mailing.state = DONE


def _due(now: dt.datetime) -> Any:
    return (
        sa.select(MailMessage, Mailing)
        .join(Mailing, Mailing.id == MailMessage.mailing_id)
        .where(MailMessage.state == QUEUED, MailMessage.next_try_at <= now)
        .where(Mailing.state == SCHEDULED, Mailing.due_at <= now)
        .order_by(MailMessage.next_try_at, MailMessage.id)
        .limit(DUE_AT_ONCE)
    )
