"""What a mailing of the results needs besides what every mailing does."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from survey_app.invitation_models import Mailing
from survey_app.mailing import queue
from survey_app.mailing.texts import RESULTS


def faults_of_results(session: Session, mailing: Mailing) -> list[str]:
    """The results leave once, with the director's letter."""
    found = []
    if mailing.attachment is None:
        found.append(
            "La lettre signée n’est pas jointe\u00a0: "
            "déposez-la dans «\u202fLettre de résultats\u202f», depuis la page de l’édition."
        )
    left = sa.select(Mailing.id).where(
        Mailing.wave_id == mailing.wave_id,
        Mailing.kind == RESULTS,
        Mailing.id != mailing.id,
        Mailing.state != queue.DRAFT,
    )
    if session.scalar(left.limit(1)):
        found.append(
            "Un autre envoi des résultats est déjà parti\u00a0: chacun les recevrait deux fois. "
            "Reprenez cet envoi-là s’il est arrêté, et supprimez celui-ci."
        )
    return found
