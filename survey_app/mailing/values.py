"""What each placeholder brings for one recipient. A value is one line of plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from flask import current_app

from analysis.display import counted
from form_definitions import Organisation
from survey_app.definitions import organisation
from survey_app.exports.words import day_words
from survey_app.i18n import kept_for
from survey_app.invitation_models import Invitation, SampledUnit, WaveFrame
from survey_app.invitations.links import link_address, unsubscribe_address
from survey_app.models import Wave
from survey_app.questionnaires import questionnaire_of
from survey_app.settings import Settings

MADAM, SIR, UNKNOWN = "Madame", "Monsieur", "Madame, Monsieur"
_CIVILITIES: Final = {"mme": MADAM, "madame": MADAM, "f": MADAM, "m": SIR, "monsieur": SIR}
_OFFICES: Final[dict[str, tuple[str, str]]] = {
    "mayor": ("maire", "maire"),
    "deputy": ("adjointe au maire", "adjoint au maire"),
    "delegated_mayor": ("maire déléguée", "maire délégué"),
    "president": ("présidente", "président"),
    "vice_president": ("vice-présidente", "vice-président"),
    "councillor": ("conseillère", "conseiller"),
}
"""Each office in words, of a woman and of a man; other codes stay unnamed."""
_ADDRESSED: Final = ("mayor", "delegated_mayor", "president", "vice_president")
"""Who is addressed by the office: « Madame la Maire »."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
SAMPLE: Final = "exemple-sans-effet"
"""At the end of links that open nothing, in previews and tests."""


@dataclass(frozen=True)
class Lacking:
    """A value that nobody filled in, and where to do it."""

    placeholder: str
    remedy: str


def one_line(text: str) -> str:
    """The text without anything that could begin another line."""
    return re.sub(" +", " ", _CONTROL.sub(" ", text)).strip(" ")


def civility(unit: SampledUnit) -> str:
    """Madame, Monsieur, or nothing where the list does not say."""
    return _CIVILITIES.get(unit.civility.strip().rstrip(".").lower(), "")


def office(unit: SampledUnit) -> str:
    """The office in words; nothing for a code that has none."""
    woman, man = _OFFICES.get(unit.office, ("", ""))
    return woman if civility(unit) == MADAM else man


def salutation(unit: SampledUnit) -> str:
    """« Madame la Maire », « Monsieur le Président », « Madame », or « Madame, Monsieur »."""
    title = civility(unit)
    if not title or unit.office not in _ADDRESSED:
        return title or UNKNOWN
    name = office(unit)
    return f"{title} {'la' if title == MADAM else 'le'} {name[0].upper()}{name[1:]}"


def values_for(
    invitation: Invitation, wave: Wave, frame: WaveFrame | None, *, sample: bool
) -> dict[str, str]:
    """Every placeholder for this recipient; with ``sample``, links that open nothing."""
    found = {**values_of_wave(wave, frame), **_personal(invitation.unit), **_links(invitation, sample)}
    return {name: one_line(value) for name, value in found.items()}


def values_of_wave(wave: Wave, frame: WaveFrame | None) -> dict[str, str]:
    """What is the same for everybody; nothing where it is not known."""
    ours = organisation()
    minutes = questionnaire_of(wave.questionnaire_version).estimated_minutes
    until = frame.results_until if frame else None
    return {
        "enquete": wave.questionnaire_version.title,
        "duree": counted(minutes, "minute", "minutes") if minutes else "",
        "anonymat": _anonymity(frame),
        "date_cloture": day_words(wave.closes_on),
        "fin_resultats": day_words(until) if until else "",
        "source": _source(frame),
        "conservation": _kept(),
        **_signature(ours),
    }


def lacking(used: set[str], wave: Wave, frame: WaveFrame | None) -> list[Lacking]:
    """The placeholders of a text that would stay empty for everybody, and what to do."""
    known = values_of_wave(wave, frame)
    return [
        Lacking(name, _REMEDIES.get(name, "Retirez-le du texte."))
        for name in sorted(used)
        if name in known and not known[name]
    ]


_REMEDIES: Final = {
    "directeur": "Remplissez director.name dans organisation.yaml.",
    "fonction_directeur": "Remplissez director.title dans organisation.yaml.",
    "telephone": "Remplissez director.phone dans organisation.yaml.",
    "page_verification": "Remplissez contact.verification_page dans organisation.yaml.",
    "delegue": "Remplissez privacy.data_protection_officer dans organisation.yaml.",
    "anonymat": "Choisissez d’abord la liste des élus de l’édition.",
    "source": "Choisissez d’abord la liste des élus de l’édition.",
    "fin_resultats": "Fixez d’abord le dernier jour où les liens montrent les résultats.",
}


def _signature(ours: Organisation) -> dict[str, str]:
    return {
        "organisation": ours.name,
        "directeur": ours.director.name or "",
        "fonction_directeur": ours.director.title or "",
        "telephone": ours.director.phone or "",
        "page_verification": ours.contact.verification_page or "",
        "delegue": ours.privacy.data_protection_officer or "",
    }


def _anonymity(frame: WaveFrame | None) -> str:
    if frame is None:
        return ""
    return _NOMINATIVE if frame.nominative else _ANONYMOUS


_ANONYMOUS: Final = (
    "Jusqu’à la clôture, nous saurons qui a répondu, pour ne pas vous relancer, mais pas ce que chacun a "
    "répondu. À la clôture, les réponses, chiffrées jusque-là, sont mélangées, et qui a répondu est oublié. "
    "Ensuite seulement, la personne chargée de la qualité à la préfecture les lit, une par une et sans nom. "
    "À côté de chacune, elle ne voit que la semaine, la langue et un groupe d’au moins onze réponses."
)
_NOMINATIVE: Final = (
    "Cette enquête est nominative\u00a0: trop peu de personnes sont interrogées pour garantir l’anonymat, "
    "et vos réponses peuvent permettre de vous reconnaître. "
    "Seule la personne chargée de la qualité les lit une par une\u202f; les autres agents lisent des totaux."
)


def _kept() -> str:
    return (
        f"Vos coordonnées et nos courriels sont effacés {kept_for('officials_after_results')} après "
        f"le dernier jour des résultats, les textes libres {kept_for('free_texts_after_closing')} et "
        f"les réponses détaillées {kept_for('responses_after_closing')} après la fin de l’enquête."
    )


def _source(frame: WaveFrame | None) -> str:
    if frame is None or not frame.frame.source:
        return ""
    return f"{frame.frame.source}, {day_words(frame.frame.source_date)}"


def _personal(unit: SampledUnit) -> dict[str, str]:
    return {
        "appel": salutation(unit),
        "civilite": civility(unit),
        "prenom": unit.first_name,
        "nom": unit.last_name,
        "fonction": office(unit),
        "commune": unit.authority_name,
    }


def _links(invitation: Invitation, sample: bool) -> dict[str, str]:
    if not sample:
        return {"lien": link_address(invitation), "desinscription": unsubscribe_address(invitation)}
    settings: Settings = current_app.extensions["survey_settings"]
    here = f"{settings.public_url.rstrip('/')}/r"
    return {"lien": f"{here}/{SAMPLE}", "desinscription": f"{here}/desinscription/{SAMPLE}"}
