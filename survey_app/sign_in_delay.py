"""Tries to sign in during the last minutes, counted in the database, where every process sees them. Floor 4.

A row is of somebody at the door of the staff pages, never of a respondent, and holds neither account nor
address: keyed hashes, whose key is not in the database. Failures go after ten minutes, the rest after a day.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.database import write_connection
from survey_app.models import SignInTry
from survey_app.responses.bursts import network_of

_ADVISORY_LOCK: Final = 7_305_808_869_229_539


class Limit(NamedTuple):
    """So many failures in this time, and the next try has to wait."""

    failures: int
    during: dt.timedelta


MINUTE: Final = dt.timedelta(minutes=1)
ACCOUNT_HERE: Final = Limit(5, MINUTE)
"""On one account from one place: a delay, never a lock; not for its owner elsewhere."""
ACCOUNT_ANYWHERE: Final = Limit(30, MINUTE)
"""From all places together, but those where it was opened within a day: its owner is not delayed there."""
PLACE: Final = Limit(20, 10 * MINUTE)
"""From one place, whatever the accounts: one passphrase tried on many accounts."""
LONGEST: Final = max(limit.during for limit in (ACCOUNT_HERE, ACCOUNT_ANYWHERE, PLACE))
KNOWN_FOR: Final = dt.timedelta(days=1)
"""So long a place where an account was opened is known; after the next day its hash says nothing any more."""


class SignInDelay:
    """Who has to wait before the next try."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def begin(self, account: str, address: str | None, now: dt.datetime | None = None) -> int | None:
        """Count a try as failed before the passphrase is looked at; None where it has to wait.

        Counted first, tries sent all at once cannot pass each other.
        """
        at = now or dt.datetime.now(dt.UTC)
        today, yesterday = (self._place(address, day) for day in (at.date(), at.date() - KNOWN_FOR))
        names = {"account": self._name(f"account {account}"), "place": today}
        with write_connection() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            _forget(connection, at)
            if _must_wait(connection, at, **names, known_as=(today, yesterday)):
                return None
            added = sa.insert(SignInTry).values(at=at, succeeded=False, **names).returning(SignInTry.id)
            return int(connection.execute(added).scalar_one())

    def succeeded(self, number: int) -> None:
        """It was no failure, and the owner works here: strangers elsewhere do not slow this place down."""
        with write_connection() as connection:
            found = sa.update(SignInTry).where(SignInTry.id == number)
            connection.execute(found.values(succeeded=True))

    def _place(self, address: str | None, day: dt.date) -> str:
        return self._name(f"place {day} {network_of(address)}")

    def _name(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()


def _must_wait(
    connection: Connection, at: dt.datetime, account: str, place: str, known_as: Sequence[str]
) -> bool:
    on_account, from_here = SignInTry.account == account, SignInTry.place == place
    limits = [(ACCOUNT_HERE, on_account & from_here), (PLACE, from_here)]
    from_known_place = SignInTry.place.in_(known_as)
    if not connection.scalar(sa.select(sa.exists().where(on_account, from_known_place, SignInTry.succeeded))):
        limits.append((ACCOUNT_ANYWHERE, on_account))
    return any(_failures(connection, at - limit.during, of) >= limit.failures for limit, of in limits)


def _failures(connection: Connection, since: dt.datetime, of: sa.ColumnElement[bool]) -> int:
    failed = sa.select(sa.func.count()).where(of, SignInTry.at > since, ~SignInTry.succeeded)
    return connection.scalar(failed) or 0


def _forget(connection: Connection, at: dt.datetime) -> None:
    failed = ~SignInTry.succeeded & (SignInTry.at <= at - LONGEST)
    connection.execute(sa.delete(SignInTry).where(failed | (SignInTry.at <= at - KNOWN_FOR)))
