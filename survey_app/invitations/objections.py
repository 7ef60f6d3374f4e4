"""Whoever does not want to be written to: kept for all surveys to come, as the keyed hash of an address."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from survey_app.clock import today_in_paris
from survey_app.invitation_models import Objection
from survey_app.invitations.links import address_hash


def add_objection(transaction: Session, hashed_address: str, *, origin: str) -> None:
    """From now on this address is never written to; said twice, it stays as first said."""
    if transaction.get(Objection, hashed_address) is None:
        transaction.add(Objection(address_hash=hashed_address, since=today_in_paris(), origin=origin))
        transaction.flush()


def objects(session: Session, address: str) -> bool:
    """Whether nobody may write to this address."""
    return session.get(Objection, address_hash(address)) is not None


def without_objections(session: Session, addresses: Iterable[str]) -> set[str]:
    """Those of the addresses that may be written to."""
    hashes = {address: address_hash(address) for address in addresses}
    known = set(session.scalars(sa.select(Objection.address_hash)))
    return {address for address, hashed in hashes.items() if hashed not in known}
