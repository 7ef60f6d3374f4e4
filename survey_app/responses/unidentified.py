"""Tablets that sign as this server's own and that its database does not know.

It was restored from a copy older than their enrolment. Their secret is derived, so they can be recognised; of
what site they are, people must say. Until then what they send is stored and has its receipt, and waits.
"""

from __future__ import annotations

from typing import Final

UNIDENTIFIED: Final = "unidentified"
"""The state of such a device."""


class UnidentifiedTabletError(Exception):
    """Nobody has said yet which tablet sent this record."""
