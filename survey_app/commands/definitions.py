"""`survey-app check` and `survey-app preview`: writing a questionnaire; no database is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey_app.commands.french import FrenchCommand
from survey_app.commands.server import PORTS, check_free
from survey_app.commands.surroundings import application, definitions_folder

if TYPE_CHECKING:
    from form_definitions import Questionnaire

PREVIEW_PORT = 8010
NAME_A_DATABASE = ("DATABASE_URL", "SURVEY_DATA")


@click.command(cls=FrenchCommand)
@click.argument("files", nargs=-1, metavar="[FICHIERS]", type=click.Path())
def check(files: tuple[str, ...]) -> int:
    """Vérifie des questionnaires, échelles, référentiels et traductions : toutes les fautes d’un coup.

    Sans fichier, vérifie tout ce qui est livré avec le programme, ou le dossier que nomme DEFINITIONS_FOLDER.
    Les codes sont comparés avec les questionnaires publiés si DATABASE_URL ou SURVEY_DATA nomme une base
    prête, sinon avec ceux livrés avec le programme. Code de sortie 1 s’il y a une erreur.
    """
    from form_definitions import check_files

    published = _published()
    faults = check_files([Path(name) for name in files] or None, definitions_folder(), published)
    for fault in faults:
        click.echo(str(fault))
    errors = sum(fault.severity == "error" for fault in faults)
    click.echo(_summary(errors, len(faults) - errors), err=True)
    compared = "livrés avec le programme" if published is None else "publiés dans la base"
    click.echo(f"Codes comparés avec ceux des questionnaires {compared}.", err=True)
    return 1 if errors else 0


def _published() -> list[Questionnaire] | None:
    """All that was ever published in the database of the environment; None without one that is ready."""
    if not any(map(os.environ.get, NAME_A_DATABASE)):
        return None
    from survey_app import questionnaires
    from survey_app.settings import SettingsError

    try:
        with application():
            return [questionnaires.questionnaire_of(version) for version in questionnaires.versions()]
    except (click.UsageError, SettingsError) as not_ready:
        click.echo(not_ready.message if isinstance(not_ready, click.UsageError) else not_ready, err=True)
        return None


def _summary(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "Aucune faute."
    parts = [
        f"{number} {word if number == 1 else f'{word}s'}"
        for number, word in ((errors, "erreur"), (warnings, "avertissement"))
        if number
    ]
    return f"{', '.join(parts)}."


@click.command(cls=FrenchCommand)
@click.argument("file", metavar="FICHIER", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--port",
    default=PREVIEW_PORT,
    type=PORTS,
    metavar="PORT",
    help=f"Port. Par défaut\u00a0: {PREVIEW_PORT}.",
)
def preview(file: str, port: int) -> None:
    """Montre un questionnaire dans le navigateur, en toutes langues ; la page suit le fichier."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    from survey_app.preview import create_preview

    check_free("127.0.0.1", port)

    class Quiet(WSGIRequestHandler):
        """The page asks every second whether the file changed: that is not worth a line."""

        def log_request(self, *_: object) -> None:
            """Nothing."""

    application = create_preview(Path(file).absolute(), definitions_folder())
    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=Quiet)
    click.echo(f"Aperçu\u00a0: http://127.0.0.1:{server.server_port}/  (Ctrl+C pour arrêter)")
    server.serve_forever()
