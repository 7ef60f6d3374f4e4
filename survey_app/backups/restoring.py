"""The way back to a copy: checked before anything is touched, what was there is kept, a new epoch begins."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.engine import Engine

from survey_app import audit, migrations, server_facts
from survey_app.backups import manifest as manifests
from survey_app.backups import postgresql, sqlite
from survey_app.backups.carrying_over import CarriedOver, Decisions, carry_over, decisions_of
from survey_app.backups.manifest import BackupError, Contents, Manifest
from survey_app.database import make_engine, write_transaction


@dataclass(frozen=True)
class Restored:
    """A database put back."""

    contents: Contents
    manifest: Manifest | None
    """None: nothing said what the copy was to hold."""
    kept: Path | None
    """What was there before, whole; None where nothing was."""
    is_older: bool
    """Its schema is older than the program: to be upgraded before the server starts."""
    carried_over: CarriedOver
    """What had been taken away since the copy, and stays so."""


def restore(copy: Path, database_url: str, *, by: str, now: dt.datetime | None = None) -> Restored:
    """Put a copy in the place of the database, which nobody may be using.

    Raises
    ------
    BackupError
        The copy is damaged, of another kind, from a newer program, or the database in use: nothing changed.
    """
    moment = now or dt.datetime.now(dt.UTC)
    is_sqlite = database_url.startswith("sqlite")
    name, suffix, work = (
        ("SQLite", sqlite.SUFFIX, _restore_sqlite)
        if is_sqlite
        else ("PostgreSQL", postgresql.SUFFIX, _restore_postgresql)
    )
    if not copy.name.endswith(suffix):
        raise BackupError(f"{copy.name} n’est pas une sauvegarde {name} (…{suffix}), comme la base actuelle.")
    if not copy.is_file():
        raise BackupError(f"{copy} n’existe pas, ou n’est pas lisible.")
    manifest = manifests.read(copy)
    contents, kept, carried_over = work(copy, database_url, _Note(copy.name, manifest, by, moment))
    return Restored(contents, manifest, kept, contents.schema != migrations.head(), carried_over)


Work = tuple[Contents, Path | None, CarriedOver]


@dataclass(frozen=True)
class _Note:
    """What a restored database remembers of it."""

    copy: str
    manifest: Manifest | None
    by: str
    moment: dt.datetime

    def check(self, contents: Contents) -> None:
        """Whether this is what the manifest announced, and something this program can read."""
        if migrations.is_newer(contents.schema):
            raise BackupError(
                f"{self.copy} vient d’un programme plus récent (version {contents.schema}). "
                "Remettez ce programme."
            )
        if self.manifest is not None and self.manifest.contents != contents:
            raise BackupError(
                f"{self.copy} ne contient pas ce que son manifeste annonce. Prenez-en une autre."
            )

    def place_for_what_was_there(self, folder: Path, stem: str, suffix: str = "") -> Path:
        """A name that says since when it is no longer in use."""
        path = folder / f"{stem}avant-{self.moment:%Y-%m-%d-%H%M%S}{suffix}"
        if path.exists():
            raise BackupError(f"{path} existe déjà. Attendez une seconde et recommencez.")
        return path

    def write(self, engine: Engine, contents: Contents, decisions: Decisions) -> CarriedOver:
        """Begin a new epoch. Nothing that tablets delivered is known to be in a copy of this history yet."""
        with write_transaction(engine) as transaction:
            server_facts.write(transaction, server_facts.EPOCH, server_facts.new_epoch())
            server_facts.forget(transaction, server_facts.BACKUP_WATERMARK)
            carried_over = carry_over(transaction.connection(), decisions)
            detail = {"records": contents.records, "epoch": contents.epoch, "again": carried_over.changed}
            audit.record(transaction, "restored", actor=self.by, subject=self.copy, detail=detail)
        return carried_over


def _restore_sqlite(copy: Path, database_url: str, note: _Note) -> Work:
    database = sqlite.file_of(database_url)
    sqlite.check_nobody_uses(database)
    kept = note.place_for_what_was_there(database.parent, f"{database.name}.") if database.exists() else None
    with sqlite.unpacked(copy, database) as candidate:
        contents = sqlite.read_back(candidate)
        note.check(contents)
        decisions = _said_by(database_url) if kept else Decisions()
        engine = make_engine(f"sqlite:///{candidate}")
        carried_over = note.write(engine, contents, decisions)
        engine.dispose()
        sqlite.check_nobody_uses(candidate)  # folds its journal in: one file is all
        sqlite.put_in_place(candidate, database, kept)
    return contents, kept, carried_over


def _said_by(database_url: str) -> Decisions:
    engine = make_engine(database_url)
    try:
        return decisions_of(engine)
    finally:
        engine.dispose()


def _restore_postgresql(copy: Path, database_url: str, note: _Note) -> Work:
    if note.manifest is None:
        raise BackupError(f"Il manque {manifests.path_of(copy)}, qui dit ce que la sauvegarde contient.")
    note.check(note.manifest.contents)
    engine = make_engine(database_url)
    try:
        if postgresql.others_connected(engine):
            raise BackupError(
                "La base est en service. Arrêtez d’abord le serveur\u00a0: systemctl stop survey-app"
            )
        target = note.place_for_what_was_there(copy.parent, "survey-", postgresql.SUFFIX)
        kept = _copy_of_what_is_there(engine, target, note.moment)
        decisions = decisions_of(engine)
        postgresql.replace_contents(engine, copy)
        with engine.connect() as connection:
            contents = postgresql.contents_of(connection)
        note.check(replace(contents, epoch=note.manifest.epoch))
        carried_over = note.write(engine, note.manifest.contents, decisions)
    finally:
        engine.dispose()
    return note.manifest.contents, kept, carried_over


def _copy_of_what_is_there(engine: Engine, target: Path, moment: dt.datetime) -> Path | None:
    if migrations.current(engine) is None:
        return None
    contents = postgresql.copy(engine, target)
    manifests.describe(target, "postgresql", contents, moment)
    return target
