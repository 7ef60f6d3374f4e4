"""`survey-app keys`: the pairs of keys that the tablets' records are sealed with."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from analysis.display import counted
from survey_app.commands.french import FrenchGroup
from survey_app.commands.surroundings import actor, application, has_database, settings_of_environment

if TYPE_CHECKING:
    from survey_app.responses.record_keys import KeyFile


@click.group(cls=FrenchGroup)
def keys() -> None:
    """Clés de scellement : lister, en créer une nouvelle, déclarer une clé perdue."""


@keys.command(name="list")
def list_keys() -> None:
    """Liste les clés : nom, date, rôle. La plus récente scelle, toutes ouvrent."""
    from survey_app.responses.record_keys import RecordKeys

    held = RecordKeys(settings_of_environment().record_keys_folder)
    current = held.current()
    for one in held.all():
        one.public()  # a file that cannot be used is told here rather than by the records that wait for it
        role = "scelle et ouvre" if one.key_id == current.key_id else "ouvre les anciens envois"
        warning = "" if one.is_private else f"  ! lisible par d’autres\u00a0: chmod 600 {one.path}"
        click.echo(f"{one.key_id}  {one.created_at:%d/%m/%Y %H:%M} UTC  {role}{warning}")


@keys.command()
def new() -> None:
    """Crée une clé. Les tablettes la prennent à leur prochain contact ; les anciennes clés restent."""
    made = _made_and_logged() if has_database() else _made()
    click.echo(f"Clé {made.key_id} créée\u00a0: {made.path}")
    click.echo(
        "Copiez ce fichier en lieu sûr, hors du serveur et à part des sauvegardes de la base. "
        "Sans lui, ce que les tablettes auront scellé ne se lira jamais."
    )


def _made() -> KeyFile:
    from survey_app.responses.record_keys import RecordKeys

    return RecordKeys(settings_of_environment().record_keys_folder).make(dt.datetime.now(dt.UTC))


def _made_and_logged() -> KeyFile:
    """On a database of another version as well: a key may be wanted before an upgrade."""
    from survey_app import audit

    with application(schema=False), audit.act() as transaction:
        made = _made()
        audit.record(transaction, "key-made", actor=actor(), subject=made.key_id)
    return made


@keys.command()
@click.argument("key_id", metavar="CLÉ")
@click.option(
    "--yes", "confirmed", is_flag=True, help="Met vraiment à part. Sans cette option, compte seulement."
)
def lost(key_id: str, confirmed: bool) -> None:
    """Déclare une clé perdue : les envois qui l’attendent sont mis à part."""
    from survey_app.responses import record_keys, unjudged

    with application():
        if any(one.key_id == key_id for one in record_keys.held().all()):
            raise click.UsageError(f"La clé {key_id} est là\u00a0: rien n’est perdu.")
        if not unjudged.waiting_for_keys()[key_id]:
            raise click.UsageError(
                f"Aucun envoi n’attend de clé {key_id}. Les clés qui manquent\u00a0: survey-app doctor."
            )
        number = unjudged.give_up(key_id, by=actor()) if confirmed else unjudged.waiting_for_keys()[key_id]
    if confirmed:
        click.echo(f"{counted(number, 'envoi mis', 'envois mis')} à part.")
        return
    click.echo(f"{counted(number, 'envoi attend', 'envois attendent')} la clé {key_id}.")
    click.echo(f"Pour les mettre à part\u00a0: survey-app keys lost {key_id} --yes", err=True)
