"""The frozen frame of a wave, written down: what its N and its links rest on. Floor 4."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from survey_app.audit import act, record
from survey_app.frames.files import FrameError
from survey_app.frames.freezing import FrozenFrame, Unit, freeze
from survey_app.frames.storage import units_of
from survey_app.frames.sublist import Sublist, chosen_units
from survey_app.invitation_models import Invitation, MailMessage, SamplingFrame, WaveFrame
from survey_app.models import Wave
from survey_app.responses.link_facts import NOMINATIVE, SMALLEST_ANONYMOUS

DRAFT: Final = "draft"
EVERYBODY: Final = Sublist()


def frozen_frame(
    frame_id: int, unit: Unit, kinds: Sequence[str], sublist: Sublist = EVERYBODY
) -> FrozenFrame:
    """A stored list, or part of it, frozen and not yet written. Raises `FrameError` where nobody is left."""
    return freeze(frame_id, chosen_units(units_of(frame_id), sublist), unit, kinds)


def freeze_for_wave(
    wave_id: str,
    frame_id: int,
    unit: Unit,
    kinds: Sequence[str],
    *,
    sublist: Sublist = EVERYBODY,
    actor: str,
) -> FrozenFrame:
    """Freeze a list for a wave in preparation, in place of an earlier one; links are made from the result.

    Raises
    ------
    FrameError
        In French: nobody is left, or the wave is no longer in preparation. Nothing is changed.
    """
    frozen = frozen_frame(frame_id, unit, kinds, sublist)
    with act() as transaction:
        write_wave_frame(transaction, wave_id, frozen, actor=actor)
        detail: dict[str, object] = {
            "frame": frame_id,
            "unit": unit,
            "units": frozen.population,
            "hash": frozen.source_hash,
        }
        detail |= {} if sublist.is_everybody else {"sublist": asdict(sublist)}
        record(transaction, "frame-frozen", actor=actor, subject=wave_id, detail=detail)
    return frozen


def write_wave_frame(transaction: Session, wave_id: str, frozen: FrozenFrame, *, actor: str) -> WaveFrame:
    """The snapshot of a wave, in the open transaction. Raises `FrameError` once the wave is open."""
    wave = transaction.get(Wave, wave_id)
    if wave is None or wave.state != DRAFT:
        raise FrameError("Les destinataires se fixent pendant la préparation de l’édition, plus après.")
    if transaction.get(SamplingFrame, frozen.frame_id) is None:
        raise FrameError("Cette liste n’existe plus.")
    _refuse_what_links_cannot_follow(transaction, wave, frozen.population)
    kept = transaction.get(WaveFrame, wave_id) or WaveFrame(wave_id=wave_id, nominative=False)
    kept.frame_id, kept.unit, kept.kinds = frozen.frame_id, frozen.unit, list(frozen.kinds)
    kept.strata = [dict(vars(stratum)) for stratum in frozen.strata]
    kept.population, kept.source_hash = frozen.population, frozen.source_hash
    kept.frozen_at, kept.frozen_by = dt.datetime.now(dt.UTC), actor
    wave.population = frozen.population
    transaction.add(kept)
    transaction.flush()
    return kept


def refuse_too_few(wave: Wave, people: int) -> None:
    """Raise `FrameError` where so few people are asked that an anonymous wave would not be one."""
    if people < SMALLEST_ANONYMOUS and wave.anonymity != NOMINATIVE:
        raise FrameError(
            f"{people} destinataires\u00a0: à moins de {SMALLEST_ANONYMOUS}, l’anonymat ne tient pas. "
            "Déclarez l’édition nominative, ou interrogez plus de monde."
        )


def _refuse_what_links_cannot_follow(transaction: Session, wave: Wave, people: int) -> None:
    """Strata and links belong together: no snapshot is written for which links would then be refused."""
    refuse_too_few(wave, people)
    mine = sa.select(Invitation.id).where(Invitation.wave_id == wave.id)
    if transaction.scalar(sa.select(MailMessage.id).where(MailMessage.invitation_id.in_(mine)).limit(1)):
        raise FrameError("Des courriels portent déjà des liens de cette édition\u00a0: sa liste est fixée.")
