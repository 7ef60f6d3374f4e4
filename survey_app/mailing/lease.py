"""Who sends now: one process at a time, for as long as it renews its lease, at the pace it agreed to.

Whoever takes the lease from somebody who did not give it back finds what that one left half done.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from survey_app import server_facts
from survey_app.models import ServerFact

LEASE: Final = "mail_sender"
TROUBLE: Final = "mail_trouble"
SECONDS: Final = 180.0
"""Longer than one message may ever take (``smtp.CONVERSATION_SECONDS``, twice: greeting and message)."""
MUCH_TOO_LONG: Final = 10 * SECONDS
"""Only a clock that was set back makes a lease that long. Not less: whoever waited for the row looked at the
clock before the one that holds it did."""


@dataclass(frozen=True)
class Lease:
    """Who holds it, until when, and from when on the next message may leave; seconds since 1970."""

    holder: str = ""
    until: float = 0
    next_at: float = 0


def new_holder() -> str:
    """A name that no other sender has."""
    return secrets.token_hex(8)


def read(transaction: Session) -> Lease:
    """The lease as it stands, its row held until the transaction ends (PostgreSQL)."""
    query = sa.select(ServerFact.value).where(ServerFact.key == LEASE).with_for_update()
    found = transaction.scalar(query)
    return Lease() if found is None else Lease(**json.loads(found))


def take(transaction: Session, holder: str, now: dt.datetime) -> tuple[Lease, bool] | None:
    """The lease, renewed, and whether this holder had it not before; None where another has it."""
    found, moment = read(transaction), now.timestamp()
    mine = found.holder == holder
    held = moment < found.until <= moment + MUCH_TOO_LONG
    if found.holder and not mine and held:
        return None
    lease = Lease(holder, moment + SECONDS, min(found.next_at, moment + 60))
    _write(transaction, lease)
    return lease, not mine


def pace(transaction: Session, lease: Lease, seconds: float, now: dt.datetime) -> None:
    """No message leaves for so long; kept in the database, so that a restart does not hurry."""
    _write(transaction, Lease(lease.holder, lease.until, now.timestamp() + seconds))


def give_back(transaction: Session, holder: str) -> None:
    """Let another take it at once."""
    found = read(transaction)
    if found.holder == holder:
        _write(transaction, Lease(next_at=found.next_at))


def note_trouble(transaction: Session, reason: str, now: dt.datetime) -> None:
    """Why nothing leaves, for the staff pages; the first moment stays while the trouble lasts."""
    before = trouble(transaction)
    since = before["since"] if before else now.isoformat()
    server_facts.write(transaction, TROUBLE, json.dumps({"since": since, "reason": reason}))


def trouble(session: Session) -> dict[str, Any] | None:
    """``{"since", "reason"}`` while the relay is not to be had."""
    found = server_facts.read(session, TROUBLE)
    return None if found is None else dict(json.loads(found))


def no_trouble(transaction: Session) -> None:
    """The relay takes messages again."""
    server_facts.forget(transaction, TROUBLE)


def _write(transaction: Session, lease: Lease) -> None:
    server_facts.write(transaction, LEASE, json.dumps(asdict(lease)))
