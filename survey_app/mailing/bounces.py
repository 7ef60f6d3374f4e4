"""What comes back: which message a report is about, and whether its address is dead.

Only the tag in the return path says which: it is random, and nobody else knows it. What is not addressed to a
tag of ours changes nothing.
"""

from __future__ import annotations

import email
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.policy import compat32
from typing import Final, Literal

import sqlalchemy as sa
from flask import current_app
from flufl.bounce import all_failures
from sqlalchemy.orm import Session

from survey_app.audit import act, record
from survey_app.clock import utc_now
from survey_app.database import write_transaction
from survey_app.invitation_models import Invitation, MailMessage
from survey_app.invitations.transitions import mark_unreachable
from survey_app.mail_settings import TAG_SEPARATOR
from survey_app.mailing import queue
from survey_app.mailing.smtp import SENT, UNCERTAIN, without_addresses
from survey_app.settings import Settings

Kind = Literal["dead", "failed", "delayed", "none"]
DEAD: Final = "dead"
"""Nobody can be reached at this address."""
FAILED: Final = "failed"
"""This message did not arrive (mailbox full, refused as junk, too late): the next one may."""
DELAYED: Final = "delayed"
NOTHING: Final = "none"
"""An automatic answer, a mail of a person, anything else."""
UNKNOWN: Final = "unknown"
AGAIN: Final = "again"
LARGEST: Final = 10 * 2**20
OUTCOMES: Final[dict[str, str]] = {
    DEAD: "adresse morte",
    FAILED: "message non remis",
    DELAYED: "remise retardée",
    AGAIN: "déjà connu",
    NOTHING: "sans rapport (réponse automatique, autre message)",
    UNKNOWN: "marque inconnue, rien n’est changé",
}
"""What may become of a message that came back, as people read it."""

_TO: Final = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To")
_SERVER: Final = re.compile(r"(?:mailer-daemon|postmaster)@", re.IGNORECASE)
_STATUS: Final = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_NOT_DEAD: Final = re.compile(r"5\.(?:2\.[23]|3\.|4\.|6\.|7\.)")
"""Mailbox full, message too big, the system or its rules: nothing against the address (RFC 3463)."""
_OPEN: Final = (SENT, UNCERTAIN, queue.SENDING)


@dataclass(frozen=True)
class Report:
    """What one message says: about which tag, what, in which words (without addresses)."""

    tag: str | None
    kind: Kind
    words: str = ""
    recipients: frozenset[str] = frozenset()


def read_report(raw: bytes, return_path: str) -> Report:
    """What a message that came back says; never raises."""
    message = email.message_from_bytes(raw[:LARGEST], policy=compat32)
    tag = _tag(message, return_path)
    if tag is None or _is_automatic_answer(message):
        return Report(tag, NOTHING)
    blocks = list(_status_blocks(message))
    if blocks:
        return max((_of_block(tag, block) for block in blocks), key=lambda one: _WORST.index(one.kind))
    return _in_prose(tag, message)


_WORST: Final = (NOTHING, DELAYED, FAILED, DEAD)


def take_report(raw: bytes) -> str:
    """Read one message that came back; its outcome."""
    settings: Settings = current_app.extensions["survey_settings"]
    report = read_report(raw, settings.mail.return_path)
    with write_transaction() as transaction:
        return _apply(transaction, report)


def take_reports(raw_messages: Iterable[bytes], *, actor: str) -> Counter[str]:
    """Read messages that came back, each for itself; how many of each outcome."""
    told = Counter(map(take_report, raw_messages))
    note_reading(told, actor=actor)
    return told


def note_reading(told: Counter[str], *, actor: str) -> None:
    """One line in the log of acts, where there was anything to read."""
    if told:
        with act() as transaction:
            record(transaction, "bounces-read", actor=actor, subject="", detail=dict(told))


def _apply(transaction: Session, report: Report) -> str:
    if report.tag is None or report.kind == NOTHING:
        return NOTHING
    chosen = sa.select(MailMessage).where(MailMessage.return_tag == report.tag)
    message = transaction.scalar(chosen.with_for_update())
    if message is None:
        return UNKNOWN
    if message.state not in _OPEN:
        return AGAIN
    now = utc_now()
    message.state = SENT if report.kind == DELAYED else queue.BOUNCED
    message.last_reply, message.changed_at = report.words, now
    invitation = queue.locked(transaction, message.invitation_id)
    if report.kind == DEAD and invitation is not None and _is_about(invitation, report):
        mark_unreachable(transaction, invitation)
    return report.kind


def _is_about(invitation: Invitation, report: Report) -> bool:
    """A link that was passed on is written to elsewhere: the report may be about the address before."""
    return not invitation.passed_on or (invitation.email or "").casefold() in report.recipients


def _tag(message: Message, return_path: str) -> str | None:
    local, _, domain = return_path.rpartition("@")
    ours = re.compile(
        rf"(?<![\w.+-]){re.escape(local)}{re.escape(TAG_SEPARATOR)}([0-9a-f]{{20}})@{re.escape(domain)}(?![\w.-])",
        re.IGNORECASE,
    )
    for name in _TO:
        for value in message.get_all(name, []):
            found = ours.search(str(value))
            if found:
                return found[1].lower()
    return None


def _is_automatic_answer(message: Message) -> bool:
    """Absence notices and the like answer a mail; a report on its delivery is generated (RFC 3834)."""
    from_a_server = _SERVER.search(str(message.get("From", "")))
    if message.get_content_type() == "multipart/report" or from_a_server:
        return False
    said = str(message.get("Auto-Submitted", "")).strip().lower()
    return said.startswith("auto-replied") or "X-Autoreply" in message or "X-Autorespond" in message


def _status_blocks(message: Message) -> Iterator[Message]:
    """The parts of RFC 3464 that speak of one recipient each."""
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            for block in part.get_payload():
                if isinstance(block, Message) and block.get("Action"):
                    yield block


def _of_block(tag: str, block: Message) -> Report:
    action, status = str(block.get("Action", "")).strip().lower(), str(block.get("Status", ""))
    diagnostic = str(block.get("Diagnostic-Code", ""))
    words = without_addresses(f"{status.strip()} {diagnostic.partition(';')[2].strip() or diagnostic}")
    recipients = frozenset(
        str(value).partition(";")[2].strip(" <>").casefold()
        for name in ("Original-Recipient", "Final-Recipient")
        for value in block.get_all(name, [])
    )
    if action.startswith("delayed"):
        return Report(tag, DELAYED, words, recipients)
    if not action.startswith(("fail", "error")):
        return Report(tag, NOTHING)
    return Report(tag, DEAD if _is_final(status, diagnostic) else FAILED, words, recipients)


def _is_final(status: str, diagnostic: str) -> bool:
    """The remote server's own code says more than ``5.0.0`` does."""
    known = [found[0] for found in map(_STATUS.search, (status, diagnostic)) if found]
    exact = [code for code in known if not code.endswith(".0.0")] or known
    return bool(exact) and exact[0].startswith("5") and not _NOT_DEAD.match(exact[0])


def _in_prose(tag: str, message: Message) -> Report:
    """A report for people only, as some providers still write them."""
    try:
        delayed, failed = all_failures(message)
    except (ValueError, LookupError, TypeError, AttributeError) as fault:
        logging.getLogger(__name__).info("unreadable report: %s", type(fault).__name__)
        return Report(tag, NOTHING)
    if not failed:
        return Report(tag, DELAYED if delayed else NOTHING, "Remise retardée." if delayed else "")
    told = _STATUS.search(_first_text(message))
    dead = told is None or (told[1] == "5" and not _NOT_DEAD.match(told[0]))
    words = f"{told[0]} " if told else ""
    recipients = frozenset(one.decode("ascii", "replace").casefold() for one in failed)
    return Report(tag, DEAD if dead else FAILED, f"{words}Retour d’un serveur de messagerie.", recipients)


def _first_text(message: Message) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            content = part.get_payload(decode=True)
            return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return ""
