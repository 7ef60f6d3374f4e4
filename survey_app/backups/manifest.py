"""What is known of a copy, in a small file beside it: what it must contain when it is read again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


class BackupError(Exception):
    """A copy cannot be made or used. The message is one French sentence: what, why, what to do."""


@dataclass(frozen=True)
class Contents:
    """What the database held at the moment of the copy."""

    epoch: str
    schema: str
    records: int


@dataclass(frozen=True)
class Manifest:
    """A copy and what it holds; ``sha256`` is that of the file."""

    file: str
    kind: str
    """``sqlite`` or ``postgresql``."""
    created_at: str
    sha256: str
    epoch: str
    schema: str
    records: int

    @property
    def contents(self) -> Contents:
        """What a restored copy must hold."""
        return Contents(self.epoch, self.schema, self.records)


def path_of(copy: Path) -> Path:
    """Where the manifest of a copy lies."""
    return copy.with_name(f"{copy.name}.json")


def describe(copy: Path, kind: str, contents: Contents, started_at: dt.datetime) -> Manifest:
    """Write the manifest of a copy beside it, durably."""
    manifest = Manifest(
        copy.name, kind, started_at.isoformat(timespec="seconds"), sha256_of(copy), **asdict(contents)
    )
    write_durably(path_of(copy), (json.dumps(asdict(manifest), indent=2) + "\n").encode())
    return manifest


def read(copy: Path) -> Manifest | None:
    """The manifest of a copy; None where there is none.

    Raises
    ------
    BackupError
        The manifest cannot be read, or the copy is not the file that it describes.
    """
    try:
        text = path_of(copy).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        manifest = Manifest(**json.loads(text))
    except (TypeError, ValueError):
        raise BackupError(f"{path_of(copy)} n’est pas le manifeste d’une sauvegarde.") from None
    if sha256_of(copy) != manifest.sha256:
        raise BackupError(
            f"{copy} n’a plus le contenu du jour où elle a été faite (empreinte différente). "
            "Prenez une autre sauvegarde."
        )
    return manifest


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_durably(path: Path, content: bytes) -> None:
    """The file, whole or not at all, on disk, readable by its owner alone."""
    unfinished = path.with_name(f"{path.name}.incomplet")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    rename_durably(unfinished, path)


def rename_durably(unfinished: Path, path: Path) -> None:
    """Give a finished file its name: its bytes first, then the name, then the folder."""
    flush(unfinished)
    unfinished.replace(path)
    flush(path.parent)


def flush(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
