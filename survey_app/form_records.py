"""From a finished form or a sheet typed in to a record in the inbox, and its reference. Floor 4."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from flask import current_app

from survey_app.clock import utc_now
from survey_app.form_state import FormState
from survey_app.interview import Interview
from survey_app.open_waves import SITE_ITEM, Published
from survey_app.responses import inbox
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import (
    OPEN_SUITE,
    Envelope,
    encode_body,
    open_body,
    read_envelope,
    write_envelope,
)
from survey_app.responses.record_keys import held

REFERENCE: Final = re.compile(r"([A-Z2-7]{4}-[A-Z2-7]{4})\.([0-9a-f]{16})")
OLD_PAGE: Final = "old_page"
SENT_ANEW: Final = "sent_anew"
REVISION: Final = 1


class AlreadySent(Exception):  # noqa: N818 (a state of the form, answered by a friendly page)
    """Other answers came from this very form before: these are stored beside them, and count nowhere."""


def accept_answers(
    state: FormState,
    interview: Interview,
    version: Published,
    language: str,
    *,
    source: str,
    flags: Sequence[str] = (),
    answered_at: dt.datetime | None = None,
) -> str:
    """Store the answers durably, once, and give the code of their receipt.

    All in the record comes from the page that was sent, nothing from the moment it arrived: a double click
    makes the same bytes, and the inbox knows them again. Who goes back and sends the same answers makes other
    bytes, and the same code.

    Raises
    ------
    AlreadySent
        The form was sent before with other answers: by the person before, or as the sheet typed in before.
    """
    now = utc_now()
    finished = answered_at or dt.datetime.fromisoformat(state.issued_at)
    body = {
        "answers": {key: value for key, value in sorted(interview.answers.items()) if key != SITE_ITEM},
        "language": language,
        "site": interview.context.site,
        "complete": True,
        "practice": state.practice,
        "started_at": state.opened_at,
        "finished_at": finished.isoformat(),
        "clock_offset_ms": 0,
        "assisted": None,
    }
    code = receipt_code(state.record_id, current_app.config["SECRET_KEY"])
    if _is_stored(state.record_id, body, dated=answered_at is not None):
        return code
    receipt = inbox.accept(
        write_envelope(_envelope(state, version, body)),
        source=source,
        credential=Credential(mode=source),
        now=now,
        flags=[*flags, *([OLD_PAGE] if state.is_old(now) else []), *([SENT_ANEW] if state.anew else [])],
    )
    if receipt.conflict:
        raise AlreadySent(state.record_id)
    return code


def _is_stored(record_id: str, body: dict[str, Any], *, dated: bool) -> bool:
    """Whether this very form brought the same before; of a sheet, the day it was filled in is part of it."""
    raw = inbox.stored_envelope(record_id, REVISION)
    if raw is None:
        return False
    told = ("answers", "site", "practice", *(("finished_at",) if dated else ()))
    first = read_envelope(raw)
    second = replace(first, body=encode_body(body), suite=OPEN_SUITE, key_id=None)
    before, now = (open_body(envelope, held()) for envelope in (first, second))
    return all(getattr(before, name) == getattr(now, name) for name in told)


def _envelope(state: FormState, version: Published, body: dict[str, Any]) -> Envelope:
    return Envelope(
        id=state.record_id,
        revision=REVISION,
        device=None,
        seq=None,
        prev=None,
        wave=state.wave,
        questionnaire_digest=state.digest,
        bundle_digest=version.bundle_digest(),
        body=encode_body(body),
    )


def receipt_code(record_id: str, secret_key: str) -> str:
    """``ABCD-EFGH.<mac>``: a reference for people, and the proof that this server gave it.

    It depends on the record alone: who sends the same form again, changed or not, gets the same reference.
    """
    reference = reference_of(record_id, secret_key)
    return f"{reference}.{_proof(reference, secret_key)}"


def reference_of(record_id: str, secret_key: str) -> str:
    """``ABCD-EFGH``, as the page « Merci » shows it."""
    letters = base64.b32encode(_mac(secret_key, f"reference\n{record_id}")).decode()[:8]
    return f"{letters[:4]}-{letters[4:]}"


def read_receipt_code(code: str, secret_key: str) -> str | None:
    """The reference, if this server gave it."""
    match = REFERENCE.fullmatch(code)
    if match and hmac.compare_digest(match[2], _proof(match[1], secret_key)):
        return match[1]
    return None


def _proof(reference: str, secret_key: str) -> str:
    return _mac(secret_key, f"receipt code\n{reference}").hex()[:16]


def _mac(secret_key: str, message: str) -> bytes:
    return hmac.digest(secret_key.encode(), f"website reference\n{message}".encode(), "sha256")
