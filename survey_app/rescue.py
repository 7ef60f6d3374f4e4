"""The file that a tablet writes when it cannot reach the server: the same door as for any record. Floor 4.

`{"records": [envelope, …]}`, each envelope as the tablet would have sent it, byte for byte; other keys are
left unread. Nothing in the file proves who wrote it, so every record is flagged and the log names who brought
it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from survey_app.access import REVOKED
from survey_app.audit import act, record
from survey_app.database import db
from survey_app.models import Device
from survey_app.responses import inbox, strict_json
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import Envelope, UnreadableEnvelope, content_hash, read_envelope
from survey_app.responses.flags import IMPORTED

MOST_RECORDS: Final = 20_000
STORED: Final = "stored"
KNOWN: Final = "known"
CONFLICT: Final = "conflict"
UNREADABLE: Final = "unreadable"
FATES: Final[Mapping[str, str]] = {
    STORED: "reçu par ce fichier",
    KNOWN: "déjà reçu, rien à faire",
    CONFLICT: "gardé à part, un autre contenu porte ce numéro",
    UNREADABLE: "illisible, gardez le fichier et prévenez le technicien",
}


class RescueFileError(ValueError):
    """This is no file of a tablet; the message (French) says why."""


@dataclass(frozen=True)
class Fate:
    """What became of one record of the file."""

    fate: str
    record_id: str = ""
    seq: int | None = None
    device: str = ""
    """The tablet's name; empty where this server does not know it."""


def import_file(raw: bytes, *, by: str) -> list[Fate]:
    """Take every record of the file, in its order; the same file again changes nothing.

    Raises `RescueFileError` where nothing can be read; a single bad record never stops the others.
    """
    texts = list(dict.fromkeys(_records(raw)))
    devices = {device.id: device for device in db.session.scalars(select(Device))}
    frames = [_frame(text) for text in texts]
    fates = _accepted(texts, frames, devices)
    found = [_fate(fate, frame, devices) for fate, frame in zip(fates, frames, strict=True)]
    with act() as transaction:
        detail = {"file": content_hash(raw), **Counter(one.fate for one in found)}
        detail["records"] = [one.record_id for one in found if one.fate in (STORED, CONFLICT)]
        names = sorted({one.device for one in found if one.device})
        record(transaction, "records-imported", actor=by, subject=", ".join(names) or "–", detail=detail)
    return found


def _records(raw: bytes) -> list[str]:
    try:
        content = strict_json.loads(raw)
    except strict_json.StrictJSONError:
        raise RescueFileError("Ce fichier n’est pas celui d’une tablette, ou il est abîmé.") from None
    records = content.get("records") if isinstance(content, dict) else None
    if not isinstance(records, list) or not all(isinstance(one, str) for one in records):
        raise RescueFileError("Ce fichier ne contient pas les envois d’une tablette.")
    if len(records) > MOST_RECORDS:
        raise RescueFileError(f"Ce fichier contient plus de {MOST_RECORDS} envois.")
    return records


def _frame(text: str) -> Envelope | None:
    try:
        return read_envelope(text.encode())
    except UnreadableEnvelope:
        return None


@dataclass(frozen=True)
class _Stored:
    receipt: inbox.Receipt
    now: dt.datetime


def _accepted(
    texts: Sequence[str], frames: Sequence[Envelope | None], devices: Mapping[str, Device]
) -> list[_Stored | None]:
    """One commit for each tablet in the file; usually that is one."""
    places: dict[str | None, list[int]] = defaultdict(list)
    for place, frame in enumerate(frames):
        if frame is not None:
            places[frame.device].append(place)
    found: list[_Stored | None] = [None] * len(texts)
    now = dt.datetime.now(dt.UTC)
    for name, mine in places.items():
        raws = [texts[place].encode() for place in mine]
        receipts = inbox.accept_all(
            raws, source="tablet", credential=_vouched(name, devices), now=now, flags=(IMPORTED,)
        )
        for place, receipt in zip(mine, receipts, strict=True):
            found[place] = _Stored(receipt, now) if isinstance(receipt, inbox.Receipt) else None
    return found


def _vouched(name: str | None, devices: Mapping[str, Device]) -> Credential:
    device = devices.get(name or "")
    if device is None:
        return Credential("tablet")
    return Credential("tablet", device.id, device.site, revoked=device.state == REVOKED)


def _fate(stored: _Stored | None, frame: Envelope | None, devices: Mapping[str, Device]) -> Fate:
    if stored is None or frame is None:
        return Fate(UNREADABLE)
    is_new = dt.datetime.fromisoformat(stored.receipt.stored_at) == stored.now
    fate = CONFLICT if stored.receipt.conflict else STORED if is_new else KNOWN
    device = devices.get(frame.device or "")
    return Fate(fate, frame.id, frame.seq, device.name if device else "")


def totals(fates: Sequence[Fate]) -> dict[str, Any]:
    """Fate in words → how many, without those that nothing met."""
    counted = Counter(one.fate for one in fates)
    return {words: counted[fate] for fate, words in FATES.items() if counted[fate]}
