"""`survey-app report` and `survey-app import`: results out, figures of past years in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey_app.commands.french import FrenchCommand
from survey_app.commands.progress import progress
from survey_app.commands.surroundings import actor, application

if TYPE_CHECKING:
    from survey_app.exports import ReportSource

USUAL = {".xlsx": "classeur", ".csv": "resultats", ".json": "json"}
OLDEST_YEAR = 2000


@click.command(cls=FrenchCommand)
@click.argument("code", metavar="ÉDITION")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False),
    metavar="FICHIER",
    help="Fichier à écrire\u00a0: .xlsx, .csv ou .json.",
)
@click.option(
    "--export",
    "name",
    metavar="NOM",
    help="Ce qu’il contient\u00a0: classeur, resultats, reponses, reponses-internes, recalculer, comptes, "
    "codes, json. Par défaut selon le nom du fichier.",
)
@click.option("--site", metavar="CODE", help="Seulement ce site.")
@click.option("--mode", metavar="CODE", help="Seulement ce mode de recueil.")
@click.option(
    "--period", metavar="PÉRIODE", help="Seulement cette période\u00a0: 2026-11, 2026-T4 ou 2026-S48."
)
@click.option("--verbatims", is_flag=True, help="Avec les textes libres (à ne pas diffuser).")
def report(
    code: str,
    output: str,
    name: str | None,
    site: str | None,
    mode: str | None,
    period: str | None,
    verbatims: bool,
) -> None:
    """Écrit les résultats d’une édition dans un classeur, un CSV ou un JSON."""
    from analysis.display import counted
    from analysis.wave_report import Selection
    from survey_app.audit import record_export
    from survey_app.exports import EXPORTS, Rights, gather

    path = Path(output)
    if not path.parent.is_dir():
        raise click.UsageError(f"Le dossier {path.parent} n’existe pas.")
    chosen = name or USUAL.get(path.suffix.lower(), "")
    if chosen not in EXPORTS or EXPORTS[chosen].suffix != path.suffix.lower():
        raise click.UsageError(_which_exports(path))
    with application():
        source = gather(code, Rights(rows=True, verbatims=verbatims), Selection(site, mode, None, period))
        _write_whole(path, EXPORTS[chosen].write, source)
        limits = {"site": site, "mode": mode, "period": period, "verbatims": verbatims}
        record_export(chosen, actor=actor(), subject=code, limits=limits)
    click.echo(
        f"{path}\u00a0: {EXPORTS[chosen].title}, {counted(source.report.responses, 'réponse', 'réponses')}."
    )


def _which_exports(path: Path) -> str:
    from survey_app.exports import EXPORTS

    fitting = [name for name, export in EXPORTS.items() if export.suffix == path.suffix.lower()]
    if not fitting:
        return f"«\u202f{path.name}\u202f»\u00a0: le nom doit finir par .xlsx, .csv ou .json."
    return f"Pour un fichier {path.suffix}, --export vaut {', '.join(fitting)}."


def _write_whole(path: Path, write: Any, source: ReportSource) -> None:
    """All or nothing: the file appears under its name when it is complete."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with progress("Réponses", source.report.responses) as advance, unfinished.open("wb") as stream:
            write(replace(source, responses=lambda: _counted(source, advance)), stream)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _counted(source: ReportSource, advance: Any) -> Iterator[Any]:
    for response in source.responses():
        advance(1)
        yield response


@click.command(name="import", cls=FrenchCommand)
@click.argument("file", metavar="FICHIER.csv", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--survey",
    default="",
    metavar="ENQUÊTE",
    help="Code de l’enquête\u00a0: usagers, elus… Par défaut\u00a0: celle dont le fichier porte les codes.",
)
@click.option(
    "--year",
    required=True,
    type=click.IntRange(OLDEST_YEAR, 2100),
    metavar="ANNÉE",
    help="Année des résultats.",
)
@click.option("--title", metavar="TITRE", help="Titre de l’édition. Par défaut\u00a0: l’année.")
@click.option("--replace", is_flag=True, help="Remplace l’année si elle existe déjà.")
def import_results(file: str, survey: str, year: int, title: str | None, replace: bool) -> None:
    """Importe les comptes d’une année passée.

    Colonnes : commitment,item,favourable,base[,population][,rule]. Les exports « comptes » et
    « resultats » conviennent tels quels.
    """
    from survey_app.exports.words import counted
    from survey_app.past_results import YearExistsError, import_counts

    if year > date.today().year:  # noqa: DTZ011 (a calendar year on this machine)
        raise click.UsageError(f"{year} n’est pas une année passée.")
    path = Path(file)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = fault.object[: fault.start].count(b"\n") + 1
        raise click.UsageError(f"{path}:{line}\u00a0: ce fichier n’est pas en UTF-8.") from fault
    with application():
        try:
            taken = import_counts(
                survey, year, title or str(year), text, source=path.name, actor=actor(), replace=replace
            )
        except YearExistsError as fault:
            raise click.UsageError(f"{fault} Pour remplacer ses chiffres\u00a0: --replace") from None
    click.echo(f"{counted(taken.lines, 'ligne importée', 'lignes importées')} pour {taken.survey} {year}.")
