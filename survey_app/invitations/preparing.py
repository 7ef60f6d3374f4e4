"""A wave by personal link made ready: one invitation per person or authority, and the key of the wave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from survey_app.audit import act, record
from survey_app.invitation_models import (
    Invitation,
    MailMessage,
    Objection,
    SampledUnit,
    SavedInterview,
    WaveFrame,
    random_number,
)
from survey_app.invitations import links, wave_keys
from survey_app.invitations.states import OBJECTED, WAITING, LinkError
from survey_app.models import Wave
from survey_app.responses import link_key
from survey_app.responses.link_facts import MODE as MODE
from survey_app.responses.link_facts import NOMINATIVE, SMALLEST_ANONYMOUS

DRAFT: Final = "draft"

Chosen = tuple[str, str]
"""The id of a unit of the frozen frame, and its stratum."""


def prepare_links(wave_id: str, chosen: Sequence[Chosen], *, actor: str) -> int:
    """Make the invitations of a wave in preparation, in place of earlier ones, and its key; how many.

    The frame was frozen for this wave before. Whoever objected once is in the list, so that N stays true, and
    is asked nothing.

    Raises
    ------
    LinkError
        In French: why not, and what to do. Nothing is changed then.
    """
    key = current_app.extensions["survey_settings"].link_key
    with _new_keys_only_with_their_wave(wave_id, actor) as made, act() as transaction:
        links.check_key(transaction)
        link_key.remember(transaction, key)
        wave, frame = transaction.get(Wave, wave_id), transaction.get(WaveFrame, wave_id)
        if wave is None or frame is None:
            raise LinkError("Figez d’abord la liste des personnes à interroger pour cette édition.")
        _check(wave, len(chosen))
        frame.nominative = wave.anonymity == NOMINATIVE
        keys = wave_keys.held()
        if frame.key_id is None or not keys.are_here(wave_id, frame.key_id):
            public = keys.make(wave_id)
            made.append(public.key_id)
            frame.key_id, frame.public_key = public.key_id, public.point
        _forget_earlier(transaction, wave_id)
        _invite(transaction, wave_id, chosen)
        record(transaction, "links-prepared", actor=actor, subject=wave_id, detail={"links": len(chosen)})
    return len(chosen)


@contextmanager
def _new_keys_only_with_their_wave(wave_id: str, actor: str) -> Iterator[list[str]]:
    """A key is on disk before its wave is committed; taken back, nothing will ever be sealed with it."""
    made: list[str] = []
    try:
        yield made
    except Exception:
        for key_id in made:
            destroy_unused_key(wave_id, key_id, actor=actor)
        raise


def destroy_unused_key(wave_id: str, key_id: str, *, actor: str) -> None:
    """Take away the key of a wave that came to nothing, and log it."""
    wave_keys.held().destroy(wave_id, key_id)
    with act() as transaction:
        record(transaction, "wave-key-destroyed", actor=actor, subject=wave_id, detail={"key": key_id})


def _check(wave: Wave, people: int) -> None:
    if wave.state != DRAFT:
        raise LinkError("Les liens se préparent avant l’ouverture de l’édition.")
    if MODE not in wave.modes:
        raise LinkError(
            "Cette édition ne se remplit pas par lien personnel\u00a0: ajoutez ce mode de recueil."
        )
    if people == 0:
        raise LinkError("La liste figée ne contient personne.")
    if people < SMALLEST_ANONYMOUS and wave.anonymity != NOMINATIVE:
        raise LinkError(
            f"{people} personnes seulement\u00a0: à moins de {SMALLEST_ANONYMOUS}, l’anonymat ne tient pas. "
            "Déclarez l’édition nominative, ou interrogez plus de monde."
        )


def _forget_earlier(transaction: Session, wave_id: str) -> None:
    """Of the same list, before anybody was written to."""
    mine = sa.select(Invitation.id).where(Invitation.wave_id == wave_id)
    if transaction.scalar(sa.select(MailMessage.id).where(MailMessage.invitation_id.in_(mine)).limit(1)):
        raise LinkError("Des courriels portent déjà ces liens\u00a0: ils ne se préparent plus à nouveau.")
    transaction.execute(sa.delete(SavedInterview).where(SavedInterview.invitation_id.in_(mine)))
    transaction.execute(sa.delete(Invitation).where(Invitation.wave_id == wave_id))


def _invite(transaction: Session, wave_id: str, chosen: Sequence[Chosen]) -> None:
    """In the order of their random numbers: nothing tells a place in the list."""
    objected = set(transaction.scalars(sa.select(Objection.address_hash)))
    units = {
        unit.id: unit
        for unit in transaction.scalars(
            sa.select(SampledUnit).where(SampledUnit.id.in_([unit_id for unit_id, _stratum in chosen]))
        )
    }
    made = [_invitation(wave_id, units[unit_id], stratum, objected) for unit_id, stratum in chosen]
    made.sort(key=lambda invitation: invitation.id)
    transaction.add_all(made)


def _invitation(wave_id: str, unit: SampledUnit, stratum: str, objected: set[str]) -> Invitation:
    invitation = Invitation(
        id=random_number(),
        wave_id=wave_id,
        unit_id=unit.id,
        unit=unit,
        stratum=stratum,
        generation=1,
        email=unit.email,
    )
    links.renew_hashes(invitation)
    refuses = links.address_hash(links.address_of(invitation)) in objected
    invitation.state = OBJECTED if refuses else WAITING
    return invitation
