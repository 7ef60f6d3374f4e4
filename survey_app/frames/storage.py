"""A checked list on its way: sealed in the page until somebody confirms, then written as a whole. Floor 4."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.orm import Session

from survey_app.audit import act, record
from survey_app.database import db
from survey_app.frames.check import FrameCheck
from survey_app.frames.files import FrameError
from survey_app.invitation_models import SampledUnit, SamplingFrame, WaveFrame, random_number

PURPOSE: Final = b"sampling frame 1"
NONCE_LENGTH: Final = 12
MAXIMUM_AGE: Final = dt.timedelta(hours=12)
LONGEST_SEALED: Final = 2 * 2**20 - 2**16
"""Characters: what a form may carry beside its files, less its other fields."""
MOST_UNPACKED: Final = 32 * 2**20
LONGEST_TITLE: Final = 200
_COLUMNS: Final = (
    *("line", "kind", "code", "name", "arrondissement", "inhabitants"),
    *("office", "civility", "first_name", "last_name", "email", "postal_address"),
)
_STORED_AS: Final = {"kind": "authority_kind", "code": "authority_code", "name": "authority_name"}


@dataclass(frozen=True)
class PendingFrame:
    """A checked list that nobody has confirmed yet."""

    title: str
    source: str
    source_date: str
    """ISO date."""
    files: tuple[tuple[str, str], ...]
    """(name, SHA-256) of each."""
    left_out: int
    units: tuple[tuple[Any, ...], ...]
    """The stored columns, and the number of the person last."""

    @property
    def file_name(self) -> str:
        """The names of the files."""
        return ", ".join(name for name, _ in self.files)

    @property
    def file_hash(self) -> str:
        """That of the file; of several, the hash over the sorted lines of ``sha256sum``."""
        if len(self.files) == 1:
            return self.files[0][1]
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.files))
        return hashlib.sha256(lines.encode()).hexdigest()


@dataclass(frozen=True)
class ImportedFrame:
    """Where a list went; it is not new where the same files had been imported under the same title."""

    id: int
    new: bool


def pending(
    check: FrameCheck, *, title: str, source: str, source_date: dt.date, today: dt.date
) -> PendingFrame:
    """The list as it will be written. Raises `FrameError` for what was typed beside the files."""
    faults = []
    if not 0 < len(title.strip()) <= LONGEST_TITLE:
        faults.append(f"Donnez un titre, de {LONGEST_TITLE} caractères au plus.")
    if not 0 < len(source.strip()) <= LONGEST_TITLE:
        faults.append("Dites d’où vient la liste\u00a0: chaque message le rappelle aux élus.")
    if source_date > today:
        faults.append("La date des fichiers est dans l’avenir.")
    if faults:
        raise FrameError(*faults)
    units = tuple(
        (*(getattr(entry, column) for column in _COLUMNS), person)
        for entry, person in zip(check.entries, check.persons, strict=True)
    )
    files = tuple((reading.sheet.name, reading.sheet.digest) for reading in check.readings)
    return PendingFrame(
        title.strip(), source.strip(), source_date.isoformat(), files, len(check.left_out), units
    )


def seal(frame: PendingFrame, *, actor: str, secret_key: str, now: dt.datetime) -> str:
    """The hidden field of the check page: only this server reads it, and only for this person."""
    plain = json.dumps([asdict(frame), now.timestamp()], ensure_ascii=False, separators=(",", ":")).encode()
    nonce = secrets.token_bytes(NONCE_LENGTH)
    sealed = nonce + _cipher(secret_key).encrypt(nonce, zlib.compress(plain), PURPOSE + actor.encode())
    text = base64.urlsafe_b64encode(sealed).decode()
    if len(text) > LONGEST_SEALED:
        raise FrameError(f"{len(frame.units)} destinataires\u00a0: c’est trop pour une liste. Partagez-la.")
    return text


def unseal(text: str, *, actor: str, secret_key: str, now: dt.datetime) -> PendingFrame:
    """The list in the hidden field. Raises `FrameError` where it cannot be read, or is old."""
    try:
        sealed = base64.urlsafe_b64decode(text.encode("ascii"))
        packed = _cipher(secret_key).decrypt(
            sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], PURPOSE + actor.encode()
        )
        values, made_at = json.loads(zlib.decompressobj().decompress(packed, MOST_UNPACKED))
    except (InvalidTag, binascii.Error, zlib.error, ValueError) as fault:
        raise FrameError("La vérification n’a pas pu être relue. Déposez à nouveau les fichiers.") from fault
    if now.timestamp() - made_at > MAXIMUM_AGE.total_seconds():
        raise FrameError("La vérification date de plus de douze heures. Déposez à nouveau les fichiers.")
    files, units = (tuple(map(tuple, values.pop(name))) for name in ("files", "units"))
    return PendingFrame(**values, files=files, units=units)


@lru_cache(maxsize=4)
def _cipher(secret_key: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(secret_key.encode()))


def import_frame(frame: PendingFrame, *, actor: str) -> ImportedFrame:
    """Write a list as a whole, or nothing of it; confirmed twice, it is written once."""
    with act() as transaction:
        known = _already_there(transaction, frame)
        if known is not None:
            return ImportedFrame(known, new=False)
        kept = SamplingFrame(
            title=frame.title,
            source=frame.source,
            source_date=dt.date.fromisoformat(frame.source_date),
            file_name=frame.file_name,
            file_hash=frame.file_hash,
            imported_at=dt.datetime.now(dt.UTC),
            imported_by=actor,
        )
        transaction.add(kept)
        transaction.flush()
        transaction.execute(sa.insert(SampledUnit), _rows(frame, kept.id))
        detail = {"files": dict(frame.files), "units": len(frame.units), "left_out": frame.left_out}
        record(transaction, "frame-imported", actor=actor, subject=frame.title, detail=detail)
        return ImportedFrame(kept.id, new=True)


def _already_there(transaction: Session, frame: PendingFrame) -> int | None:
    """With its people: of a list past its term, only its source is left."""
    query = sa.select(SamplingFrame.id).where(
        sa.exists().where(SampledUnit.frame_id == SamplingFrame.id),
        SamplingFrame.file_hash == frame.file_hash,
        SamplingFrame.title == frame.title,
        SamplingFrame.source_date == dt.date.fromisoformat(frame.source_date),
    )
    return transaction.scalars(query).first()


def _rows(frame: PendingFrame, frame_id: int) -> list[dict[str, Any]]:
    persons = {unit[-1]: random_number() for unit in frame.units}
    return [
        {
            "id": random_number(),
            "frame_id": frame_id,
            "person": persons[unit[-1]],
            **{_STORED_AS.get(name, name): value for name, value in zip(_COLUMNS, unit, strict=False)},
        }
        for unit in frame.units
    ]


def frames() -> Sequence[tuple[SamplingFrame, int]]:
    """The lists with the number of their lines, the newest first."""
    number = sa.func.count(SampledUnit.id)
    query = sa.select(SamplingFrame, number).outerjoin(SampledUnit).group_by(SamplingFrame.id)
    found = db.session.execute(query.order_by(SamplingFrame.id.desc()))
    return [(frame, count) for frame, count in found]


def find_frame(frame_id: int) -> SamplingFrame | None:
    """The list under this number."""
    return db.session.get(SamplingFrame, frame_id)


def units_of(frame_id: int) -> Sequence[SampledUnit]:
    """The lines of a list, in the order of their places."""
    query = sa.select(SampledUnit).where(SampledUnit.frame_id == frame_id)
    return db.session.scalars(
        query.order_by(
            SampledUnit.authority_kind, SampledUnit.authority_code, SampledUnit.line, SampledUnit.id
        )
    ).all()


def waves_of(frame_id: int) -> Sequence[str]:
    """The waves that work on this list."""
    return db.session.scalars(sa.select(WaveFrame.wave_id).where(WaveFrame.frame_id == frame_id)).all()


def delete_frame(frame_id: int, *, actor: str) -> None:
    """Delete a list with its people. Raises `FrameError` while a wave works on it."""
    with act() as transaction:
        frame = transaction.get(SamplingFrame, frame_id)
        if frame is None:
            return
        if transaction.scalar(sa.select(WaveFrame.wave_id).where(WaveFrame.frame_id == frame_id).limit(1)):
            raise FrameError(
                "Une édition travaille sur cette liste\u00a0: la purge l’effacera au terme prévu."
            )
        transaction.execute(sa.delete(SampledUnit).where(SampledUnit.frame_id == frame_id))
        transaction.delete(frame)
        record(transaction, "frame-deleted", actor=actor, subject=frame.title)
