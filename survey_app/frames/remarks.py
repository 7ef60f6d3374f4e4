"""What a person should know before a list is taken in, in French sentences. Floor 4."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from analysis.display import counted
from survey_app.frames.check import FrameCheck
from survey_app.frames.entries import Entry

MOST_NAMES: Final = 12


def remarks(check: FrameCheck, *, source_date: dt.date, objecting: Sequence[Entry] = ()) -> list[str]:
    """What matters most first."""
    return [*_about_places(check), *_about_addresses(check), *_about_people(check, objecting, source_date)]


def _about_places(check: FrameCheck) -> Iterator[str]:
    if nowhere := check.nowhere():
        lines = counted(len(nowhere), "ligne sans arrondissement", "lignes sans arrondissement")
        yield (
            f"{lines}\u00a0: {_names(one.name for one in nowhere)}. Ajoutez un fichier qui le dit "
            "(liste des communes de l’Insee, ou la vôtre)\u202f; sans cela, elles ne comptent que pour le "
            "département."
        )
    for name in check.unknown_arrondissements():
        remedy = "Corrigez-le, ou ajoutez-le à organisation.yaml."
        yield f"Arrondissement inconnu ici\u00a0: «\u202f{name}\u202f». {remedy}"
    if empty := check.empty_arrondissements():
        yield f"Personne dans {_names(empty)}. Manque-t-il un fichier\u202f?"
    if check.elsewhere:
        lines = counted(check.elsewhere, "ligne d’un autre département", "lignes d’autres départements")
        yield f"{lines}\u00a0: laissées de côté."


def _about_addresses(check: FrameCheck) -> Iterator[str]:
    if shared := check.shared_mailboxes():
        boxes = counted(len(shared), "boîte partagée", "boîtes partagées")
        yield (
            f"{boxes}\u00a0: {_names(f'{address} ({number})' for address, number in shared)}. "
            "C’est permis\u00a0: chacun y reçoit son propre lien."
        )
    if letters := check.by_letter():
        lines = counted(len(letters), "ligne sans adresse électronique", "lignes sans adresse électronique")
        yield f"{lines}, mais avec une adresse postale\u00a0: une lettre les invitera."
    if unreachable := check.unreachable():
        lines = counted(len(unreachable), "ligne sans aucune adresse", "lignes sans aucune adresse")
        yield (
            f"{lines}\u00a0: {_names(_who(one) for one in unreachable)}. "
            "Ajoutez l’Annuaire de l’administration, ou complétez le fichier."
        )
    if check.unmatched:
        lines = counted(check.unmatched, "adresse ne sert à personne", "adresses ne servent à personne")
        yield f"{lines} de cette liste."


def _about_people(check: FrameCheck, objecting: Sequence[Entry], source_date: dt.date) -> Iterator[str]:
    if several := check.several_mandates():
        people = counted(several, "personne a plusieurs mandats", "personnes ont plusieurs mandats")
        yield f"{people}. Une édition peut interroger chaque personne une seule fois."
    for group in check.namesakes()[:MOST_NAMES]:
        where = _names(f"{one.name}, ligne {one.line}" for one in group)
        yield f"{_who(group[0])} est dans plusieurs communes ({where})\u00a0: comptés comme homonymes."
    if objecting:
        lines = counted(len(objecting), "destinataire ne veut plus", "destinataires ne veulent plus")
        yield f"{lines} être sollicité{'s' if len(objecting) > 1 else ''}. Aucun message ne leur sera envoyé."
    newest = check.newest_office()
    if newest is not None and check.too_old(source_date):
        yield (
            f"Une fonction a commencé le {newest:%d/%m/%Y}, après la date indiquée pour les fichiers "
            f"({source_date:%d/%m/%Y}). Vérifiez cette date."
        )


def _who(entry: Entry) -> str:
    return f"{entry.first_name} {entry.last_name}".strip() or entry.name or entry.code


def _names(names: Iterator[str] | Sequence[str]) -> str:
    """The first of them, and how many more."""
    known = list(names)
    more = len(known) - MOST_NAMES
    text = ", ".join(known[:MOST_NAMES])
    return f"{text} et {counted(more, 'autre', 'autres')}" if more > 0 else text
