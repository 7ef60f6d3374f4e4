"""The file that a tablet writes when it cannot reach the server: the same door as for any record. Floor 4.

`{"records": [envelope, …], "signatures": [X-Signature, …]}`: each envelope as the tablet would have sent it,
byte for byte, with the signature of that call; other keys are left unread. Every record is flagged and the
log names who brought it; one without its tablet's signature is kept and not counted until the referent
decides.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from flask import current_app
from sqlalchemy import select

from survey_app.access import REVOKED
from survey_app.audit import act, record
from survey_app.database import db
from survey_app.device_models import Device
from survey_app.responses import inbox, strict_json
from survey_app.responses.credentials import Credential, device_secret, verify_request
from survey_app.responses.envelope import Envelope, UnreadableEnvelope, content_hash, read_envelope
from survey_app.responses.flags import IMPORTED, UNPROVED
from survey_app.responses.unidentified import UNIDENTIFIED
from survey_app.unknown_tablets import meet

MOST_RECORDS: Final = 20_000
MOST_UNKNOWN: Final = 20
"""Tablets of one file that this server does not know; a file is made by one tablet, and names few."""
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
    """The tablet's name; empty where the record names none."""
    unidentified: bool = False
    """Nobody has said yet which tablet that is."""


def import_file(raw: bytes, *, by: str) -> list[Fate]:
    """Take every record of the file, in its order; the same file again changes nothing.

    Raises `RescueFileError` where nothing can be read; a single bad record never stops the others.
    """
    records = _records(raw)
    frames = [_frame(one.text) for one in records]
    devices = _devices_of(frames, by)
    fates = _accepted(records, frames, devices)
    found = [_fate(fate, frame, devices) for fate, frame in zip(fates, frames, strict=True)]
    with act() as transaction:
        detail = {"file": content_hash(raw), **Counter(one.fate for one in found)}
        detail["records"] = [one.record_id for one in found if one.fate in (STORED, CONFLICT)]
        names = sorted({one.device for one in found if one.device})
        record(transaction, "records-imported", actor=by, subject=", ".join(names) or "–", detail=detail)
    return found


@dataclass(frozen=True)
class _Record:
    text: str
    signature: str = ""


def _records(raw: bytes) -> list[_Record]:
    """Each record of the file once, with its signature where it has one."""
    try:
        content = strict_json.loads(raw)
    except strict_json.StrictJSONError:
        raise RescueFileError("Ce fichier n’est pas celui d’une tablette, ou il est abîmé.") from None
    records = content.get("records") if isinstance(content, dict) else None
    if not isinstance(records, list) or not all(isinstance(one, str) for one in records):
        raise RescueFileError("Ce fichier ne contient pas les envois d’une tablette.")
    if len(records) > MOST_RECORDS:
        raise RescueFileError(f"Ce fichier contient plus de {MOST_RECORDS} envois.")
    told = content.get("signatures")
    signatures = [one if isinstance(one, str) else "" for one in told] if isinstance(told, list) else []
    pairs = dict(reversed([*zip_longest(records, signatures[: len(records)], fillvalue="")]))
    return [_Record(text, pairs[text]) for text in dict.fromkeys(records)]


def _devices_of(frames: Sequence[Envelope | None], by: str) -> Mapping[str, Device]:
    """The tablets that the file names; those that this server has lost are met."""
    named = {frame.device for frame in frames if frame is not None and frame.device is not None}
    query = select(Device).where(Device.id.in_(named))
    unknown = named - {device.id for device in db.session.scalars(query)}
    if len(unknown) > MOST_UNKNOWN:
        raise RescueFileError(f"Ce fichier nomme plus de {MOST_UNKNOWN} tablettes inconnues ici.")
    for device_id in sorted(unknown):
        meet(device_id, by=by)
    db.session.rollback()
    return {device.id: device for device in db.session.scalars(query)}


def _is_proved(record: _Record, frame: Envelope) -> bool:
    """Whether the tablet that the record names signed it, as for sending it."""
    if frame.device is None:
        return False
    secret = device_secret(current_app.extensions["survey_settings"].device_master_key, frame.device)
    path = f"/api/v1/records/{frame.id}"
    return verify_request(secret, "PUT", path, record.text.encode(), record.signature)


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
    records: Sequence[_Record], frames: Sequence[Envelope | None], devices: Mapping[str, Device]
) -> list[_Stored | None]:
    """One commit for each tablet in the file and what its signatures prove; usually that is one."""
    places: dict[tuple[str | None, bool], list[int]] = defaultdict(list)
    for place, (one, frame) in enumerate(zip(records, frames, strict=True)):
        if frame is not None:
            places[frame.device, _is_proved(one, frame)].append(place)
    found: list[_Stored | None] = [None] * len(records)
    now = dt.datetime.now(dt.UTC)
    for (name, is_proved), mine in places.items():
        raws = [records[place].text.encode() for place in mine]
        flags = (IMPORTED,) if is_proved else (IMPORTED, UNPROVED)
        credential = _vouched(devices.get(name or ""))
        receipts = inbox.accept_all(raws, source="tablet", credential=credential, now=now, flags=flags)
        for place, receipt in zip(mine, receipts, strict=True):
            found[place] = _Stored(receipt, now) if isinstance(receipt, inbox.Receipt) else None
    return found


def _vouched(device: Device | None) -> Credential:
    if device is None:
        return Credential("tablet")
    return Credential("tablet", device.id, device.site or None, revoked=device.state == REVOKED)


def _fate(stored: _Stored | None, frame: Envelope | None, devices: Mapping[str, Device]) -> Fate:
    if stored is None or frame is None:
        return Fate(UNREADABLE)
    is_new = dt.datetime.fromisoformat(stored.receipt.stored_at) == stored.now
    fate = CONFLICT if stored.receipt.conflict else STORED if is_new else KNOWN
    device = devices.get(frame.device or "")
    if device is None:
        return Fate(fate, frame.id, frame.seq)
    return Fate(fate, frame.id, frame.seq, device.name, device.state == UNIDENTIFIED)


def totals(fates: Sequence[Fate]) -> dict[str, Any]:
    """Fate in words → how many, without those that nothing met."""
    counted = Counter(one.fate for one in fates)
    return {words: counted[fate] for fate, words in FATES.items() if counted[fate]}
