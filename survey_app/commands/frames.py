"""`survey-app frame`: check and import lists of officials, as the staff pages do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey_app.commands.french import FrenchGroup
from survey_app.commands.surroundings import actor, application, definitions_folder

if TYPE_CHECKING:
    from survey_app.frames import FrameCheck, Territory

FILES = click.argument(
    "files", metavar="FICHIER…", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False)
)


@click.group(cls=FrenchGroup)
def frame() -> None:
    """Listes d’élus : vérifier des fichiers, les importer."""


@frame.command()
@FILES
def check(files: tuple[str, ...]) -> None:
    """Dit ce qui serait importé. N’écrit rien, et n’a besoin d’aucun réglage."""
    today = _today()
    _tell(_read(files, _territory(definitions_folder()), today), today)


@frame.command(name="import")
@FILES
@click.option("--title", required=True, metavar="TITRE", help="Titre de la liste.")
@click.option(
    "--source",
    required=True,
    metavar="SOURCE",
    help="D’où viennent les adresses\u00a0: chaque message le dit.",
)
@click.option(
    "--date", "day", required=True, metavar="AAAA-MM-JJ", help="Jour où les fichiers ont été publiés."
)
def import_files(files: tuple[str, ...], title: str, source: str, day: str) -> None:
    """Importe des fichiers comme une liste, en entier ou pas du tout."""
    from survey_app.definitions import folder
    from survey_app.exports.words import counted
    from survey_app.frames import import_frame
    from survey_app.frames.storage import pending

    try:
        source_date = dt.date.fromisoformat(day)
    except ValueError as fault:
        raise click.UsageError("L’option --date attend une date AAAA-MM-JJ.") from fault
    with application():
        found = _read(files, _territory(folder()), _today())
        _tell(found, source_date)
        made = import_frame(
            pending(found, title=title, source=source, source_date=source_date, today=_today()), actor=actor()
        )
    what = counted(len(found.entries), "ligne importée", "lignes importées")
    click.echo(f"{what if made.new else 'Déjà importée'}\u00a0: liste n°\u00a0{made.id}.")


def _today() -> dt.date:
    from survey_app.clock import today_in_paris

    return today_in_paris()


def _territory(replaced: Path | None) -> Territory:
    from survey_app.definitions import organisation_of
    from survey_app.frames import Territory

    return Territory.of(organisation_of(replaced))


def _read(files: Sequence[str], territory: Territory, today: dt.date) -> FrameCheck:
    from survey_app.frames import check_files

    return check_files([(Path(file).name, Path(file).read_bytes()) for file in files], territory, today)


def _tell(found: FrameCheck, source_date: dt.date) -> None:
    from survey_app.exports.words import counted
    from survey_app.frames.check import LISTS
    from survey_app.frames.remarks import remarks
    from survey_app.frames.words import OFFICES

    for reading in found.readings:
        click.echo(f"{reading.sheet.name}\u00a0: {LISTS[reading.lists]}. {reading.sheet.written}.")
    for note in (*found.left_out, *found.doubts):
        click.echo(f"{note.file}:{note.line}\u00a0: {note.text}")
    for remark in remarks(found, source_date=source_date):
        click.echo(f"À savoir\u00a0: {remark}")
    for where, numbers in found.counts():
        said = ", ".join(
            f"{number} {OFFICES[office][2].lower()}" for office, number in numbers.items() if number
        )
        click.echo(f"{where or 'Sans arrondissement'}\u00a0: {said or 'personne'}.")
    left = counted(len(found.left_out), "ligne laissée de côté", "lignes laissées de côté")
    click.echo(f"{counted(len(found.entries), 'ligne à importer', 'lignes à importer')}, {left}.")
