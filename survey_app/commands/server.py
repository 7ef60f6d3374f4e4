"""`survey-app serve` and `survey-app demo`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from survey_app.commands.french import FrenchCommand
from survey_app.commands.surroundings import application, settings_of_environment

DEMONSTRATION_FOLDER = Path("var/demonstration")
PORTS = click.IntRange(1, 65535)


@click.command(cls=FrenchCommand)
@click.option(
    "--host", default="127.0.0.1", metavar="ADRESSE", help="Adresse d’écoute. Par défaut\u00a0: 127.0.0.1."
)
@click.option(
    "--port",
    default=8000,
    type=PORTS,
    envvar="PORT",
    metavar="PORT",
    help="Port d’écoute. Par défaut\u00a0: la variable PORT, sinon 8000.",
)
def serve(host: str, port: int) -> None:
    """Démarre le serveur (derrière nginx, qui apporte TLS). Ne crée jamais de données."""
    from survey_app import serving

    settings = settings_of_environment()
    with application():
        pass
    address = serving.Address(host, port)
    serving.serve(settings, address, lambda: click.echo(f"À l’écoute sur http://{host}:{port}"))


@click.command(cls=FrenchCommand)
@click.option(
    "--port",
    default=8000,
    type=PORTS,
    envvar="PORT",
    metavar="PORT",
    help="Port d’écoute. Par défaut\u00a0: la variable PORT, sinon 8000.",
)
@click.option(
    "--folder",
    default=str(DEMONSTRATION_FOLDER),
    type=click.Path(file_okay=False),
    metavar="DOSSIER",
    help="Où garder les données. Par défaut\u00a0: var/demonstration.",
)
@click.option("--new-passphrase", is_flag=True, help="Donne une nouvelle phrase secrète au compte.")
def demo(port: int, folder: str, new_passphrase: bool) -> None:
    """Démarre une démonstration avec des réponses synthétiques, dans sa propre base."""
    from survey_app import demonstration, serving

    place = Path(folder)
    if not (place / "ready").exists():
        click.echo("Premier démarrage\u00a0: création des données de démonstration…")
    try:
        settings, passphrase = demonstration.prepare(place, port, date.today())  # noqa: DTZ011 (the local calendar)
    except demonstration.FolderInUse as fault:
        raise click.ClickException(str(fault)) from fault
    if new_passphrase and passphrase is None:
        passphrase = demonstration.new_passphrase(settings)
    lines = list(demonstration.addresses(settings, passphrase))
    serving.serve(settings, serving.Address("127.0.0.1", port), lambda: click.echo("\n".join(lines)))
