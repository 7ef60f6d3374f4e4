"""An interview to be gone on with later or elsewhere: encrypted under a key that comes from the link.

The link is derived from a key outside the database, so the database alone opens no draft.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.orm import Session

from form_definitions import Questionnaire
from survey_app.invitation_models import Invitation, SavedInterview
from survey_app.invitations import links
from survey_app.invitations.sealed_answers import padded, size_of, unpadded

PURPOSE: Final = b"survey-app saved interview v1"
NONCE_LENGTH: Final = 12


def save(
    transaction: Session, invitation: Invitation, draft: Mapping[str, Any], questionnaire: Questionnaire
) -> None:
    """Keep this draft in place of an earlier one."""
    _store(transaction, invitation, _sealed(invitation, padded(draft, size_of(questionnaire))))


def read(session: Session, invitation: Invitation) -> dict[str, Any] | None:
    """The draft of this link; None where there is none, or where it belongs to a link that is dead."""
    plain = _opened(session, invitation)
    try:
        return None if plain is None else unpadded(plain)
    except json.JSONDecodeError:
        return None


def move_to_new_link(transaction: Session, invitation: Invitation, generation: int) -> None:
    """The link becomes that of another generation: a draft is encrypted anew, so that it goes along."""
    plain = _opened(transaction, invitation)
    invitation.generation = generation
    links.renew_hashes(invitation)
    if plain is not None:
        _store(transaction, invitation, _sealed(invitation, plain))


def forget(transaction: Session, invitation: Invitation) -> None:
    """There is no draft any more."""
    kept = transaction.get(SavedInterview, invitation.id)
    if kept is not None:
        transaction.delete(kept)


def _store(transaction: Session, invitation: Invitation, sealed: bytes) -> None:
    transaction.merge(
        SavedInterview(invitation_id=invitation.id, generation=invitation.generation, sealed=sealed)
    )


def _opened(session: Session, invitation: Invitation) -> bytes | None:
    kept = session.get(SavedInterview, invitation.id)
    if kept is None or kept.generation != invitation.generation:
        return None
    nonce, sealed = kept.sealed[:NONCE_LENGTH], kept.sealed[NONCE_LENGTH:]
    try:
        return _cipher(invitation).decrypt(nonce, sealed, invitation.id.encode())
    except InvalidTag:
        return None


def _sealed(invitation: Invitation, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_LENGTH)
    return nonce + _cipher(invitation).encrypt(nonce, plain, invitation.id.encode())


def _cipher(invitation: Invitation) -> AESGCM:
    token = links.token(invitation).encode()
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(token))
