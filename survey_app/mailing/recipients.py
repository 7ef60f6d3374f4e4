"""Who may be written to: judged when a message leaves, and shown by numbers before it is planned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from survey_app.clock import today_in_paris
from survey_app.invitation_models import Invitation, WaveFrame
from survey_app.invitations import states
from survey_app.invitations.objections import objects, without_objections
from survey_app.mailing.texts import RESULTS
from survey_app.models import Wave
from survey_app.waves import DRAFT, OPEN, PUBLISHED

NO_ADDRESS: Final = "n’a pas d’adresse électronique"
OBJECTED: Final = "s’oppose à tout envoi"
TOO_LATE: Final = "l’édition ne reçoit plus de réponses"
NOT_OPEN: Final = "l’édition n’est pas encore ouverte"
NOT_PUBLISHED: Final = "les résultats ne sont pas publiés"
LINKS_ENDED: Final = "les liens ne montrent plus les résultats"
_NOT_ASKED: Final[dict[str, str]] = {
    states.ANSWERED: "a déjà répondu",
    states.DECLINED: "ne souhaite pas répondre",
    states.WRONG_PERSON: "n’est pas la bonne personne",
    states.UNREACHABLE: "n’est pas joignable à cette adresse",
    states.OBJECTED: OBJECTED,
    states.WITHDRAWN: "n’est plus sur la liste",
    states.OVER: TOO_LATE,
}
_NOT_TOLD: Final = (states.WRONG_PERSON, states.UNREACHABLE, states.OBJECTED, states.WITHDRAWN)
"""Who gets no results either: whose answer, refusal or silence was forgotten does."""


@dataclass(frozen=True)
class Forecast:
    """Who would get a mailing now, and how many would not, by reason."""

    recipients: Sequence[Invitation]
    left_out: Sequence[tuple[str, int]]
    addresses: int
    """Fewer than recipients where officials share a mailbox."""


def refusal(session: Session, wave: Wave, kind: str, invitation: Invitation) -> str:
    """Why this invitation gets no message of this kind now; empty when it does."""
    reason = too_late(session, wave, kind) or _of_invitation(kind, invitation)
    if not reason and objects(session, invitation.email or ""):
        return OBJECTED
    return reason


def forecast(session: Session, wave: Wave, kind: str) -> Forecast:
    """The same for every invitation of the wave, in the order of their authorities.

    Before the wave is open: as if it were, so that a mailing can be looked at.
    """
    query = sa.select(Invitation).where(Invitation.wave_id == wave.id).options(joinedload(Invitation.unit))
    everybody = sorted(session.scalars(query), key=_place)
    welcome = without_objections(session, {one.email for one in everybody if one.email})
    general = too_late(session, wave, kind)
    general = "" if general == NOT_OPEN else general

    def reason(one: Invitation) -> str:
        return general or _of_invitation(kind, one) or ("" if one.email in welcome else OBJECTED)

    told = {one.id: reason(one) for one in everybody}
    recipients = [one for one in everybody if not told[one.id]]
    left_out = Counter(filter(None, told.values())).most_common()
    return Forecast(recipients, left_out, len({one.email for one in recipients}))


def too_late(session: Session, wave: Wave, kind: str) -> str:
    """Why nobody gets a message of this kind now; empty when they do."""
    if kind != RESULTS:
        asking = wave.state == OPEN and today_in_paris() <= wave.closes_on
        return "" if asking else NOT_OPEN if wave.state == DRAFT else TOO_LATE
    if wave.state != PUBLISHED:
        return NOT_PUBLISHED
    frame = session.get(WaveFrame, wave.id)
    ended = frame is not None and frame.results_until is not None and frame.results_until < today_in_paris()
    return LINKS_ENDED if ended else ""


def _of_invitation(kind: str, invitation: Invitation) -> str:
    if kind != RESULTS or invitation.state in _NOT_TOLD:
        reason = _NOT_ASKED.get(invitation.state, "")
        if reason:
            return reason
    return "" if invitation.email else NO_ADDRESS


def _place(invitation: Invitation) -> tuple[str, str, str]:
    unit = invitation.unit
    return unit.authority_name.casefold(), unit.last_name.casefold(), unit.first_name.casefold()
