"""After the mixing: who answered is forgotten, person by person; the counts per stratum and mailing stay.

What the mail of the results needs is still known: who must not be written to, and who cannot be reached.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from survey_app.database import write_transaction
from survey_app.invitation_models import Invitation, Mailing, MailMessage, WaveFrame
from survey_app.invitations.states import ANSWERED, FORGOTTEN, OVER
from survey_app.responses.participation import ASKING, freeze_participation

NEVER_LEFT: Final = {"queued": "cancelled", "sending": "uncertain"}
"""What a message is counted as that the closing found on its way."""
DRAFT, DONE = "draft", "done"


def somebody_is_named() -> sa.ColumnElement[bool]:
    """Whether the rows of a wave (``WaveFrame``) still say of anybody that they answered."""
    return sa.exists().where(Invitation.wave_id == WaveFrame.wave_id, Invitation.state == ANSWERED)


def forget_who_answered(wave_id: str) -> None:
    """Counts in place of flags and of who was reminded. Done already, it only writes every row anew.

    In one transaction: no row tells by its own when it was last changed.
    """
    with write_transaction() as transaction:
        if transaction.get_one(WaveFrame, wave_id).participation is None:
            freeze_participation(transaction, wave_id)
        _forget_mails(transaction, wave_id)
        forgotten = sa.case((Invitation.state.in_(FORGOTTEN), OVER), else_=Invitation.state)
        mine = sa.update(Invitation).where(Invitation.wave_id == wave_id)
        transaction.execute(mine.values(state=forgotten, started=False))


def _forget_mails(transaction: Session, wave_id: str) -> None:
    """Who got a reminder had not answered; whose reminder was cancelled had."""
    asking = sa.select(Mailing.id).where(
        Mailing.wave_id == wave_id, Mailing.kind.in_(ASKING), Mailing.state != DRAFT
    )
    mine = MailMessage.mailing_id.in_(asking)
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    locked = sa.select(MailMessage.mailing_id, MailMessage.state).where(mine).with_for_update()
    for mailing_id, state in transaction.execute(locked):
        counts[mailing_id][NEVER_LEFT.get(state, state)] += 1
    transaction.execute(sa.delete(MailMessage).where(mine))
    for mailing_id, found in counts.items():
        one = sa.update(Mailing).where(Mailing.id == mailing_id)
        transaction.execute(one.values(state=DONE, counts=dict(found)))
