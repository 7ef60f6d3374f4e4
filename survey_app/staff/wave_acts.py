"""The steps in the life of an edition as its pages say them: what starts or stops, and for whom. Floor 5."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Act:
    """A step as its confirmation page and its button say it."""

    step: str
    label: str
    done: str
    notes: tuple[str, ...]
    heading: str = "Ce qui change"
    by_mode: Mapping[str, str] = field(default_factory=dict)
    """What starts or stops, for whom."""
    kind: str = ""
    """The look of its button."""


STARTS: Final[Mapping[str, str]] = {
    "website": "Sur le site internet, toute personne qui ouvre l’adresse de l’enquête peut répondre.",
    "tablet": "Les tablettes de ces sites posent le questionnaire dès leur prochain contact avec le serveur.",
    "paper": "Les agents peuvent imprimer le questionnaire et saisir les feuilles remplies.",
    "personal_link": "Les personnes de la liste peuvent répondre avec leur lien. "
    "Aucun courriel ne part de lui-même.",
}
STOPS: Final[Mapping[str, str]] = {
    "website": "Le site internet ne propose plus le questionnaire au public.",
    "tablet": "Les tablettes cessent de le poser aux visiteurs dès leur prochain contact avec le serveur. "
    "Ce qu’elles gardent encore arrive, et compte s’il a été rempli à temps.",
    "paper": "Les agents ne l’impriment plus, et saisissent encore les feuilles remplies à temps.",
    "personal_link": "Les liens personnels ne prennent plus de réponses. "
    "Celles qui sont là sont mélangées et comptées, puis leur clé est détruite\u00a0: "
    "l’édition ne se rouvre plus. À moins de onze réponses, aucune n’est gardée. "
    "Les liens ouvriront les résultats.",
}
CAN_BE_REOPENED: Final = "Vous pourrez la rouvrir tant qu’elle n’est pas scellée."
"""Not said of an edition by personal link: its key is gone then."""
WAIT_FOR_TABLETS: Final = "Attendez que toutes les tablettes soient vides."


def said_of(note: str, modes: Collection[str]) -> bool:
    """Whether a note is true of an edition with these collection modes."""
    if note == CAN_BE_REOPENED:
        return "personal_link" not in modes
    return note != WAIT_FOR_TABLETS or "tablet" in modes


ACTS: Final[Mapping[str, Act]] = {
    "ouvrir": Act(
        "open",
        "Ouvrir l’édition",
        "L’édition est ouverte\u00a0: elle reçoit des réponses.",
        ("Une fois ouverte, ses règles ne changent plus.",),
        by_mode=STARTS,
    ),
    "clore": Act(
        "close",
        "Clore l’édition",
        "L’édition est close.",
        (CAN_BE_REOPENED,),
        heading="Dès maintenant",
        by_mode=STOPS,
    ),
    "rouvrir": Act(
        "reopen",
        "Rouvrir l’édition",
        "L’édition est de nouveau ouverte\u00a0: elle reçoit des réponses.",
        (
            "Les réponses remplies pendant la clôture restent signalées et non comptées\u00a0: "
            "«\u202fRéponses à revoir\u202f» permet de les compter.",
        ),
        by_mode=STARTS,
    ),
    "sceller": Act(
        "seal",
        "Sceller l’édition",
        "L’édition est scellée.",
        (
            "Ce qui arrive ensuite est gardé et signalé, et ne compte plus.",
            WAIT_FOR_TABLETS,
            "Une édition scellée ne se rouvre pas.",
        ),
    ),
    "publier": Act(
        "publish",
        "Publier les résultats",
        "Les résultats sont publiés.",
        ("Ces chiffres sont déclarés officiels. Cette étape ne se reprend pas.",),
    ),
    "supprimer": Act(
        "delete",
        "Supprimer l’édition",
        "L’édition est supprimée.",
        (
            "Ce qu’elle déclare est perdu\u00a0: dates, sites, règles. Le questionnaire reste publié.",
            "Elle n’a reçu aucune réponse.",
        ),
        kind="danger",
    ),
}
