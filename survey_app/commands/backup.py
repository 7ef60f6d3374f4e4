"""`survey-app backup` and `survey-app restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey_app.commands.french import FrenchCommand
from survey_app.commands.surroundings import actor, application, settings_of_environment

if TYPE_CHECKING:
    from survey_app.backups import CarriedOver


@click.command(cls=FrenchCommand)
@click.argument("folder", metavar="DOSSIER", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--keep",
    "days",
    type=click.IntRange(1, 3650),
    metavar="JOURS",
    help="Efface ensuite du dossier les sauvegardes plus vieilles, jamais la dernière.",
)
@click.option(
    "--then",
    "then",
    default="",
    metavar="COMMANDE",
    help="Emporte la copie ailleurs\u00a0: reçoit les deux fichiers comme derniers arguments. "
    "La sauvegarde ne compte que si elle réussit.",
)
def backup(folder: Path, days: int | None, then: str) -> None:
    """Copie la base, service en marche ou non, et relit la copie.

    Les tablettes gardent leurs réponses scellées jusqu’à ce qu’une sauvegarde réussie les contienne.
    """
    from survey_app import backups

    with application():
        made = backups.backup(folder, by=actor(), then=then)
        removed = backups.remove_older(folder, days) if days else []
    click.echo(
        f"{made.path}\u00a0: {_records(made.manifest.records)}, relue. "
        f"Contient tout ce qui a été reçu jusqu’au {made.watermark:%d/%m/%Y %H:%M} UTC."
    )
    for path in removed:
        click.echo(f"Effacée\u00a0: {path.name}")


@click.command(cls=FrenchCommand)
@click.argument("copy", metavar="SAUVEGARDE", type=click.Path(dir_okay=False, path_type=Path))
def restore(copy: Path) -> None:
    """Remet une sauvegarde à la place de la base, service arrêté. Ce qui était là est gardé à côté.

    Les tablettes s’en aperçoivent à leur prochain contact et renvoient ce qui manque.
    Les clés de scellement n’y sont pas : celles qui manquent sont nommées.
    """
    from survey_app import backups

    settings = settings_of_environment()
    restored = backups.restore(copy, settings.database_url, by=actor())
    click.echo(
        f"En place\u00a0: {_records(restored.contents.records)}. "
        "Nouvelle époque\u00a0: les tablettes complètent."
    )
    if restored.manifest is None:
        click.echo(
            "Sans manifeste\u00a0: le contenu a été relu, mais rien ne dit s’il est complet.", err=True
        )
    if restored.kept is not None:
        click.echo(
            f"Ce qui était là\u00a0: {restored.kept}. La purge ne le voit pas\u00a0: "
            "supprimez-le dès qu’il ne sert plus."
        )
    _say_what_was_carried_over(restored.carried_over)
    for key_id, number in _keys_missing():
        click.echo(
            f"La clé {key_id} manque dans {settings.record_keys_folder}\u00a0: elle a scellé "
            f"{_records(number)} de cette base. Remettez son fichier avant de démarrer le service.",
            err=True,
        )
    click.echo(
        "Ensuite\u00a0: survey-app database upgrade"
        if restored.is_older
        else "Ensuite\u00a0: survey-app doctor"
    )


def _say_what_was_carried_over(found: CarriedOver) -> None:
    """What had been taken away since the copy; where nobody can say it any more, that too."""
    if not found.readable:
        click.echo(
            "La base remplacée est illisible\u00a0: ce qui a été retiré depuis la sauvegarde est revenu. "
            "À refaire\u00a0: tablettes révoquées, comptes fermés, oppositions, effacements demandés. "
            "Les courriels partis depuis sont de nouveau en attente\u00a0: voyez la page des envois.",
            err=True,
        )
    for kind, changed in found.changed.items():
        click.echo(f"Repris de la base remplacée\u00a0: {kind}, {changed}.")
    for number in found.erase_again:
        click.echo(
            f"La réponse {number} avait été effacée à la demande de la personne\u00a0: elle est dans la "
            "sauvegarde. Effacez-la de nouveau avant de publier quoi que ce soit.",
            err=True,
        )


def _keys_missing() -> list[tuple[str, int]]:
    """No copy of the database holds a key: their files come back by another way."""
    from survey_app.responses import unjudged

    with application(schema=False):
        return sorted(unjudged.keys_missing().items())


def _records(number: int) -> str:
    return f"{number} envoi{'s' if number > 1 else ''}"
