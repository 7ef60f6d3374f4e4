"""What `doctor` says of the machine: room, keys, schema, and a database that keeps its promises."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

from analysis.display import counted
from survey_app import migrations, server_facts
from survey_app.database import SQLITE_PROMISES, DatabaseUnavailable, db, write_connection
from survey_app.responses.changed_bytes import changed_records
from survey_app.responses.finding import Finding
from survey_app.responses.record_keys import KeyFileError, RecordKeys
from survey_app.settings import Settings

NAMED_AT_MOST = 3
RESTORE = "Arrêtez le serveur et restaurez la dernière sauvegarde."


def disk(settings: Settings) -> Iterator[Finding]:
    """Whether there is room for what comes."""
    folder = settings.data_folder
    if settings.database_url.startswith("sqlite:///"):
        folder = Path(settings.database_url.removeprefix("sqlite:///")).parent
    if not folder.exists():
        yield Finding(
            "disk", "error", f"Le dossier {folder} n’existe pas.", "Créez-le, ou corrigez SURVEY_DATA."
        )
        return
    free = shutil.disk_usage(folder).free
    message = f"{free // 2**20} Mio libres dans {folder}."
    if free < settings.minimum_free_bytes:
        yield Finding(
            "disk", "error", message, "Libérez de la place\u00a0: bientôt plus rien ne sera enregistré."
        )
    else:
        yield Finding("disk", "ok", message)


def proxies(settings: Settings) -> Iterator[Finding]:
    """Behind a proxy that is not declared, everybody has the proxy's address: one limit for all."""
    if settings.public_url.startswith("https://") and settings.trusted_proxies == 0:
        message = "PUBLIC_URL est en https, mais TRUSTED_PROXIES vaut 0\u00a0: tous auraient la même adresse."
        yield Finding(
            "proxies", "warning", message, "Derrière un serveur mandataire, réglez TRUSTED_PROXIES=1."
        )


def keys(keys: RecordKeys) -> Iterator[Finding]:
    """A key that others can read seals nothing; one that nobody can read opens nothing."""
    try:
        current = keys.current()
        found = [(one, one.public()) for one in keys.all()]
    except KeyFileError as fault:
        yield Finding("keys", "error", str(fault), "Sans clé, ni tablette ni lecture des envois scellés.")
        return
    sealing = counted(len(found), "clé de scellement", "clés de scellement")
    yield Finding("keys", "ok", f"{sealing}\u202f; {current.key_id} scelle.")
    for one, _ in found:
        if not one.is_private:
            message = f"D’autres comptes peuvent lire {one.path}."
            yield Finding("keys", "warning", message, f"Lancez «\u202fchmod 600 {one.path}\u202f».")


def schema(_now: dt.datetime) -> Iterator[Finding]:
    """Whether the tables are those of this program; nothing else can be asked of others."""
    current, head = migrations.current(db.engine), migrations.head()
    if current == head:
        yield Finding("schema", "ok", f"Schéma à jour ({head}).")
    else:
        message = f"Le schéma est en version {current or 'aucune'}, le programme attend {head}."
        remedy = "Sauvegardez, puis lancez «\u202fsurvey-app database upgrade\u202f»."
        if migrations.is_newer(current):
            remedy = "Remettez le programme plus récent, ou revenez à la sauvegarde d’avant la mise à jour."
        yield Finding("schema", "error", message, remedy)
        raise DatabaseUnavailable("Le reste ne peut pas être examiné avant la mise à jour du schéma.")


def promises(_now: dt.datetime) -> Iterator[Finding]:
    """Opening a connection checks them already; here they are shown, and a write is tried."""
    with write_connection() as connection:
        server_facts.try_to_write(connection)
        if connection.dialect.name == "sqlite":
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in SQLITE_PROMISES}
            version = connection.exec_driver_sql("SELECT sqlite_version()").scalar()
            yield Finding("database", "ok", f"SQLite {version}, {_listed(found)}, écriture possible.")
        else:
            names = ("server_version", "synchronous_commit", "fsync")
            found = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names}
            yield Finding("database", "ok", f"PostgreSQL, {_listed(found)}, écriture possible.")


def _listed(found: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in found.items())


def integrity(_now: dt.datetime) -> Iterator[Finding]:
    """Whether the file of SQLite is whole; PostgreSQL checks its own pages."""
    if db.engine.dialect.name != "sqlite":
        return
    with db.engine.connect() as connection:
        faults = [
            str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(5)") if row[0] != "ok"
        ]
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if faults or broken:
        seen = "\u202f; ".join(" ".join(faults).splitlines()) or counted(
            len(broken), "renvoi rompu", "renvois rompus"
        )
        message = f"Base abîmée\u00a0: {seen}."
        yield Finding("integrity", "error", message, RESTORE)
        raise DatabaseUnavailable("Le reste ne peut pas être examiné dans une base abîmée.")
    else:
        yield Finding("integrity", "ok", "Aucune page abîmée, aucun renvoi rompu.")


def changed(_now: dt.datetime) -> Iterator[Finding]:
    """Whether every record is still what its receipt is for."""
    with db.engine.connect() as connection:
        found = changed_records(connection)
    if found:
        differ = counted(len(found), "envoi diffère de son reçu", "envois diffèrent de leur reçu")
        named = ", ".join(record_id[:8] for record_id in found[:NAMED_AT_MOST])
        yield Finding("changed", "error", f"{differ} ({named}).", RESTORE)
    else:
        yield Finding("changed", "ok", "Chaque envoi est celui de son reçu.")
