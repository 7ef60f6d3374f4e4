"""Passphrases of staff: what is accepted, and how the platform makes one. Floor 4; no web, no database."""

from __future__ import annotations

import secrets
import string
from typing import Final

PASSPHRASE_MINIMUM: Final = 16
PASSPHRASE_MAXIMUM: Final = 128
PASSPHRASE_DISTINCT: Final = 6
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without l, i, o, 0 and 1, which people misread."""


class PassphraseError(ValueError):
    """The passphrase is too weak; the message (French) says how to mend it."""


def check_passphrase(passphrase: str, email: str = "") -> None:
    """Refuse what can be guessed. Length counts, classes of characters do not, and nothing expires."""
    if len(passphrase) < PASSPHRASE_MINIMUM:
        raise PassphraseError(f"Au moins {PASSPHRASE_MINIMUM} caractères\u00a0: plusieurs mots suffisent.")
    if len(passphrase) > PASSPHRASE_MAXIMUM:
        raise PassphraseError(f"Au plus {PASSPHRASE_MAXIMUM} caractères.")
    if len(set(passphrase.lower())) < PASSPHRASE_DISTINCT or _repeats(passphrase.lower()):
        raise PassphraseError("Trop répétitive\u00a0: choisissez plusieurs mots sans rapport entre eux.")
    name = email.partition("@")[0].lower()
    if name and name in passphrase.lower():
        raise PassphraseError("Elle contient votre adresse\u00a0: choisissez d’autres mots.")


def _repeats(text: str) -> bool:
    """Whether the text is one short piece written several times (« motdepassemotdepasse »)."""
    return (text + text).find(text, 1) < len(text) or text in (string.ascii_lowercase + string.digits) * 2


def new_passphrase() -> str:
    """Five groups of five characters: 123 bits, easy to read aloud."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(5))
    return "-".join(groups)
