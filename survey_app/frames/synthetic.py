"""256 invented communes with invented mayors, for the demonstration and for tests. Floor 4.

No code and no address of it belongs to anybody: communes are numbered from 79999 down, mailboxes are under
``.test``, which no name server knows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Final

from survey_app.frames.storage import PendingFrame

COMMUNES: Final[Mapping[str, int]] = {"Niort": 121, "Bressuire": 57, "Parthenay": 78}
"""How many communes each arrondissement has, since 2018."""
INTERCOMMUNALITIES: Final = 8
WITHOUT_EMAIL: Final = 16
SHARED: Final = 24
"""So many town halls share a mailbox by two."""
_SOURCE: Final = "Liste inventée pour la démonstration"


def _words(text: str) -> list[str]:
    return text.split()


_FIRST: Final = {
    "Madame": _words("Aline Berthe Coralie Diane Élise Flore Garance Hélène Inès Jade Lise Maud Nadia Odile"),
    "Monsieur": _words("Adrien Basile Cyril Damien Éloi Fabien Gaël Hugo Ivan Joël Léon Marc Noël Rémi"),
}
_LAST: Final = _words(
    "BOISRENAUD CHAMPELIER DORVIGNE FERRANDEAU GATILLON HAUTEFORGE JAMBRELLE LARIVOIRE MARCHENOIRE "
    "NOUAILLAC ORVALEAU PINCHAUD QUÉRELLOUX RIBERDIÈRE SAUVETERNE TALVANDEAU VERMENTOIS YVERNAULT "
    "BRÉCHAUMONT COURDEMANGE"
)
_BEFORE: Final = _words(
    "Saint-Aubin Sainte-Ombeline La-Chapelle Le-Breuil Les-Aunais Villeneuve Mont Pont Val Haut-Clain"
)
_AFTER: Final = _words(
    "des-Bruyères du-Tilleul sur-Ombre les-Églantiers la-Forêt d’Argentelle en-Plaine aux-Hirondelles"
)
_SIZES: Final = (180, 320, 450, 640, 900, 1300, 1900, 2600, 5200, 11000)
_WEIGHTS: Final = (22, 22, 15, 13, 10, 7, 5, 3, 2, 1)


def synthetic_frame(seed: int = 2026) -> PendingFrame:
    """The list, as if its files had just been checked: 256 mayors, 8 presidents, one of the department."""
    chance = random.Random(seed)  # noqa: S311 (the same list each time)
    units = [*_mayors(chance), *_presidents(chance)]
    return PendingFrame(
        title="Élus des Deux-Sèvres (inventés)",
        source=_SOURCE,
        source_date="2026-09-01",
        files=((f"liste-inventee-{seed}.csv", f"{seed:064x}"),),
        left_out=0,
        units=tuple((*unit, number) for number, unit in enumerate(units)),
    )


def _mayors(chance: random.Random) -> Iterator[tuple[object, ...]]:
    places = [where for where, number in COMMUNES.items() for _ in range(number)]
    names = _names(chance, len(places))
    for number, (where, name) in enumerate(zip(places, names, strict=True)):
        code = f"79{999 - number}"
        inhabitants = chance.choices(_SIZES, _WEIGHTS)[0] + chance.randrange(60)
        email = (
            f"secretariat-{number // 2}@mairies.test" if number < SHARED else f"mairie-{code}@mairies.test"
        )
        yield (
            *(number + 2, "commune", code, name, where, inhabitants, "mayor", *_person(chance)),
            None if number >= len(places) - WITHOUT_EMAIL else email,
            f"{1 + number % 40} place de la Mairie\n79999 {name}",
        )


def _presidents(chance: random.Random) -> Iterator[tuple[object, ...]]:
    first = sum(COMMUNES.values()) + 2
    for number in range(INTERCOMMUNALITIES):
        where = list(COMMUNES)[number % len(COMMUNES)]
        name = f"Communauté de communes n°\u00a0{number + 1}"
        yield (
            *(first + number, "intercommunality", f"99900000{number}", name, where, None, "president"),
            *(*_person(chance), f"cc-{number + 1}@mairies.test", f"2 rue du Pays\n79999 {name}"),
        )
    department = "Conseil départemental (inventé)"
    yield (
        *(first + INTERCOMMUNALITIES, "department", "79", department, None, None, "president"),
        *(*_person(chance), "conseil@mairies.test", "1 place du Département\n79999 Ville-Inventée"),
    )


def _person(chance: random.Random) -> tuple[str, str, str]:
    civility = chance.choice(list(_FIRST))
    return civility, chance.choice(_FIRST[civility]), chance.choice(_LAST)


def _names(chance: random.Random, number: int) -> list[str]:
    pairs = [f"{before}-{after}" for before in _BEFORE for after in _AFTER]
    names = [*pairs, *(f"{pair}-{word}" for pair in pairs for word in ("Bas", "Haut", "Neuf"))]
    chance.shuffle(names)
    return names[:number]
