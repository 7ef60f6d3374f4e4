"""From a finished form to a record in the inbox, and the reference that its author may note down. Floor 4."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import current_app

from survey_app.clock import utc_now
from survey_app.form_state import FormState
from survey_app.interview import Interview
from survey_app.open_waves import SITE_ITEM, Published
from survey_app.responses import inbox
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import Envelope, encode_body, open_body, read_envelope, write_envelope
from survey_app.responses.record_keys import held

REFERENCE: Final = re.compile(r"([A-Z2-7]{4}-[A-Z2-7]{4})\.([0-9a-f]{16})")
OLD_PAGE: Final = "old_page"
REVISION: Final = 1


class AlreadySent(Exception):  # noqa: N818 (a state of the form, answered by a friendly page)
    """Other answers came from this very form before: these are stored beside them, and count nowhere."""


def _is_sent(state: FormState, answers: Mapping[str, Any], site: str | None) -> bool:
    """Whether this form sent the same before: a page drawn again is later, not another person."""
    stored = inbox.first_bytes(state.id, REVISION)
    if stored is None:
        return False
    body = open_body(read_envelope(stored), held())
    return (body.answers, body.site) == (answers, site)


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
    makes the same bytes, and the inbox knows them again. After a step back the page is another one: its
    answers are compared.

    Raises
    ------
    AlreadySent
        The form was sent before with other answers: by the person before, or as the sheet typed in before.
    """
    now = utc_now()
    code = receipt_code(state.id, current_app.config["SECRET_KEY"])
    answers = {key: value for key, value in sorted(interview.answers.items()) if key != SITE_ITEM}
    # Of two sheets of paper with the same answers, each counts: there the person at the keyboard decides.
    if answered_at is None and _is_sent(state, answers, interview.context.site):
        return code
    finished = answered_at or dt.datetime.fromisoformat(state.issued_at)
    body = {
        "answers": answers,
        "language": language,
        "site": interview.context.site,
        "complete": True,
        "practice": state.practice,
        "started_at": state.opened_at,
        "finished_at": finished.isoformat(),
        "clock_offset_ms": 0,
        "assisted": None,
    }
    receipt = inbox.accept(
        write_envelope(_envelope(state, version, body)),
        source=source,
        credential=Credential(mode=source),
        now=now,
        flags=[*flags, *([OLD_PAGE] if state.is_old(now) else [])],
    )
    if receipt.conflict:
        raise AlreadySent(state.id)
    return code


def _envelope(state: FormState, version: Published, body: dict[str, Any]) -> Envelope:
    return Envelope(
        id=state.id,
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
