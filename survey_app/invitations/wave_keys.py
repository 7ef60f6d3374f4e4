"""One key pair per wave by personal link. The private half is a file outside the database, until the mixing.

HPKE as for the tablets (``responses/record_keys.py``). What is read here is kept in no cache: once the file
is destroyed, nothing of ours opens what was sealed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from flask import current_app

from survey_app.responses import record_keys
from survey_app.responses.record_keys import KeyMissing, PublicKey


@dataclass(frozen=True)
class WaveKeys:
    """The private halves of one installation, each in a file named after its wave."""

    folder: Path

    def make(self, wave_id: str) -> PublicKey:
        """A new pair; its private half is on disk before anybody can seal with it."""
        _path, public = record_keys.write_new_pair(self.folder, wave_id)
        return public

    def path(self, wave_id: str, key_id: str) -> Path:
        """Where the private half is, or was."""
        return self.folder / f"{wave_id}-{key_id}.pem"

    def private(self, wave_id: str, key_id: str) -> ec.EllipticCurvePrivateKey:
        """The private half.

        Raises
        ------
        KeyMissing
            Its file is not here: it waits for its copy, nothing is mixed.
        KeyFileError
            The file cannot be used.
        """
        path = self.path(wave_id, key_id)
        if not path.exists():
            raise KeyMissing(key_id, self.folder)
        return record_keys.read_private(path)

    def destroy(self, wave_id: str, key_id: str) -> None:
        """Overwrite the file and take it away; done already, this does nothing."""
        path = self.path(wave_id, key_id)
        try:
            with path.open("r+b") as file:
                file.write(os.urandom(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
        except FileNotFoundError:
            return
        path.unlink(missing_ok=True)
        record_keys.flush_folder(self.folder)


def held() -> WaveKeys:
    """The keys of the application at hand."""
    return WaveKeys(current_app.extensions["survey_settings"].wave_keys_folder)
