"""What the server knows about itself, one value under a name. Floor 2.

The epoch names one history of the database: a restored copy begins another, and the tablets, which compare it
with the one of their receipts, send again what the copy lacks.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from survey_app.models import ServerFact

EPOCH: Final = "epoch"
BACKUP_WATERMARK: Final = "backup_watermark"
"""Everything received up to this moment is in a copy that was read back: tablets may let go of it."""

LINK_GUESSES: Final = "link_guesses"
"""The last day on which many personal links were tried that nobody was given."""


def read(connection: Connection | Session, key: str) -> str | None:
    """The value under this name."""
    return connection.scalar(sa.select(ServerFact.value).where(ServerFact.key == key))


def write(connection: Connection | Session, key: str, value: str) -> None:
    """Put a value under this name, in the caller's transaction."""
    changed: Any = connection.execute(sa.update(ServerFact).where(ServerFact.key == key).values(value=value))
    if changed.rowcount == 0:
        connection.execute(sa.insert(ServerFact).values(key=key, value=value))


def forget(connection: Connection | Session, key: str) -> None:
    """Take the value under this name away."""
    connection.execute(sa.delete(ServerFact).where(ServerFact.key == key))


def try_to_write(connection: Connection) -> None:
    """Changes nothing; both databases refuse it where they are read-only, although no row has that key."""
    connection.execute(sa.update(ServerFact).where(ServerFact.key == "").values(value=""))


def moment(connection: Connection | Session, key: str) -> dt.datetime | None:
    """The moment kept under this name."""
    found = read(connection, key)
    return None if found is None else dt.datetime.fromisoformat(found)


def new_epoch() -> str:
    """The name of a history that begins now."""
    return uuid.uuid4().hex
