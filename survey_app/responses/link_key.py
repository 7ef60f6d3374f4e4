"""How it is noticed that the key of personal links and objections (``Settings.link_key``) is another one.

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


def remember(transaction: Session, link_key: bytes) -> None:
    """Keep what tells this key from another one, unless a value is kept already."""
    if server_facts.read(transaction, CHECK_VALUE) is None:
        server_facts.write(transaction, CHECK_VALUE, _check_value(link_key))


def has_changed(connection: Connection | Session, link_key: bytes) -> bool:
    """Whether links were prepared here under another key."""
    kept = server_facts.read(connection, CHECK_VALUE)
    return kept is not None and kept != _check_value(link_key)


def _check_value(link_key: bytes) -> str:
    return hmac.digest(link_key, b"check value", "sha256").hex()[:_DIGITS]
