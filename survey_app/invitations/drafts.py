"""An interview to be gone on with later or elsewhere: encrypted under the link and a secret of its wave.

Both lie outside the database. The secret is destroyed with the key of the wave: from then on no copy of a
draft opens, not even for who derives all links.
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
from survey_app.invitation_models import Invitation, SavedInterview, WaveFrame
from survey_app.invitations import links, wave_keys
from survey_app.invitations.sealed_answers import padded, size_of, unpadded
from survey_app.responses.record_keys import KeyMissing

PURPOSE: Final = b"survey-app saved interview v2"
NONCE_LENGTH: Final = 12


def save(
    transaction: Session, invitation: Invitation, draft: Mapping[str, Any], questionnaire: Questionnaire
) -> None:
    """Keep this draft in place of an earlier one; raises `KeyMissing` where the wave's secret is not here."""
    _store(transaction, invitation, _sealed(transaction, invitation, padded(draft, size_of(questionnaire))))


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
        _store(transaction, invitation, _sealed(transaction, invitation, plain))


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
        return _cipher(session, invitation).decrypt(nonce, sealed, invitation.id.encode())
    except (InvalidTag, KeyMissing):
        return None


def _sealed(session: Session, invitation: Invitation, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_LENGTH)
    return nonce + _cipher(session, invitation).encrypt(nonce, plain, invitation.id.encode())


def _cipher(session: Session, invitation: Invitation) -> AESGCM:
    frame = session.get_one(WaveFrame, invitation.wave_id)
    secret = wave_keys.held().draft_secret(frame.wave_id, str(frame.key_id))
    return AESGCM(HKDF(SHA256(), 32, salt=secret, info=PURPOSE).derive(links.token(invitation).encode()))
