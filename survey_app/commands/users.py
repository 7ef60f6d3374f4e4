"""`survey-app user`: accounts of staff."""

from __future__ import annotations

import click

from survey_app.commands.french import FrenchGroup
from survey_app.commands.surroundings import actor, application

ROLE_CODES = ("referent", "assistant", "contributor", "director", "reader", "technician")


@click.group(cls=FrenchGroup)
def user() -> None:
    """Comptes de gestion : créer, donner une nouvelle phrase secrète."""


@user.command()
@click.argument("email", metavar="ADRESSE")
@click.option("--name", "person_name", default="", metavar="NOM", help="Nom de la personne.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLE_CODES),
    default=("referent",),
    metavar="RÔLE",
    help=f"Rôle, répétable\u00a0: {', '.join(ROLE_CODES)}. Par défaut\u00a0: referent.",
)
def add(email: str, person_name: str, roles: tuple[str, ...]) -> None:
    """Crée un compte et montre sa phrase secrète, une seule fois."""
    from survey_app.accounts import add_user

    with application():
        _show(email, add_user(email, person_name, roles, actor=actor()))


@user.command()
@click.argument("email", metavar="ADRESSE")
def reset(email: str) -> None:
    """Donne une nouvelle phrase secrète et ferme les sessions ouvertes."""
    from survey_app.accounts import reset_passphrase

    with application():
        _show(email, reset_passphrase(email, actor=actor()))


def _show(email: str, passphrase: str) -> None:
    click.echo(f"Compte\u00a0: {email}")
    click.echo(f"Phrase secrète\u00a0: {passphrase}")
    click.echo("Elle n’est gardée nulle part\u00a0: transmettez-la maintenant.")
