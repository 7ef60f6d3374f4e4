"""Making a copy: written, read back, described, and only then trusted."""

from __future__ import annotations

import datetime as dt
import os
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analysis.display import counted
from survey_app import audit, server_facts
from survey_app.backups import manifest as manifests
from survey_app.backups import postgresql, sqlite
from survey_app.backups.manifest import BackupError, Contents, Manifest
from survey_app.database import db, write_transaction
from survey_app.responses.changed_bytes import changed_records

__all__ = ["Backup", "BackupError", "Manifest", "backup", "remove_older"]

MARGIN: Final = dt.timedelta(minutes=5)
"""A record has its moment of receipt before it is committed: one on its way may be older than the copy and
not in it. Neither database lets a transaction that writes stand still for so long, and one that begins after
the watermark has moved is stamped after it (``responses/inbox.py``)."""
PREFIX: Final = "survey-"


@dataclass(frozen=True)
class Backup:
    """A copy on disk. ``watermark``: what was received up to then is in it."""

    path: Path
    manifest: Manifest
    watermark: dt.datetime


Copier = Callable[[Path, Callable[[Path], None]], Contents]


def backup(folder: Path, *, by: str, then: str = "", now: dt.datetime | None = None) -> Backup:
    """Copy the running database into ``folder``, read the copy back, and move the watermark.

    ``then`` is a command that takes the copy and its manifest elsewhere: it gets both names as its last
    arguments, and unless it succeeds the watermark stays where it was.

    Raises
    ------
    BackupError
        The copy could not be made, read back or taken elsewhere; no unfinished file stays.
    """
    started_at = now or dt.datetime.now(dt.UTC)
    _make_folder(folder)
    kind = db.engine.dialect.name
    copier = {"sqlite": sqlite, "postgresql": postgresql}[kind]
    path = _free_name(folder, started_at, copier.SUFFIX)
    unfinished = path.with_name(f"{path.name}.incomplet")
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        contents = copier.copy(db.engine, unfinished)
        manifests.rename_durably(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    manifest = manifests.describe(path, kind, contents, started_at)
    _take_elsewhere(then, path)
    _refuse_changed_records(path)
    watermark = started_at - MARGIN
    with write_transaction() as transaction:
        server_facts.write(transaction, server_facts.BACKUP_WATERMARK, watermark.isoformat())
        detail = {"records": contents.records, "sha256": manifest.sha256, "elsewhere": bool(then)}
        audit.record(transaction, "backup", actor=by, subject=path.name, detail=detail)
    return Backup(path, manifest, watermark)


def _refuse_changed_records(copy: Path) -> None:
    """What changed on the disk is so in the copy too: a tablet must not let go of its own."""
    with db.engine.connect() as connection:
        changed = changed_records(connection)
    if changed:
        differ = counted(len(changed), "envoi diffère de son reçu", "envois diffèrent de leur reçu")
        raise BackupError(
            f"La sauvegarde {copy} est faite et relue, mais {differ} (voir survey-app doctor). "
            "Elle ne compte pas\u00a0: les tablettes gardent leurs copies. Restaurez une sauvegarde d’avant."
        )


def remove_older(folder: Path, days: int, now: dt.datetime | None = None) -> list[Path]:
    """Remove the copies made more than so many days ago, with their manifests; never the newest one."""
    limit = (now or dt.datetime.now(dt.UTC)) - dt.timedelta(days=days)
    copies = sorted(
        path for suffix in (sqlite.SUFFIX, postgresql.SUFFIX) for path in folder.glob(f"{PREFIX}*{suffix}")
    )
    old = [path for path in copies[:-1] if dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC) < limit]
    for path in old:
        path.unlink()
        manifests.path_of(path).unlink(missing_ok=True)
    return old


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise BackupError(f"Le dossier {folder} n’est pas accessible en écriture.")


def _free_name(folder: Path, moment: dt.datetime, suffix: str) -> Path:
    """The time in the name is UTC: it stays in order when the clocks change."""
    path = folder / f"{PREFIX}{moment.astimezone(dt.UTC):%Y-%m-%d-%H%M%S}{suffix}"
    if path.exists():
        raise BackupError(f"{path} existe déjà. Attendez une seconde et recommencez.")
    return path


def _take_elsewhere(command: str, copy: Path) -> None:
    if not command:
        return
    try:
        subprocess.run([*shlex.split(command), copy, manifests.path_of(copy)], check=True)
    except (OSError, ValueError, subprocess.CalledProcessError) as fault:
        raise BackupError(
            f"La sauvegarde {copy} est faite et relue, mais «\u202f{command}\u202f» a échoué ({fault}). "
            "Elle ne compte pas encore\u00a0: les tablettes gardent leurs copies."
        ) from None
