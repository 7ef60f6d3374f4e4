"""`survey-app wave`: the life of an edition, without the staff pages."""

from __future__ import annotations

import click

from survey_app.commands.french import FrenchGroup
from survey_app.commands.surroundings import actor, application


@click.group(cls=FrenchGroup)
def wave() -> None:
    """Éditions d’enquête : lister, ouvrir, fermer."""


@wave.command(name="list")
def list_waves() -> None:
    """Liste les éditions : code, état, dates, nombre de réponses, titre."""
    from survey_app.responses import counts
    from survey_app.waves import STATES, waves

    with application():
        found = waves()
        for one in found:
            counted = counts.fieldwork(one.id).counted
            dates = f"{one.opens_on:%d/%m/%Y} – {one.closes_on:%d/%m/%Y}"
            click.echo(f"{one.id:<24} {STATES[one.state]:<15} {dates}  {counted:>7}  {one.title}")
        if not found:
            click.echo("Aucune édition. Créez-en une dans les pages de gestion.")


@wave.command(name="open")
@click.argument("code")
def open_one(code: str) -> None:
    """Ouvre une édition en préparation : elle commence à recevoir des réponses."""
    from survey_app.clock import today_in_paris
    from survey_app.waves import find_wave, open_wave

    with application():
        open_wave(code, actor=actor())
        opened = find_wave(code)
        later = opened is not None and opened.opens_on > today_in_paris()
        start = (
            f" Elle recevra des réponses à partir du {opened.opens_on:%d/%m/%Y}." if opened and later else ""
        )
    click.echo(f"Édition {code} ouverte.{start}")


@wave.command(name="close")
@click.argument("code")
def close_one(code: str) -> None:
    """Ferme une édition : on ne demande plus, ce que les tablettes gardent encore arrive quand même."""
    from survey_app.invitations.mixing import finish
    from survey_app.waves import close_wave

    with application():
        close_wave(code, actor=actor())
        click.echo(f"Édition {code} fermée.")
        if told := _mixed(code, finish(code, actor=actor())):
            click.echo(told)


@wave.command(name="mix")
@click.argument("code")
@click.option(
    "--leave-out-unreadable",
    is_flag=True,
    help="Laisse de côté les réponses qui ne s’ouvrent pas\u00a0: "
    "leur clé détruite, aucune copie d’elles ne s’ouvrira plus.",
)
def mix_one(code: str, leave_out_unreadable: bool) -> None:
    """Finit de mélanger les réponses par lien personnel d’une édition fermée, et détruit leur clé."""
    from survey_app.invitations.mixing import finish
    from survey_app.waves import OPEN, WaveError, find_wave

    with application():
        known = find_wave(code)
        if known is None:
            raise WaveError(f"Aucune édition «\u202f{code}\u202f».")
        if known.state in ("draft", OPEN):
            raise WaveError("Fermez d’abord l’édition.")
        number = finish(code, actor=actor(), leave_out_unreadable=leave_out_unreadable)
        told = _mixed(code, number)
        click.echo(told or "Aucune réponse par lien personnel n’est à mélanger.")


def _mixed(code: str, number: int) -> str:
    """What became of the answers by personal link; empty where there is nothing to tell."""
    from analysis.display import counted
    from survey_app.invitations.mixing import were_withheld
    from survey_app.responses.link_balance import TOO_FEW

    if were_withheld(code):
        return TOO_FEW
    if number == 0:
        return ""
    return f"{counted(number, 'réponse mélangée', 'réponses mélangées')}\u00a0; la clé est détruite."
