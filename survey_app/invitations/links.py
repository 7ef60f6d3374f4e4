"""Personal links and letter codes: derived from a key outside the database, which holds only their hashes.

So a reminder can repeat a link that nobody stored. One key, one purpose: each kind of token is derived under
its own label and is worth nothing where another kind is asked for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from itertools import count
from typing import Final, NamedTuple

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from survey_app.invitation_models import Invitation
from survey_app.invitations.states import KEY_CHANGED, LinkKeyChanged
from survey_app.responses.link_key import has_changed
from survey_app.settings import Settings

TOKEN_BYTES: Final = 24
"""192 bits: 32 characters of base64url, without padding."""
CODE_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U. Whoever types them is understood (https://www.crockford.com/base32.html)."""
CODE_LENGTH: Final = 12
CODE_GROUP: Final = 4
_READ_AS: Final = str.maketrans("ILO", "110")
_NUMBER_BYTES: Final = 16
_HASH_BYTES: Final = 32


class Unsubscription(NamedTuple):
    """What an unsubscribe link says: who was written to, and the keyed hash of the address."""

    invitation_id: str
    address_hash: str


def token(invitation: Invitation) -> str:
    """The secret of a personal link. Another generation has another one.

    It ends with a letter or a digit: mail programs that find links in plain text may leave a last dash out.
    """
    named = ("link", invitation.id, str(invitation.generation))
    tries = (_base64url(_derive(*named, str(turn))[:TOKEN_BYTES]) for turn in count())
    return next(text for text in tries if text[-1].isalnum())


def token_hash(secret: str) -> str:
    """What the database keeps of a link: 192 random-looking bits need no key and no salt."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def letter_code(invitation: Invitation) -> str:
    """The short code of a printed letter, to be typed: ``ABCD-EFGH-JKMN``, 60 bits."""
    number = int.from_bytes(_derive("letter", invitation.id, str(invitation.generation)), "big")
    characters = [CODE_ALPHABET[number >> 5 * place & 31] for place in range(CODE_LENGTH)]
    groups = ("".join(characters[at : at + CODE_GROUP]) for at in range(0, CODE_LENGTH, CODE_GROUP))
    return "-".join(groups)


def letter_code_hash(code: str) -> str:
    """What the database keeps of a letter code, however it was typed.

    Keyed: 60 bits are few for somebody who has the database and all the time there is.
    """
    meant = re.sub(r"[\W_]", "", code).upper().translate(_READ_AS)
    return _derive("letter code hash", meant).hex()


def address_hash(address: str) -> str:
    """What is kept of an address that is never to be written to again: keyed, so nobody can try names."""
    return _derive("address", " ".join(address.split()).casefold()).hex()


def address_of(invitation: Invitation) -> str:
    """Where somebody is written to, or else who they are: what an objection holds for."""
    unit = invitation.unit
    postal = unit.postal_address or f"{unit.authority_kind} {unit.authority_code}"
    return invitation.email or f"{unit.civility} {unit.first_name} {unit.last_name} {postal}"


def unsubscribe_token(invitation: Invitation) -> str:
    """The secret of an unsubscribe link. It names the address, so it never silences the next holder's."""
    named = bytes.fromhex(invitation.id) + bytes.fromhex(address_hash(address_of(invitation)))
    return _base64url(named + _unsubscribe_code(named))


def read_unsubscribe_token(secret: str) -> Unsubscription | None:
    """What an unsubscribe link says; None where it is none of ours."""
    try:
        raw = base64.b64decode(secret + "=" * (-len(secret) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    named, code = raw[: _NUMBER_BYTES + _HASH_BYTES], raw[_NUMBER_BYTES + _HASH_BYTES :]
    if not hmac.compare_digest(code, _unsubscribe_code(named)):
        return None
    return Unsubscription(named[:_NUMBER_BYTES].hex(), named[_NUMBER_BYTES:].hex())


def link_address(invitation: Invitation) -> str:
    """The personal link, absolute, on the public address of the settings and on no other.

    Raises
    ------
    LinkKeyChanged
        It would open nothing: it was made under another key.
    """
    secret = token(invitation)
    if token_hash(secret) != invitation.token_hash:
        raise LinkKeyChanged(KEY_CHANGED)
    return f"{_settings().public_url.rstrip('/')}/r/{secret}"


def check_key(session: Session) -> None:
    """Raises `LinkKeyChanged` where the settings bring another key than the one that links were made with."""
    if has_changed(session, _settings().link_key):
        raise LinkKeyChanged(KEY_CHANGED)


def letter_address() -> str:
    """The page where a letter code is typed, absolute."""
    return f"{_settings().public_url.rstrip('/')}/r/"


def unsubscribe_address(invitation: Invitation) -> str:
    """The address for ``List-Unsubscribe`` (RFC 8058: a POST there needs nothing else)."""
    return f"{_settings().public_url.rstrip('/')}/r/desinscription/{unsubscribe_token(invitation)}"


def by_token(session: Session, secret: str) -> Invitation | None:
    """The invitation of a personal link that is alive; None for any other text.

    The same work whatever is given: one hash, one look into an index of hashes.
    """
    return session.scalar(sa.select(Invitation).where(Invitation.token_hash == token_hash(secret)))


def by_letter_code(session: Session, code: str) -> Invitation | None:
    """The invitation of a letter code, however it was typed; None for any other text."""
    return session.scalar(sa.select(Invitation).where(Invitation.letter_code_hash == letter_code_hash(code)))


def renew_hashes(invitation: Invitation) -> None:
    """Make the link and the code of this generation the ones that are alive, and no earlier one."""
    invitation.token_hash = token_hash(token(invitation))
    invitation.letter_code_hash = letter_code_hash(letter_code(invitation))


def _unsubscribe_code(named: bytes) -> bytes:
    return _derive("unsubscribe", named.hex())[:_NUMBER_BYTES]


def _derive(purpose: str, *parts: str) -> bytes:
    return hmac.digest(
        _settings().link_key, "\n".join((purpose, *parts)).encode("utf-8", "replace"), "sha256"
    )


def _settings() -> Settings:
    settings: Settings = current_app.extensions["survey_settings"]
    return settings


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
