"""`survey-app serve` and `survey-app demo`."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
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
    from survey_app.responses.record_keys import RecordKeys

    settings = settings_of_environment()
    with application():
        RecordKeys(settings.record_keys_folder).current()  # refuses in one line: no tablet could save
        lines = [f"À l’écoute sur http://{host}:{port}", *_first_steps(settings.public_url)]
    check_free(host, port)
    serving.serve(settings, serving.Address(host, port), lambda: click.echo("\n".join(lines)))


def _first_steps(public_url: str) -> Iterator[str]:
    """What a new installation still lacks before anybody can answer."""
    import sqlalchemy as sa

    from survey_app.database import db
    from survey_app.models import User, Wave

    if not db.session.scalar(sa.select(sa.exists().where(User.id.is_not(None)))):
        yield "Aucun compte encore. Créez celui de la référente\u00a0: survey-app user add ADRESSE"
    if not db.session.scalar(sa.select(sa.exists().where(Wave.id.is_not(None)))):
        yield f"Aucune édition encore. Publiez un questionnaire et créez-en une\u00a0: {public_url}/gestion/"


def check_free(host: str, port: int) -> None:
    """Refuse at once, in French, an address where nothing can listen."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as fault:
            raise click.UsageError(_why_not(fault, host, port)) from fault


def free_near(port: int) -> int:
    """This port, or another one where it is taken."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            trial.bind(("127.0.0.1", 0))
        found: int = trial.getsockname()[1]
        return found


def _why_not(fault: OSError, host: str, port: int) -> str:
    match fault.errno:
        case errno.EADDRINUSE:
            return f"Le port {port} est déjà occupé. Choisissez-en un autre\u00a0: --port {port % 65535 + 1}"
        case errno.EACCES:
            return f"Ce compte ne peut pas ouvrir le port {port}\u00a0: choisissez-en un plus haut."
    return f"«\u202f{host}\u202f» n’est pas une adresse de cette machine."


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
    from survey_app.mailing.sink import SMTP_PORT, WEB_PORT, Sink

    check_free("127.0.0.1", port)
    place = Path(folder)
    if not (place / "ready").exists():
        click.echo("Premier démarrage\u00a0: création des données de démonstration…")
    with Sink(free_near(SMTP_PORT), free_near(WEB_PORT)) as relay:
        mail = relay.settings(demonstration.SENDER)
        try:
            settings, passphrase = demonstration.prepare(place, port, date.today(), mail=mail)  # noqa: DTZ011 (the local calendar)
        except demonstration.FolderInUse as fault:
            raise click.ClickException(str(fault)) from fault
        if new_passphrase and passphrase is None:
            passphrase = demonstration.new_passphrase(settings)
        lines = list(demonstration.addresses(settings, passphrase, relay.address))
        serving.serve(settings, serving.Address("127.0.0.1", port), lambda: click.echo("\n".join(lines)))
