"""What the website knows of somebody who is answering: one sealed field in the page. Floor 4.

No cookie, no session. The field is AES-GCM under a key of its own derived from ``SECRET_KEY``: a respondent
can neither read nor change it, and answers given on earlier pages are not in the page in clear.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import secrets
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE: Final = b"survey form state 1"
NONCE_LENGTH: Final = 12
LARGEST_STATE: Final = 512 * 1024
"""Bytes after decompression; far above what the questions allow."""
MAXIMUM_AGE: Final = dt.timedelta(hours=12)
"""An older page is taken all the same, and flagged."""


class UnreadableState(ValueError):  # noqa: N818 (a state of the page, answered by a friendly page)
    """This field was not sealed by this server, or was cut or changed."""


@dataclass(frozen=True)
class FormState:
    """Who (a record, never a person), what, and the answers so far."""

    record_id: str
    """Of the record that the answers become; on a personal link they become none."""
    slug: str
    wave: str
    digest: str
    section: str
    opened_at: str
    issued_at: str
    site: str = ""
    """From the address (QR code); empty when the page asks for it."""
    practice: bool = False
    mode: str = "website"
    """What the page collects for: a page of the website is no sheet of paper typed in by staff."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    anew: bool = False
    """Its answers were refused under the number of answers that differ: a person looks before they count."""
    invitation_id: str = ""
    """On a personal link: whose right to answer it is."""
    generation: int = 0
    """And which of the links of that invitation opened the form."""
    warned: tuple[str, ...] = ()
    """The questions whose missing answer was already pointed out."""

    def moved(self, now: dt.datetime, **changes: Any) -> FormState:
        """The state of the next page."""
        return replace(self, issued_at=_stamp(now), **changes)

    def renewed(self, now: dt.datetime) -> FormState:
        """The same answers as those of another record, with an id of its own."""
        return replace(self, record_id=str(uuid.uuid4()), opened_at=_stamp(now), issued_at=_stamp(now))

    def is_old(self, now: dt.datetime) -> bool:
        """Whether the page was left open for very long."""
        return now - dt.datetime.fromisoformat(self.issued_at) > MAXIMUM_AGE


def new_state(
    *,
    slug: str,
    wave: str,
    digest: str,
    site: str,
    practice: bool,
    now: dt.datetime,
    mode: str = "website",
) -> FormState:
    """The state of a form just opened. The record gets its id here: sent twice, it is the same record."""
    stamp = _stamp(now)
    return FormState(
        record_id=str(uuid.uuid4()),
        slug=slug,
        wave=wave,
        digest=digest,
        section="",
        opened_at=stamp,
        issued_at=stamp,
        site=site,
        practice=practice,
        mode=mode,
    )


def _stamp(now: dt.datetime) -> str:
    return now.astimezone(dt.UTC).isoformat(timespec="seconds")


@lru_cache(maxsize=4)
def _cipher(secret_key: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(secret_key.encode()))


def seal(state: FormState, secret_key: str) -> str:
    """The hidden field."""
    plain = _compressed(json.dumps(vars(state), ensure_ascii=False, separators=(",", ":")).encode())
    nonce = secrets.token_bytes(NONCE_LENGTH)
    return base64.urlsafe_b64encode(nonce + _cipher(secret_key).encrypt(nonce, plain, PURPOSE)).decode()


def _compressed(plain: bytes) -> bytes:
    """With small tables: to take and clear zlib's usual 256 kB costs more than the compressing."""
    small = zlib.compressobj(wbits=12, memLevel=5)
    return small.compress(plain) + small.flush()


def unseal(text: str, secret_key: str) -> FormState:
    """The state in the hidden field.

    Raises
    ------
    UnreadableState
        Missing, cut, changed, sealed under another key or by an older version.
    """
    try:
        sealed = base64.urlsafe_b64decode(text.encode("ascii"))
        plain = _cipher(secret_key).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], PURPOSE)
        values = json.loads(zlib.decompressobj().decompress(plain, LARGEST_STATE))
        return FormState(**{**values, "warned": tuple(values["warned"])})
    except (InvalidTag, binascii.Error, zlib.error, ValueError, TypeError, KeyError) as fault:
        raise UnreadableState("the hidden field cannot be read") from fault
