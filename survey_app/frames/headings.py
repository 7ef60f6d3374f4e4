"""Which column says what: by the words of its heading, never by its place or the file's name. Floor 4."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    "department": (
        "Département",
        "code du departement|code du departement maire|code departement|code departement epci"
        "|code du departement de l epci|code dep|dep|departement|num departement|numero de departement",
    ),
    "commune_code": (
        "Code de la commune",
        "code de la commune|code insee de la commune|code commune|code insee commune|code insee|insee"
        "|code insee de la commune de rattachement|code de la commune de rattachement|codgeo|com"
        "|code geographique",
    ),
    "commune_name": (
        "Commune",
        "libelle de la commune|libelle commune|commune|nom de la commune|nom commune|mairie"
        "|libelle de la commune de rattachement|libelle commune rattachee|libelle|nom officiel commune",
    ),
    "commune_type": ("Type de commune", "typecom"),
    "siren": ("SIREN", "n siren|siren|numero siren|no siren|n siren de l epci|code siren|siren epci"),
    "intercommunality": (
        "Intercommunalité",
        "libelle de l epci|libelle epci|epci|intercommunalite|nom de l epci|nom epci|groupement",
    ),
    "canton": ("Canton", "libelle du canton|libelle canton|canton|nom du canton"),
    "authority": ("Collectivité", "collectivite|nom de la collectivite|structure|organisme"),
    "last_name": (
        "Nom",
        "nom de l elu|nom elu|nom de famille|nom du maire|nom de l elue|nom|nom usuel"
        "|nom et prenom|nom prenom|prenom et nom|prenom nom|elu|elue|maire",
    ),
    "first_name": ("Prénom", "prenom de l elu|prenom elu|prenom|prenoms|prenom du maire|prenom de l elue"),
    "sex": ("Civilité", "code sexe|sexe elu|sexe de l elu|sexe|civilite|titre|genre"),
    "office": (
        "Fonction",
        "libelle de la fonction|libelle de fonction|libelle fonction|fonction|qualite|mandat"
        "|libelle du mandat",
    ),
    "function_start": (
        "Début de la fonction",
        "date de debut de la fonction|date debut fonction|date de debut de fonction",
    ),
    "mandate_start": ("Début du mandat", "date de debut du mandat|date debut mandat|date de debut de mandat"),
    "function_end": ("Fin de la fonction", "date de fin de la fonction|date fin fonction"),
    "mandate_end": ("Fin du mandat", "date de fin du mandat|date fin mandat|date de fin de mandat"),
    "arrondissement": (
        "Arrondissement",
        "arrondissement|libelle de l arrondissement|nom de l arrondissement|code arrondissement|arr"
        "|code de l arrondissement|sous prefecture|libelle arrondissement|nom arrondissement",
    ),
    "inhabitants": (
        "Habitants",
        "population de la commune|population|population municipale|population totale|habitants"
        "|nombre d habitants|nb habitants|pmun|ptot|pop",
    ),
    "email": (
        "Adresse électronique",
        "adresse courriel|courriel|e mail|email|mail|mel|adresse electronique|adresse mail|adresse e mail"
        "|courriel de la mairie|mail mairie|courriel mairie|messagerie",
    ),
    "address": (
        "Adresse postale",
        "adresse|adresse postale|voie|rue|numero voie|adresse de la mairie|adresse 1|adresse mairie",
    ),
    "address_more": (
        "Complément d’adresse",
        "complement d adresse|complement|adresse 2|lieu dit|boite postale|bp",
    ),
    "postcode": ("Code postal", "code postal|cp"),
    "town": ("Ville", "ville|bureau distributeur|localite|nom commune postale"),
    "service": ("Type de service", "pivot|type de service local|type service"),
}
"""Meaning → its name on screen, and the headings that have it, without accents, points or capitals."""

NEVER_READ: Final = (
    "naissance",
    "nuance",
    "profession",
    "socio",
    "nationalite",
    "etiquette",
    "parti politique",
    "csp",
    "telephone personnel",
    "portable",
)
"""A column with one of these words in its heading is not even looked into."""

OTHERS: Final[Mapping[str, str]] = {
    "section departementale": "des conseillers régionaux",
    "circonscription legislative": "des députés",
    "cir legislative": "des députés",
    "circonscription metropolitaine": "des conseillers métropolitains",
    "circonscription consulaire": "des conseillers des Français de l’étranger",
    "circonscription afe": "des conseillers des Français de l’étranger",
    "circer": "des représentants au Parlement européen",
    "region": "des conseillers régionaux",
}
"""Words of a heading that belong to another of the files of the RNE, and whom that one lists."""

HEADER_WITHIN: Final = 30
"""The header is one of the first so many lines: titles stand above it."""
LEAST_KNOWN: Final = 2
_MEANING_OF: Final = {
    words: meaning for meaning, (_, headings) in MEANINGS.items() for words in headings.split("|")
}


def normalised(text: str) -> str:
    """Small letters, no accents, one space for everything that is neither letter nor digit."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("°", " "))
    kept = "".join(character for character in plain if not unicodedata.combining(character))
    return re.sub(r"[\W_]+", " ", kept).strip()


@dataclass(frozen=True)
class Header:
    """The line of headings: where it stands, and what its columns mean."""

    at: int
    """Index among the lines of the sheet."""
    headings: tuple[str, ...]

    @cached_property
    def columns(self) -> dict[str, int]:
        """Meaning → index of its column; of two with one meaning, the first."""
        found: dict[str, int] = {}
        for index, heading in enumerate(self.headings):
            meaning = _MEANING_OF.get(normalised(heading))
            if meaning and not is_never_read(heading):
                found.setdefault(meaning, index)
        return found

    @cached_property
    def never_read(self) -> tuple[str, ...]:
        """The headings of what is never looked into."""
        return tuple(heading for heading in self.headings if is_never_read(heading))

    @property
    def left(self) -> tuple[str, ...]:
        """The headings that nothing is taken from."""
        used = set(self.columns.values())
        return tuple(
            heading
            for index, heading in enumerate(self.headings)
            if heading.strip() and index not in used and heading not in self.never_read
        )

    @property
    def lists(self) -> str:
        """``people``, ``directory`` (the Annuaire) or ``places``; empty where it names no authority."""
        known = self.columns.keys()
        if "service" in known and "email" in known:
            return "directory"
        if self._names_people:
            return (
                "people" if known & {"commune_code", "commune_name", "siren", "canton", "authority"} else ""
            )
        return "places" if known & {"commune_code", "siren", "authority", "commune_name"} else ""

    @property
    def _names_people(self) -> bool:
        """« Nom » alone may be that of a commune."""
        known = self.columns.keys()
        if "last_name" not in known:
            return False
        alone = normalised(self.headings[self.columns["last_name"]]) == "nom"
        return not alone or bool(known & {"first_name", "office", "sex", "mandate_start"})

    @property
    def others(self) -> str | None:
        """Whom another file of the RNE lists, where this is one."""
        if self.columns.keys() & {"commune_code", "siren", "canton"}:
            return None
        words = " | ".join(normalised(heading) for heading in self.headings)
        return next((whom for part, whom in OTHERS.items() if part in words), None)


def is_never_read(heading: str) -> bool:
    """Whether a column must not be looked into: birth, nuance, profession, nationality."""
    words = normalised(heading)
    return any(part in words for part in NEVER_READ)


def known_words(cells: Sequence[str]) -> int:
    """How much of a line looks like headings."""
    return sum(
        1 for cell in cells if normalised(cell) in _MEANING_OF or (cell.strip() and is_never_read(cell))
    )


def find_header(lines: Sequence[Sequence[str]]) -> Header | None:
    """The line among the first ones that holds the most headings; None where none holds two."""
    scored = [(known_words(cells), -at) for at, cells in enumerate(lines[:HEADER_WITHIN])]
    best, at = max(scored, default=(0, 0))
    if best < LEAST_KNOWN:
        return None
    return Header(-at, tuple(cell.strip() for cell in lines[-at]))
