"""Whoever does not want to be written to: kept for all surveys to come, as the keyed hash of an address."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from survey_app.audit import act, record
from survey_app.clock import today_in_paris
from survey_app.invitation_models import Invitation, Objection, SampledUnit
from survey_app.invitations import drafts
from survey_app.invitations.links import address_hash, address_of
from survey_app.invitations.states import MAY_ANSWER, OBJECTED, OPEN, WAITING, LinkError
from survey_app.models import Wave

ORIGINS: Final[dict[str, str]] = {
    "link": "sur la page de son lien",
    "one_click": "par le lien ou le bouton d’un courriel",
    "mail": "par courriel",
    "referent": "auprès de la préfecture",
}
"""Where an objection was said, as staff read it."""
REASONS: Final[dict[str, str]] = {
    "asked": "La personne l’a demandé",
    "mistake": "Refus dit par erreur, ou par un programme qui ouvre les liens",
    "new_holder": "L’adresse a changé de titulaire",
}
"""Why one may be lifted."""
_RUNNING: Final = ("draft", OPEN)


@dataclass(frozen=True)
class KnownObjection:
    """An objection, and who in the lists of today has its address: nobody where it is in none."""

    address_hash: str
    since: dt.date
    origin: str
    people: tuple[str, ...]


def add_objection(transaction: Session, hashed_address: str, *, origin: str) -> None:
    """From now on this address is never written to; said twice, it stays as first said."""
    if transaction.get(Objection, hashed_address) is None:
        transaction.add(Objection(address_hash=hashed_address, since=today_in_paris(), origin=origin))
        transaction.flush()


def record_objection(address: str, *, actor: str) -> int:
    """Somebody said it to the staff; how many links of editions under way are asked nothing more."""
    hashed = address_hash(address)
    with act() as transaction:
        add_objection(transaction, hashed, origin="referent")
        silenced = list(_links_of(transaction, hashed, MAY_ANSWER))
        for invitation in silenced:
            invitation.state = OBJECTED
            drafts.forget(transaction, invitation)
        detail = {"links": len(silenced)}
        record(transaction, "objection-recorded", actor=actor, subject=hashed[:8], detail=detail)
    return len(silenced)


def lift_objection(hashed_address: str, reason: str, *, actor: str) -> int:
    """This address may be written to again; how many links of editions under way are asked again.

    Raises
    ------
    LinkError
        In French: no reason was chosen, or somebody lifted it before. Nothing is changed.
    """
    if reason not in REASONS:
        raise LinkError("Choisissez pourquoi cette opposition est levée.")
    with act() as transaction:
        found = transaction.get(Objection, hashed_address, with_for_update=True)
        if found is None:
            raise LinkError("Cette opposition n’est plus dans la liste\u00a0: elle a déjà été levée.")
        said = {"since": found.since.isoformat(), "origin": found.origin, "reason": reason}
        transaction.delete(found)
        asked_again = list(_links_of(transaction, hashed_address, (OBJECTED,)))
        for invitation in asked_again:
            invitation.state = WAITING
        detail = {**said, "links": len(asked_again)}
        record(transaction, "objection-lifted", actor=actor, subject=hashed_address[:8], detail=detail)
    return len(asked_again)


def known_objections(session: Session) -> list[KnownObjection]:
    """All of them, the newest first. Whose they are is found by hashing the addresses of the lists."""
    people: dict[str, set[str]] = defaultdict(set)
    for one in (*session.scalars(_with_units()), *_listed_only(session)):
        people[address_hash(address_of(one))].add(_in_words(one))
    query = sa.select(Objection).order_by(Objection.since.desc(), Objection.address_hash)
    return [
        KnownObjection(one.address_hash, one.since, one.origin, tuple(sorted(people[one.address_hash])))
        for one in session.scalars(query)
    ]


def _listed_only(session: Session) -> Iterator[Invitation]:
    """As they would be, were they invited: nobody stores them."""
    invited = sa.select(Invitation.unit_id)
    for unit in session.scalars(sa.select(SampledUnit).where(SampledUnit.id.not_in(invited))):
        yield Invitation(unit=unit, email=unit.email)


def _in_words(one: Invitation) -> str:
    where = one.email or (one.unit.postal_address or "").replace("\n", ", ")
    return ", ".join(filter(None, (one.unit.authority_name or one.unit.authority_code, where)))


def _links_of(transaction: Session, hashed: str, states: Iterable[str]) -> Iterator[Invitation]:
    """The invitations of editions under way that have this address, while nobody else changes them."""
    query = _with_units().join(Wave, Wave.id == Invitation.wave_id)
    query = query.where(Wave.state.in_(_RUNNING), Invitation.state.in_(tuple(states)))
    for invitation in transaction.scalars(query.with_for_update(of=Invitation)):
        if address_hash(address_of(invitation)) == hashed:
            yield invitation


def _with_units() -> sa.Select[Invitation]:
    return sa.select(Invitation).options(joinedload(Invitation.unit, innerjoin=True))


def objects(session: Session, address: str) -> bool:
    """Whether nobody may write to this address."""
    return session.get(Objection, address_hash(address)) is not None


def without_objections(session: Session, addresses: Iterable[str]) -> set[str]:
    """Those of the addresses that may be written to."""
    hashes = {address: address_hash(address) for address in addresses}
    known = set(session.scalars(sa.select(Objection.address_hash)))
    return {address for address, hashed in hashes.items() if hashed not in known}
