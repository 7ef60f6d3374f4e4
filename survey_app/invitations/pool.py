"""The pool of a wave that was closed: opened, emptied; what does not open is marked and kept.

A blob that the right key does not open was changed since it was sealed, or is none of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from analysis.display import counted
from survey_app import audit
from survey_app.invitation_models import Invitation, SavedInterview, SealedAnswer, WaveFrame
from survey_app.invitations import wave_keys
from survey_app.invitations.sealed_answers import Answer, open_answer
from survey_app.invitations.states import LinkError
from survey_app.models import QuestionnaireVersion
from survey_app.responses.record_keys import DoesNotOpen


class MixingError(LinkError):
    """The answers cannot be mixed; the message (French) says why. All of them stay sealed in the pool."""


class UnreadableAnswers(MixingError):  # noqa: N818 (a state of the world, answered by a decision)
    """Some answers do not open: a copy of the database may hold them intact, or they are left out."""

    def __init__(self, damaged: int, others: int) -> None:
        super().__init__(
            f"{told_unreadable(damaged)}, sur {damaged + others}. Rien n’est mélangé, rien n’est perdu. "
            "Restaurez une sauvegarde d’avant, puis recommencez\u202f; ou laissez de côté ce qui ne s’ouvre "
            "pas, et mélangez le reste."
        )


def told_unreadable(number: int) -> str:
    """How many do not open, in words."""
    return counted(number, "réponse scellée ne s’ouvre pas", "réponses scellées ne s’ouvrent pas")


def opened(connection: Connection, frame: WaveFrame) -> tuple[list[Answer], list[str]]:
    """The answers of the pool, and the numbers of those that do not open or that nobody could read."""
    waiting = sa.select(SealedAnswer.id, SealedAnswer.sealed).where(SealedAnswer.wave_id == frame.wave_id)
    private = wave_keys.held().private(frame.wave_id, str(frame.key_id))
    published = set(connection.scalars(sa.select(QuestionnaireVersion.digest)))
    found, damaged = list[Answer](), list[str]()
    for number, sealed in connection.execute(waiting):
        with suppress(DoesNotOpen):
            answer = open_answer(bytes(sealed), private, frame.wave_id)
            if answer.digest in published:
                found.append(answer)
                continue
        damaged.append(number)
    return found, damaged


def mark_unreadable(transaction: Session, wave_id: str, damaged: Sequence[str], actor: str) -> None:
    """The mark of those that do not open, and of no other; logged where it is new."""
    mine, these = SealedAnswer.wave_id == wave_id, SealedAnswer.id.in_(damaged)
    transaction.execute(sa.update(SealedAnswer).where(mine, ~these).values(unreadable=False))
    fresh: Any = transaction.execute(
        sa.update(SealedAnswer).where(mine, these, ~SealedAnswer.unreadable).values(unreadable=True)
    )
    if fresh.rowcount:
        detail = {"answers": len(damaged)}
        audit.record(transaction, "answers-unreadable", actor=actor, subject=wave_id, detail=detail)


def empty(connection: Connection, wave_id: str) -> None:
    """What was mixed or withheld goes, and every draft; what did not open stays."""
    mixed = sa.delete(SealedAnswer).where(SealedAnswer.wave_id == wave_id, ~SealedAnswer.unreadable)
    connection.execute(mixed)
    forget_drafts(connection, wave_id)


def forget_drafts(connection: Connection, wave_id: str) -> None:
    """No interview of this wave is gone on with any more."""
    mine = sa.select(Invitation.id).where(Invitation.wave_id == wave_id)
    connection.execute(sa.delete(SavedInterview).where(SavedInterview.invitation_id.in_(mine)))
