"""The keys that records are sealed with: one file per pair, in a folder outside the database.

A tablet gets the public half of the newest pair and cannot open what it sealed. HPKE (RFC 9180) in base mode:
DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Whoever has the database without this folder reads no
record of a tablet; whoever loses this folder does not read them either.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from flask import current_app

SUITE: Final = "hpke-p256-sha256-aes256gcm"
KEY_ID: Final = re.compile(r"[0-9a-f]{16}")
_HPKE: Final = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_FILE_NAME: Final = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f]{16})\.pem")
_CREATED: Final = "%Y%m%dT%H%M%SZ"
_FILE_MODE, _FOLDER_MODE = 0o600, 0o700


class KeyFileError(ValueError):
    """A key cannot be used. The message is in French: which, why, what to do."""


class KeyMissing(KeyFileError):  # noqa: N818 (what happened)
    """A record was sealed with a key whose file is not here: it waits."""

    def __init__(self, key_id: str, folder: Path) -> None:
        super().__init__(f"La clé {key_id} manque dans {folder}. Remettez son fichier depuis sa copie.")
        self.key_id = key_id


class DoesNotOpen(ValueError):  # noqa: N818 (what happened)
    """Sealed with another key, for another frame, or changed since."""


@dataclass(frozen=True)
class PublicKey:
    """What a tablet needs: it seals, it opens nothing."""

    key_id: str
    point: bytes

    def seal(self, body: bytes, info: bytes) -> str:
        """A body for the holder of the private half, as it stands in an envelope."""
        return _base64url(self.seal_bytes(body, info))

    def seal_bytes(self, body: bytes, info: bytes) -> bytes:
        """The same, as it stands in a column."""
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.point)
        return _HPKE.encrypt(body, public, info=info)

    def as_json(self) -> dict[str, str]:
        """As the tablet's bundle names it."""
        return {"key_id": self.key_id, "public_key": _base64url(self.point)}


@dataclass(frozen=True)
class KeyFile:
    """One pair in its file; the name says when it was made and which it is."""

    path: Path
    created_at: dt.datetime
    key_id: str

    @property
    def is_private(self) -> bool:
        """Whether only the account of the server may read it."""
        return not self.path.stat().st_mode & 0o077

    def public(self) -> PublicKey:
        """The half that tablets get."""
        return PublicKey(self.key_id, _point(self._private()))

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """What was sealed for this key under this frame.

        Raises
        ------
        DoesNotOpen
            It was not, or it was changed since.
        """
        return open_with(self._private(), sealed, info)

    def _private(self) -> ec.EllipticCurvePrivateKey:
        key = _read(self.path, self.path.stat().st_mtime_ns)
        if key_id_of_private(key) != self.key_id:
            raise KeyFileError(f"Le fichier {self.path} contient une autre clé que son nom ne le dit.")
        return key


@dataclass(frozen=True)
class RecordKeys:
    """All pairs of one installation. The newest seals, every one opens."""

    folder: Path

    def all(self) -> list[KeyFile]:
        """The pairs, the oldest first."""
        return sorted(self._files(), key=lambda one: (one.created_at, one.key_id))

    def current(self) -> PublicKey:
        """The public half that tablets seal with from now on.

        Raises
        ------
        KeyFileError
            There is none, or its file cannot be used.
        """
        if not (files := self.all()):
            raise KeyFileError(
                f"Aucune clé de scellement dans {self.folder}. Créez-en une\u00a0: survey-app keys new"
            )
        return files[-1].public()

    def of(self, key_id: str) -> KeyFile:
        """The pair with this name.

        Raises
        ------
        KeyMissing
            Its file is not here (any more, or not yet).
        """
        found = next((one for one in self._files() if one.key_id == key_id), None)
        if found is None:
            raise KeyMissing(key_id, self.folder)
        return found

    def make(self, now: dt.datetime) -> KeyFile:
        """A new pair: from now on tablets seal with it, as soon as each has fetched it. Earlier ones stay."""
        # The name has whole seconds: of two made in one second, the later must be the newest too.
        latest = max((one.created_at + dt.timedelta(seconds=1) for one in self._files()), default=now)
        created_at = max(now.astimezone(dt.UTC), latest).replace(microsecond=0)
        path, public = write_new_pair(self.folder, f"{created_at:{_CREATED}}")
        return KeyFile(path, created_at, public.key_id)

    def _files(self) -> Iterator[KeyFile]:
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if named := _FILE_NAME.fullmatch(path.name):
                created_at = dt.datetime.strptime(named[1], _CREATED).replace(tzinfo=dt.UTC)
                yield KeyFile(path, created_at, named[2])


def held() -> RecordKeys:
    """The keys of the application at hand."""
    return RecordKeys(current_app.extensions["survey_settings"].record_keys_folder)


def key_id_of(point: bytes) -> str:
    """The name of a key: the start of the SHA-256 of its public point."""
    return hashlib.sha256(point).hexdigest()[:16]


def key_id_of_private(private: ec.EllipticCurvePrivateKey) -> str:
    """The name of the pair that this half belongs to."""
    return key_id_of(_point(private))


def write_new_pair(folder: Path, name: str) -> tuple[Path, PublicKey]:
    """Make a pair; its private half is on disk, in ``<name>-<key id>.pem``, before anybody seals with it."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = PublicKey(key_id_of(_point(private)), _point(private))
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    path = folder / f"{name}-{public.key_id}.pem"
    write_durably(path, _pem(private))
    return path, public


def open_with(private: ec.EllipticCurvePrivateKey, sealed: bytes, info: bytes) -> bytes:
    """What was sealed for this key under this frame.

    Raises
    ------
    DoesNotOpen
        It was not, or it was changed since.
    """
    try:
        return _HPKE.decrypt(sealed, private, info=info)
    except InvalidTag:
        raise DoesNotOpen from None


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@lru_cache(maxsize=64)
def _read(path: Path, _changed_at: int) -> ec.EllipticCurvePrivateKey:
    return read_private(path)


def read_private(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private half in a file, read afresh.

    Raises
    ------
    KeyFileError
        It cannot be used.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyFileError(f"Le fichier {path} n’est pas une clé lisible. Remettez-le depuis sa copie.")
    return key


def write_durably(path: Path, content: bytes) -> None:
    """Never readable by others, and on disk before anybody can seal with it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """What was added to it or taken from it is so on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
