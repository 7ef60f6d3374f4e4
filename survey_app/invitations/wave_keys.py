"""One key pair per wave by personal link, and the secret of its drafts: files outside the database, until the
mixing.

HPKE as for the tablets (``responses/record_keys.py``). What is read here is kept in no cache: once the file
is destroyed, nothing of ours opens what was sealed.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from flask import current_app

from survey_app.responses import record_keys
from survey_app.responses.record_keys import KeyFileError, KeyMissing, PublicKey

SECRET_BYTES: Final = 32


@dataclass(frozen=True)
class WaveKeys:
    """The private halves and the draft secrets of one installation, in files named after their wave."""

    folder: Path

    def make(self, wave_id: str) -> PublicKey:
        """A new pair and a new secret for drafts, on disk before anybody can seal with them."""
        _path, public = record_keys.write_new_pair(self.folder, wave_id)
        secret = secrets.token_bytes(SECRET_BYTES)
        record_keys.write_durably(self.draft_path(wave_id, public.key_id), secret)
        return public

    def path(self, wave_id: str, key_id: str) -> Path:
        """Where the private half is, or was."""
        return self.folder / f"{wave_id}-{key_id}.pem"

    def draft_path(self, wave_id: str, key_id: str) -> Path:
        """Where the secret of the drafts is, or was."""
        return self.path(wave_id, key_id).with_suffix(".drafts")

    def are_here(self, wave_id: str, key_id: str) -> bool:
        """Whether nothing of this wave is missing."""
        return self.path(wave_id, key_id).exists() and self.draft_path(wave_id, key_id).exists()

    def private(self, wave_id: str, key_id: str) -> ec.EllipticCurvePrivateKey:
        """The private half.

        Raises
        ------
        KeyMissing
            Its file is not here: it waits for its copy, nothing is mixed.
        KeyFileError
            The file cannot be used, or holds another key: with that one nothing would open.
        """
        path = self.path(wave_id, key_id)
        if not path.exists():
            raise KeyMissing(key_id, self.folder)
        private = record_keys.read_private(path)
        if record_keys.key_id_of_private(private) != key_id:
            raise KeyFileError(f"Le fichier {path} contient une autre clé que son nom ne le dit.")
        return private

    def draft_secret(self, wave_id: str, key_id: str) -> bytes:
        """What drafts are encrypted under, together with their link.

        Raises
        ------
        KeyMissing
            Its file is not here (any more).
        """
        path = self.draft_path(wave_id, key_id)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise KeyMissing(path.name, self.folder) from None

    def destroy(self, wave_id: str, key_id: str) -> None:
        """Overwrite the files and take them away; done already, this does nothing."""
        for path in (self.draft_path(wave_id, key_id), self.path(wave_id, key_id)):
            _overwrite_and_unlink(path)
        if self.folder.is_dir():
            record_keys.flush_folder(self.folder)


def _overwrite_and_unlink(path: Path) -> None:
    with suppress(FileNotFoundError), path.open("r+b") as file:  # another process may be quicker
        file.write(os.urandom(os.fstat(file.fileno()).st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink(missing_ok=True)


def held() -> WaveKeys:
    """The keys of the application at hand."""
    return WaveKeys(current_app.extensions["survey_settings"].wave_keys_folder)
