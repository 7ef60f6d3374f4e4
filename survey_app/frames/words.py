"""What the lists call an office, a kind of authority, a civility; and what we call it. Floor 4."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from survey_app.frames.headings import normalised

COMMUNE: Final = "commune"
INTERCOMMUNALITY: Final = "intercommunality"
DEPARTMENT: Final = "department"
KINDS: Final[Mapping[str, str]] = {
    COMMUNE: "Communes",
    INTERCOMMUNALITY: "Intercommunalités",
    DEPARTMENT: "Département",
}
OFFICES: Final[Mapping[str, tuple[str, str, str]]] = {
    "mayor": ("Maire", "Maire", "Maires"),
    "president": ("Président", "Présidente", "Présidents"),
    "delegated_mayor": ("Maire délégué", "Maire déléguée", "Maires délégués"),
    "vice_president": ("Vice-président", "Vice-présidente", "Vice-présidents"),
    "deputy": ("Adjoint", "Adjointe", "Adjoints"),
    "councillor": ("Conseiller", "Conseillère", "Conseillers"),
    "other": ("Élu", "Élue", "Autres fonctions"),
    "": ("", "", "Collectivités, sans nom"),
}
"""Code → for a man, for a woman, for many; the office that speaks for its authority comes first."""
_OFFICE_WORDS: Final = (
    (r"\bvice president", "vice_president"),
    (r"\bmaires? deleguee?s?\b", "delegated_mayor"),
    (r"\badjointe?s?\b", "deputy"),
    (r"\bmaire\b|\bmairesse\b", "mayor"),
    (r"\bpresidente?\b", "president"),
    (r"\bconseill|\bdelegue|\bmembre\b", "councillor"),
)
_MALE: Final = frozenset({"m", "h", "1", "mr", "monsieur", "homme", "masculin"})
_FEMALE: Final = frozenset({"f", "2", "mme", "madame", "mlle", "femme", "feminin", "me"})
_WRITTEN: Final = frozenset({"m", "mr", "monsieur", "mme", "madame", "mlle"})
"""What may stand before a name as its civility: an initial « F » or « H » may not."""
_KIND_WORDS: Final = (
    (r"^conseil departemental|^departement\b|^conseil general", DEPARTMENT),
    (r"^communaute\b|^metropole\b|^cc\b|^ca\b|^syndicat\b|intercommun|agglomeration", INTERCOMMUNALITY),
)


def office_of(label: str, usual: str) -> str:
    """The code of an office as a list writes it; `usual` where the list says nothing."""
    words = normalised(label)
    if not words:
        return usual
    return next((code for pattern, code in _OFFICE_WORDS if re.search(pattern, words)), "other")


def office_words(office: str, civility: str = "") -> str:
    """« Maire », « Présidente »; empty where no person is named."""
    return OFFICES.get(office, OFFICES["other"])[civility == "Madame"]


def rank(office: str) -> int:
    """0 for whoever speaks for the authority."""
    return list(OFFICES).index(office) if office in OFFICES else len(OFFICES)


def civility_of(text: str) -> str:
    """« Madame », « Monsieur », or nothing."""
    words = normalised(text)
    return "Madame" if words in _FEMALE else "Monsieur" if words in _MALE else ""


def civility_before(name: str) -> tuple[str, str]:
    """« Mme DUPONT » → (« Madame », « DUPONT »); a name without a civility stays as it is."""
    first, _, rest = name.partition(" ")
    civility = civility_of(first) if rest and normalised(first) in _WRITTEN else ""
    return (civility, rest.strip()) if civility else ("", name)


def kind_of(authority: str) -> str:
    """What an authority is, from its name alone."""
    words = normalised(authority)
    return next((kind for pattern, kind in _KIND_WORDS if re.search(pattern, words)), COMMUNE)
