"""What a survey by personal link changes in the life of a wave."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from analysis.display import counted
from survey_app.invitation_models import Invitation, Mailing, SavedInterview, SealedAnswer, WaveFrame
from survey_app.models import Wave
from survey_app.responses.link_facts import MODE

NOT_PREPARED: Final = (
    "Préparez d’abord les liens personnels\u00a0: figez la liste des personnes à interroger."
)
MIXED: Final = (
    "Ses réponses par lien personnel sont mélangées, ou le seront dans un instant, et leur clé est détruite"
    "\u00a0: elle ne se rouvre plus."
)
NOT_MIXED: Final = (
    "{answers} par lien personnel {verb} encore d’être mélangées. Réessayez dans un instant\u00a0; "
    "si cela dure, lancez «\u202fsurvey-app doctor\u202f»."
)


def why_not_open(wave: Wave, session: Session) -> str:
    """A wave that asks by links needs them, and the key that seals their answers."""
    if MODE not in wave.modes:
        return ""
    frame = session.get(WaveFrame, wave.id)
    return NOT_PREPARED if frame is None or frame.public_key is None else ""


def why_not_reopen(wave: Wave, session: Session) -> str:
    """Once closed, links take no answer any more: the key goes."""
    frame = session.get(WaveFrame, wave.id)
    return MIXED if frame is not None and frame.key_id is not None else ""


def why_not_seal(wave: Wave, session: Session) -> str:
    """As long as answers wait in the pool, or their key exists, not everything has arrived."""
    frame = session.get(WaveFrame, wave.id)
    if frame is None or frame.key_id is None or frame.key_destroyed_at is not None:
        return ""
    waiting = session.scalar(
        select(func.count()).select_from(SealedAnswer).where(SealedAnswer.wave_id == wave.id)
    )
    verb = "attendent" if (waiting or 0) > 1 else "attend"
    return NOT_MIXED.format(answers=counted(waiting or 0, "réponse", "réponses"), verb=verb)


def anything_came(wave: Wave, session: Session) -> bool:
    """Whether somebody answered with a link."""
    return bool(session.scalar(select(exists().where(SealedAnswer.wave_id == wave.id))))


def forget(transaction: Session, wave: Wave) -> None:
    """The links of a wave that is thrown away before it opened."""
    mine = select(Invitation.id).where(Invitation.wave_id == wave.id)
    transaction.execute(delete(SavedInterview).where(SavedInterview.invitation_id.in_(mine)))
    for table in (Invitation, Mailing, WaveFrame):
        transaction.execute(delete(table).where(table.wave_id == wave.id))
