"""One-time codes that turn a browser into a tablet of a site. Floor 4.

Only the hash of a code is stored. A code has 50 bits, ends after a day and works once; tries are limited.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from survey_app.database import write_transaction
from survey_app.models import Device, EnrolmentCode

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No 0, 1, I, O: somebody reads the code from one screen and types it on another."""
CODE_LENGTH: Final = 10
LIFETIME: Final = timedelta(days=1)


def make_code(
    *, name: str, site: str, slugs: Sequence[str], languages: Sequence[str], created_by: str
) -> str:
    """A fresh code for a tablet of this name and site, as shown once and never again: ``ABCDE-FGHJK``."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    with write_transaction() as transaction:
        transaction.add(
            EnrolmentCode(
                code_hash=code_hash(code),
                name=name,
                site=site,
                slugs=list(slugs),
                languages=list(languages),
                expires_at=datetime.now(tz=UTC) + LIFETIME,
                created_by=created_by,
            )
        )
    return f"{code[:5]}-{code[5:]}"


def code_hash(code: str) -> str:
    """The hash under which a code is known, however it was typed."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).upper().encode()).hexdigest()


def redeem(code: str, now: datetime | None = None) -> Device | None:
    """A new device for this code, which is used up; None when there is no such code, or no longer."""
    now = now or datetime.now(tz=UTC)
    with write_transaction() as transaction:
        known = transaction.get(EnrolmentCode, code_hash(code), with_for_update=True)
        if known is None or known.used_at is not None or known.expires_at <= now:
            return None
        device = Device(
            id=str(uuid.uuid4()),
            name=known.name,
            site=known.site,
            state="enrolled",
            slugs=list(known.slugs),
            languages=list(known.languages),
            enrolled_at=now,
        )
        transaction.add(device)
        transaction.flush()
        known.used_at, known.device_id = now, device.id
        return device
