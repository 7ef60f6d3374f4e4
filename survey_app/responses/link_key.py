"""The key under which personal links and objections are derived, and how its loss is noticed.

Objections last for ever as keyed hashes: under another key none of them is recognised any more.
"""

from __future__ import annotations

import hmac
from typing import Final

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from survey_app import server_facts

CHECK_VALUE: Final = "link_key_check"
_DIGITS: Final = 16


def link_key(device_master_key: str) -> bytes:
    """The key of everything about personal links."""
    return hmac.digest(device_master_key.encode(), b"personal links", "sha256")


def remember(transaction: Session, device_master_key: str) -> None:
    """Keep what tells this key from another one, unless a value is kept already."""
    if server_facts.read(transaction, CHECK_VALUE) is None:
        server_facts.write(transaction, CHECK_VALUE, _check_value(device_master_key))


def has_changed(connection: Connection | Session, device_master_key: str) -> bool:
    """Whether links were prepared here under another key."""
    kept = server_facts.read(connection, CHECK_VALUE)
    return kept is not None and kept != _check_value(device_master_key)


def _check_value(device_master_key: str) -> str:
    return hmac.digest(link_key(device_master_key), b"check value", "sha256").hex()[:_DIGITS]
