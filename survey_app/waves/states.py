"""The states of a wave (« édition »), and the waves that there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.database import db
from survey_app.models import Wave
from survey_app.waves.rules import PlanFault

DRAFT: Final = "draft"
OPEN: Final = "open"
CLOSED: Final = "closed"
SEALED: Final = "sealed"
PUBLISHED: Final = "published"

STATES: Final[dict[str, str]] = {
    DRAFT: "En préparation",
    OPEN: "Ouverte",
    CLOSED: "Close",
    SEALED: "Scellée",
    PUBLISHED: "Publiée",
}
"""The states and their names on screen, in the order of a life."""


class WaveError(ValueError):
    """The wave cannot become that; the message (French) says why, one sentence per fault of its plan."""

    def __init__(self, message: str = "", faults: Sequence[PlanFault] = ()) -> None:
        super().__init__(message or " ".join(fault.sentence for fault in faults))
        self.faults = tuple(faults)


def waves() -> Sequence[Wave]:
    """All waves, the newest first."""
    return db.session.scalars(select(Wave).order_by(Wave.opens_on.desc(), Wave.id)).all()


def find_wave(wave_id: str) -> Wave | None:
    """This wave, or None."""
    return db.session.get(Wave, wave_id)


def known_wave(transaction: Session, wave_id: str) -> Wave:
    """This wave, in this transaction; raises `WaveError` where there is none."""
    wave = transaction.get(Wave, wave_id)
    if wave is None:
        raise WaveError(f"Aucune édition «\u202f{wave_id}\u202f».")
    return wave
