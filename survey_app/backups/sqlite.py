"""Copies of a SQLite file: consistent while others write, read back page by page, put in place whole."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pysqlite3 import dbapi2 as driver
from sqlalchemy.engine import Engine

from analysis.display import counted
from survey_app.backups.manifest import BackupError, Contents, flush
from survey_app.database import is_damage

SUFFIX: Final = ".db.gz"
_COMPANIONS: Final = ("-wal", "-shm")


def copy(engine: Engine, target: Path) -> Contents:
    """Write a compressed copy of the running database into ``target``; what it holds, read from the copy."""
    plain = target.with_name(f"{target.name}.db")
    try:
        _vacuum_into(_file_of(engine), plain)
        contents = read_back(plain)
        with plain.open("rb") as source, gzip.open(target, "wb") as packed:
            shutil.copyfileobj(source, packed)
        _compare(plain, target)
        return contents
    finally:
        plain.unlink(missing_ok=True)


def read_back(path: Path) -> Contents:
    """Read every page of a copy and say what it holds; nothing is written beside it."""
    try:
        with _opened(path, "mode=ro&immutable=1") as connection:
            faults = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
            if faults != ["ok"] or broken:
                links = counted(len(broken), "renvoi rompu", "renvois rompus")
                seen = " ".join(", ".join(faults).split())
                raise BackupError(f"Copie illisible ({seen}, {links}).")
            schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            records = connection.execute("SELECT count(*) FROM inbox_record").fetchone()[0]
            epoch = connection.execute("SELECT value FROM server_fact WHERE key = 'epoch'").fetchone()
    except driver.Error as fault:
        raise BackupError(f"Ce n’est pas une base de ce programme, ou elle est abîmée ({fault}).") from None
    return Contents(epoch[0] if epoch else "", schema[0] if schema else "", records)


def unpack(copy: Path, target: Path) -> None:
    """The database out of a compressed copy, readable by its owner alone."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as plain, gzip.open(copy, "rb") as packed:
            shutil.copyfileobj(packed, plain)
    except (OSError, EOFError) as fault:
        raise BackupError(f"{copy} ne se décompresse pas ({fault}). Prenez une autre sauvegarde.") from None
    flush(target)


@contextmanager
def unpacked(copy: Path, database: Path) -> Iterator[Path]:
    """The database out of a copy, beside the one in use; gone at the end unless it took its place."""
    candidate = database.with_name(f"{database.name}.retour")
    try:
        unpack(copy, candidate)
        yield candidate
    finally:
        for name in ("", *_COMPANIONS):
            candidate.with_name(candidate.name + name).unlink(missing_ok=True)


def put_in_place(candidate: Path, database: Path, kept: Path | None) -> None:
    """Make ``candidate`` the database. What was there stays whole under the name ``kept``.

    The name of the database points at the old or at the new one at every moment, whatever is killed when.
    """
    if kept is not None:
        os.link(database, kept)
        for name in _COMPANIONS:
            companion = database.with_name(database.name + name)
            if companion.exists():
                companion.replace(kept.with_name(kept.name + name))
    candidate.replace(database)
    flush(database.parent)


def check_nobody_uses(database: Path) -> None:
    """Refuse while a server holds the file open. Its journal is folded in, so that one file is all there is.

    Raises
    ------
    BackupError
        Somebody has the database open.
    """
    if not database.exists():
        return
    try:
        with _opened(database, "mode=rw") as connection:
            # Held by every connection to a WAL database for as long as it is open, not only while it writes.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except driver.OperationalError as fault:
        if "locked" in str(fault):
            raise BackupError(
                f"{database} est en service. Arrêtez d’abord le serveur\u00a0: systemctl stop survey-app"
            ) from None
    except driver.DatabaseError:
        pass  # damaged: that may be why it is being replaced; it is kept as it is


def file_of(url: str) -> Path:
    """The file of a SQLite address."""
    return Path(url.removeprefix("sqlite:///"))


def _file_of(engine: Engine) -> Path:
    return Path(str(engine.url.database))


def _vacuum_into(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        with _opened(source, "mode=ro") as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except driver.Error as fault:
        remedy = "Vérifiez la place libre."
        if is_damage(fault):
            remedy = "La base est abîmée\u00a0: arrêtez le serveur et restaurez la dernière sauvegarde."
        raise BackupError(f"La copie a échoué ({fault}). {remedy}") from None


def _compare(plain: Path, packed: Path) -> None:
    """What was packed must come out again, byte for byte."""
    size = 2**20
    with plain.open("rb") as wanted, gzip.open(packed, "rb") as found:
        while piece := wanted.read(size):
            if found.read(len(piece)) != piece:
                raise BackupError("La copie compressée ne rend pas ce qui y a été mis. Vérifiez le disque.")


@contextmanager
def _opened(path: Path, parameters: str) -> Iterator[Any]:
    connection = driver.connect(f"{path.absolute().as_uri()}?{parameters}", uri=True, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
