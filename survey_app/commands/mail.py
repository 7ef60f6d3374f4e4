"""`survey-app mail` and `survey-app mail-sink`: mail without the staff pages, and a relay that only shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from survey_app.commands.french import FrenchCommand, FrenchGroup
from survey_app.commands.surroundings import actor, application, settings_of_environment

PORTS = click.IntRange(1, 65535)


@click.group(cls=FrenchGroup)
def mail() -> None:
    """Courriels aux élus : envoyer ce qui est dû, lire les retours."""


@mail.command()
def send() -> int:
    """Envoie tout ce qui est dû, à la cadence prévue, puis s’arrête. Le serveur le fait déjà seul."""
    from survey_app.mailing.sender import Sender

    settings = settings_of_environment()
    if settings.mail.lacks:
        missing = ", ".join(settings.mail.lacks)
        raise click.UsageError(f"Rien ne peut partir\u00a0: il manque le réglage {missing}.")
    with application():
        sender = Sender(settings)
        try:
            while (pause := sender.step()) is not None and not sender.trouble:
                time.sleep(pause)
        finally:
            sender.close()
        for line in _told(sender.handed_over):
            click.echo(line)
    if sender.trouble:
        click.echo(f"{sender.trouble} Rien n’est perdu\u00a0: relancez plus tard.", err=True)
    return int(bool(sender.trouble))


def _told(handed_over: int) -> Iterator[str]:
    import sqlalchemy as sa

    from analysis.display import counted
    from survey_app.database import db
    from survey_app.invitation_models import MailMessage

    states = sa.select(MailMessage.state, sa.func.count()).group_by(MailMessage.state)
    left = {state: count for state, count in db.session.execute(states)}
    yield f"{counted(handed_over, 'message remis', 'messages remis')} au relais."
    if left.get("queued"):
        yield f"{counted(left['queued'], 'message attend', 'messages attendent')} encore de partir."
    if left.get("uncertain"):
        yield (
            f"{counted(left['uncertain'], 'message incertain', 'messages incertains')}\u00a0: "
            "à décider dans les pages de gestion."
        )


@mail.command()
@click.argument("files", nargs=-1, metavar="FICHIER…", type=click.Path(exists=True, dir_okay=False))
def bounces(files: tuple[str, ...]) -> int:
    """Lit des messages revenus (.eml ou mbox), ou ce qui est nouveau dans BOUNCE_FOLDER."""
    from collections import Counter

    from survey_app.mailing.bounces import OUTCOMES, take_reports
    from survey_app.mailing.mailbox import read_files, read_maildir

    settings = settings_of_environment()
    folder = settings.mail.bounce_folder
    if not files and folder is None:
        raise click.UsageError("Nommez des fichiers, ou réglez BOUNCE_FOLDER.")
    read, unread = read_files((name, Path(name).read_bytes()) for name in files)
    with application():
        told = take_reports(read, actor=actor())
        if not files and folder is not None:
            told = Counter(read_maildir(folder, actor=actor()))
    for outcome, words in OUTCOMES.items():
        if told[outcome]:
            click.echo(f"{told[outcome]:>6}  {words}")
    if not told and not unread:
        click.echo("Aucun message à lire.")
    for line in unread:
        click.echo(line, err=True)
    return int(bool(unread))


@click.command(name="mail-sink", cls=FrenchCommand)
@click.option(
    "--smtp-port", default=2525, type=PORTS, metavar="PORT", help="Port SMTP. Par défaut\u00a0: 2525."
)
@click.option("--port", default=8025, type=PORTS, metavar="PORT", help="Port web. Par défaut\u00a0: 8025.")
def mail_sink(smtp_port: int, port: int) -> None:
    """Reçoit des courriels sans jamais les remettre, et les montre dans le navigateur (machine locale)."""
    from survey_app.mailing.sink import Sink

    with Sink(smtp_port, port) as sink:
        click.echo(f"Relais d’essai sur 127.0.0.1, port {smtp_port}\u00a0: rien n’est jamais remis.")
        click.echo(f"Courriels reçus\u00a0: {sink.address}")
        click.echo("Ctrl+C pour arrêter. Les messages s’effacent alors.")
        sink.wait()
