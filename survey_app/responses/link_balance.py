"""What became of the answers of a wave by personal link: nothing is lost, and nobody stands alone."""

from __future__ import annotations

from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.invitation_models import SealedAnswer, WaveFrame
from survey_app.models import Response
from survey_app.responses.link_facts import FEWEST, MODE
from survey_app.responses.participation import used_links

TOO_FEW: Final = (
    "Moins de onze réponses par lien personnel\u00a0: elles désigneraient leurs auteurs. "
    "Aucune n’est gardée, toutes sont détruites avec leur clé."
)


class Balance(NamedTuple):
    """Counts of one wave. At any moment ``used`` is the sum of the others."""

    used: int
    """Invitations that gave their answer."""
    sealed: int
    """Answers in the pool; after the mixing, those that do not open."""
    mixed: int
    """Answers that became responses."""
    withheld: int
    """Answers that were destroyed unread: they were too few."""

    @property
    def is_even(self) -> bool:
        """Whether nothing is missing and nothing is too much."""
        return self.used == self.sealed + self.mixed + self.withheld


def balance(connection: Connection, wave_id: str) -> Balance:
    """The counts as they are now."""
    sealed = sa.select(sa.func.count()).where(SealedAnswer.wave_id == wave_id)
    mixed = sa.select(sa.func.count()).where(Response.wave_id == wave_id, Response.mode == MODE)
    first = used_links(connection, wave_id)
    second, third = (connection.scalar(query) or 0 for query in (sealed, mixed))
    over = sa.select(WaveFrame.mixed_at.is_not(None), WaveFrame.nominative).where(
        WaveFrame.wave_id == wave_id
    )
    is_mixed, nominative = connection.execute(over).one_or_none() or (False, False)
    opened = first - second
    none_kept = is_mixed and third == 0 and not must_be_kept(opened, nominative=nominative)
    return Balance(first, second, third, max(opened, 0) if none_kept else 0)


def unreadable(connection: Connection, wave_id: str) -> int:
    """How many answers in the pool did not open when they were to be mixed."""
    found = sa.select(sa.func.count()).where(SealedAnswer.wave_id == wave_id, SealedAnswer.unreadable)
    return connection.scalar(found) or 0


def must_be_kept(answers: int, *, nominative: bool) -> bool:
    """Whether so many answers become responses; who answers a nominative wave was told to be recognisable."""
    return nominative or answers >= FEWEST
