"""`survey-app purge`, `doctor`, `database`: looking after what is stored."""

from __future__ import annotations

import click

from survey_app.commands.french import FrenchCommand, FrenchGroup
from survey_app.commands.progress import progress
from survey_app.commands.surroundings import (
    actor,
    application,
    check_exists,
    refuse_newer,
    settings_of_environment,
)

SIGNS = {"ok": "✓", "warning": "!", "error": "✗"}


@click.command(cls=FrenchCommand)
@click.option(
    "--yes", "confirmed", is_flag=True, help="Efface vraiment. Sans cette option, montre seulement."
)
def purge(confirmed: bool) -> None:
    """Efface ce qui a dépassé sa durée de conservation. L’effacement est définitif et inscrit au journal."""
    from analysis.display import counted, whole
    from survey_app.responses import purge as terms

    settings = settings_of_environment()
    with application(), progress("Durées", len(terms.KINDS), every=1) as advance:
        erased = terms.purge(settings.retention, by=actor(), dry_run=not confirmed, step=lambda: advance(1))
    for kind in terms.KINDS:
        days = getattr(settings.retention, kind.term)
        click.echo(f"{whole(erased[kind.term]):>8}  {kind.title} (après {counted(days, 'jour', 'jours')})")
    click.echo(
        "Effacé." if confirmed else "Rien n’a été effacé. Pour effacer\u00a0: survey-app purge --yes",
        err=True,
    )


@click.command(cls=FrenchCommand)
@click.option("--rebuild", is_flag=True, help="Recalcule les compteurs à partir des réponses.")
def doctor(rebuild: bool) -> int:
    """Examine l’installation : base, disque, compteurs, numéros manquants. Code 1 en cas d’erreur."""
    from survey_app.responses import doctor as examination

    settings = settings_of_environment()
    with application(schema=rebuild):
        check_exists()
        if rebuild:
            changed = examination.rebuild_tallies()
            click.echo(f"Compteurs recalculés\u00a0: {', '.join(changed) or 'aucun ne différait'}.")
        with progress("Examen", examination.STEPS, every=1) as advance:
            findings = examination.examine(settings, step=lambda: advance(1))
    for finding in findings:
        remedy = f" → {finding.remedy}" if finding.remedy else ""
        click.echo(f"{SIGNS.get(finding.severity, '?')} {finding.message}{remedy}")
    return int(any(finding.severity == "error" for finding in findings))


@click.group(cls=FrenchGroup)
def database() -> None:
    """Base de données : créer ou mettre à jour, imprimer la fiche du registre des traitements."""


@database.command()
def upgrade() -> None:
    """Crée la base, ou la met à jour vers la version de ce programme. Sauvegardez d’abord."""
    from survey_app import migrations
    from survey_app.database import db, write_connection
    from survey_app.responses import tallies

    with application(schema=False):
        before = migrations.current(db.engine)
        refuse_newer(before)
        migrations.upgrade(db.engine)
        with write_connection() as connection:
            tallies.refresh_all(connection)
        after = migrations.current(db.engine)
    click.echo("La base est à jour." if before == after else f"Base\u00a0: {before or 'vide'} → {after}.")


@database.command(name="register")
def processing_record() -> None:
    """Imprime la fiche du registre des activités de traitement (Markdown)."""
    from survey_app.definitions import organisation_of
    from survey_app.responses.processing_record import processing_record as sheet

    settings = settings_of_environment()
    organisation = organisation_of(settings.definitions_folder)
    known = {
        "controller": organisation.privacy.controller,
        "delegate": organisation.privacy.data_protection_officer or "",
        "contact": organisation.contact.email or "",
    }
    click.echo(sheet(known, settings.retention))
