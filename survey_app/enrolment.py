"""One-time codes that turn a browser into a tablet of a site. Floor 4.

Only the hash of a code is stored. A code has 50 bits, ends after ten minutes (or with the day) and works
once; tries are limited. Pages name a code by its handle: from the hash itself, a patient reader could find
the code by trying.

A PIN opens the agent's own acts on the tablet, never an answer. It is kept as a hash that the tablet can
check without a network; four digits can be found by whoever copies that hash, and open nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from survey_app.audit import record
from survey_app.clock import PARIS
from survey_app.database import write_transaction
from survey_app.device_models import Device, EnrolmentCode
from survey_app.unknown_tablets import NOBODY

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No 0, 1, I, O: somebody reads the code from one screen and types it on another."""
CODE_LENGTH: Final = 10
TEN_MINUTES: Final = timedelta(minutes=10)
PIN_LENGTHS: Final = range(4, 9)
PIN_ITERATIONS: Final = 600_000
DIGITS: Final = "01234567890"


class PinError(ValueError):
    """This PIN is none, or anybody would try it first; the message (French) says so."""


def ten_minutes_from(now: datetime) -> datetime:
    """The end of a code that is used at once."""
    return now + TEN_MINUTES


def end_of_day(now: datetime) -> datetime:
    """The end of a code that is made in the morning for several desks: midnight in Paris."""
    tomorrow = now.astimezone(PARIS).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), PARIS).astimezone(UTC)


def hashed_pin(pin: str) -> dict[str, Any]:
    """What a tablet keeps of a PIN. Raises `PinError` for one that is too short, too long or too easy."""
    if not (pin.isascii() and pin.isdigit() and len(pin) in PIN_LENGTHS):
        raise PinError("Le code de l’agent a de 4 à 8 chiffres.")
    if len(set(pin)) == 1 or pin in DIGITS or pin in DIGITS[::-1]:
        raise PinError("Ce code de l’agent est trop facile à deviner\u00a0: choisissez-en un autre.")
    salt = secrets.token_bytes(16)
    found = hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, PIN_ITERATIONS)
    return {"salt": salt.hex(), "hash": found.hex(), "iterations": PIN_ITERATIONS}


def make_code(
    *,
    name: str,
    site: str,
    slugs: Sequence[str],
    languages: Sequence[str],
    created_by: str,
    expires_at: datetime | None = None,
    pin: Mapping[str, Any] | None = None,
) -> str:
    """A fresh code for a tablet of this name and site, as shown once and never again: ``ABCDE-FGHJK``."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    with write_transaction() as transaction:
        transaction.add(
            EnrolmentCode(
                code_hash=code_hash(code),
                name=name,
                site=site,
                slugs=list(slugs),
                languages=list(languages),
                expires_at=expires_at or ten_minutes_from(datetime.now(tz=UTC)),
                created_by=created_by,
                pin=dict(pin) if pin else None,
            )
        )
    return f"{code[:5]}-{code[5:]}"


def code_hash(code: str) -> str:
    """The hash under which a code is known, however it was typed."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).upper().encode()).hexdigest()


def redeem(code: str, now: datetime | None = None) -> Device | None:
    """A new device for this code, which is used up; None when there is no such code, or no longer."""
    now = now or datetime.now(tz=UTC)
    with write_transaction() as transaction:
        known = transaction.get(EnrolmentCode, code_hash(code), with_for_update=True)
        if known is None or known.used_at is not None or known.expires_at <= now:
            return None
        device = Device(
            id=str(uuid.uuid4()),
            name=known.name,
            site=known.site,
            state="enrolled",
            slugs=list(known.slugs),
            languages=list(known.languages),
            enrolled_at=now,
            pin=known.pin,
        )
        transaction.add(device)
        transaction.flush()
        known.used_at, known.device_id = now, device.id
        detail = {"site": device.site, "code_made_by": known.created_by, "device": device.id}
        record(transaction, "device-enrolled", actor=NOBODY, subject=device.name, detail=detail)
        return device


def waiting_codes(session: Session, now: datetime | None = None) -> Sequence[EnrolmentCode]:
    """The codes that a tablet can still use, the one that ends first on top."""
    return session.scalars(_waiting(now or datetime.now(tz=UTC))).all()


def _waiting(now: datetime) -> Select[EnrolmentCode]:
    query = select(EnrolmentCode).where(EnrolmentCode.used_at.is_(None), EnrolmentCode.expires_at > now)
    return query.order_by(EnrolmentCode.expires_at, EnrolmentCode.code_hash)


def handle_of(code: EnrolmentCode, secret_key: str) -> str:
    """What names a code in an address, and tells nothing about it."""
    message = f"enrolment code\n{code.code_hash}".encode()
    return hmac.new(secret_key.encode(), message, hashlib.sha256).hexdigest()[:32]


def withdraw(transaction: Session, handle: str, secret_key: str) -> EnrolmentCode | None:
    """Make a waiting code useless; None when it is no longer waiting."""
    for code in transaction.scalars(_waiting(datetime.now(tz=UTC)).with_for_update()):
        if hmac.compare_digest(handle_of(code, secret_key).encode(), handle.encode()):
            transaction.delete(code)
            return code
    return None
