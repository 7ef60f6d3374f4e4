"""The small closed language of the texts: ``{lien}``, ``{commune}``, …; nothing else in braces is known.

A text is filled in one pass: what a placeholder brings is never read as a placeholder again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

PLACEHOLDERS: Final[dict[str, str]] = {
    "appel": "Madame la Maire, Monsieur le Président, ou Madame, Monsieur quand on ne sait pas",
    "civilite": "Madame ou Monsieur",
    "prenom": "prénom",
    "nom": "nom",
    "fonction": "maire, adjointe, président…",
    "commune": "nom de la commune, de l’intercommunalité ou du département",
    "lien": "le lien personnel",
    "desinscription": "l’adresse où l’on demande à ne plus être sollicité",
    "enquete": "titre du questionnaire",
    "duree": "durée du questionnaire, en minutes",
    "anonymat": "ce que l’on saura des réponses, et qui les lira",
    "date_cloture": "dernier jour pour répondre",
    "fin_resultats": "dernier jour où le lien montre les résultats",
    "organisation": "nom de l’organisation",
    "directeur": "prénom et nom de la personne qui signe",
    "fonction_directeur": "sa fonction",
    "telephone": "son téléphone",
    "page_verification": "la page de votre site qui annonce ces courriels",
    "source": "d’où vient l’adresse, et de quel jour",
    "delegue": "délégué à la protection des données",
    "conservation": "combien de temps coordonnées, courriels et réponses sont gardés, selon les réglages",
}
"""Each placeholder and what it brings, as the page that edits a text explains it."""

REQUIRED: Final[dict[str, str]] = {
    "lien": "sans le lien personnel, personne ne peut rien ouvrir.",
    "page_verification": "sans page de vérification, le message ressemble à un hameçonnage.",
    "directeur": "le message doit être signé par une personne.",
    "telephone": "il faut un numéro où vérifier que le message est vrai.",
    "source": "la provenance de l’adresse doit être dite (RGPD, article 14).",
    "delegue": "le délégué à la protection des données doit être nommé (RGPD, article 14).",
    "conservation": "la durée de conservation doit être dite (RGPD, article 14).",
    "desinscription": "chacun doit pouvoir s’opposer à tout nouvel envoi (RGPD, article 21).",
}
"""What no text may lack, and why."""

PERSONAL: Final = ("civilite", "prenom", "nom", "fonction")
"""What a list may not know of somebody: a blank would stay in the text."""
SUBJECT, BODY = "subject", "body"
LONGEST_SUBJECT: Final = 200
LONGEST_BODY: Final = 20_000
_PLACEHOLDER: Final = re.compile(r"\{([^{}\n]*)\}")
_BRACE: Final = re.compile(r"[{}]")


@dataclass(frozen=True)
class TextFault:
    """What is wrong with a text, in the field ``subject`` or ``body``, and how to mend it (French)."""

    field: str
    sentence: str


class TextError(ValueError):
    """A text cannot be kept so. Carries one sentence per fault."""

    def __init__(self, faults: tuple[TextFault, ...]) -> None:
        super().__init__(" ".join(fault.sentence for fault in faults))
        self.faults = faults


def used_in(*texts: str) -> set[str]:
    """The placeholders of these texts."""
    return {name for text in texts for name in _PLACEHOLDER.findall(text)}


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each placeholder replaced by its value. Raises KeyError for an unknown one."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def text_faults(subject: str, body: str) -> tuple[TextFault, ...]:
    """Everything that is wrong with a text, each with its remedy."""
    return (*_subject_faults(subject), *_body_faults(body))


def _subject_faults(subject: str) -> Iterator[TextFault]:
    if not subject.strip():
        yield TextFault(SUBJECT, "L’objet est vide\u00a0: écrivez-le.")
    if len(subject) > LONGEST_SUBJECT:
        yield TextFault(SUBJECT, f"L’objet est trop long\u00a0: {LONGEST_SUBJECT} caractères au plus.")
    if {"lien", "desinscription"} & used_in(subject):
        yield TextFault(SUBJECT, "L’objet ne peut pas contenir un lien\u00a0: mettez-le dans le texte.")
    for sentence in _brace_faults(subject):
        yield TextFault(SUBJECT, f"Objet\u00a0: {sentence}")


def _body_faults(body: str) -> Iterator[TextFault]:
    if not body.strip():
        yield TextFault(BODY, "Le texte est vide\u00a0: écrivez-le.")
        return
    if len(body) > LONGEST_BODY:
        yield TextFault(BODY, f"Le texte est trop long\u00a0: {LONGEST_BODY} caractères au plus.")
    for number, line in enumerate(body.splitlines(), 1):
        for sentence in _brace_faults(line):
            yield TextFault(BODY, f"Ligne {number}\u00a0: {sentence}")
    present = used_in(body)
    for name, reason in REQUIRED.items():
        if name not in present:
            yield TextFault(BODY, f"Il manque {{{name}}}\u00a0: {reason}")


def _brace_faults(line: str) -> Iterator[str]:
    for name in _PLACEHOLDER.findall(line):
        if name not in PLACEHOLDERS:
            yield f"«\u202f{{{name}}}\u202f» n’est pas connu. {_remedy(name)}"
    if _BRACE.search(_PLACEHOLDER.sub("", line)):
        yield "une accolade est seule\u00a0: écrivez {lien}, ou retirez-la."


def _remedy(name: str) -> str:
    near = difflib.get_close_matches(name.strip().lower(), PLACEHOLDERS, n=1)
    if near:
        return f"Vouliez-vous dire {{{near[0]}}}\u202f?"
    return "Choisissez dans la liste, ou retirez les accolades."
