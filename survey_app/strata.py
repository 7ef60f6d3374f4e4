"""The strata of a wave by personal link: where its answers come from, and how many people each has. Floor 4.

A stratum is an arrondissement × office × size of the commune, « niort.mayor.under_500 ». Small ones are
merged by one rule (:func:`merged_strata`): by their people when a list is frozen, by their answers in the
mixing. Staff read strata. Whoever opens a link reads territories: whole arrondissements.
A wave without personal links has neither: its sites are places of the organisation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from analysis.display import listed
from survey_app.database import db
from survey_app.invitation_models import Invitation, WaveFrame
from survey_app.models import Wave
from survey_app.responses.link_facts import FEWEST, MODE
from survey_app.responses.participation import ENDS

SIZES: Final[tuple[tuple[str, int, str], ...]] = (
    ("under_500", 500, "moins de 500 habitants"),
    ("from_500_to_1999", 2000, "500 à 1\u202f999 habitants"),
    ("from_2000", 10**9, "2\u202f000 habitants ou plus"),
)
"""Sizes of communes: code, the first number of inhabitants above, the words."""
NOWHERE: Final = "departement"
"""Instead of an arrondissement, of who is elected for all of them."""
_SIZE_ORDER: Final = ("", *(code for code, _, _ in SIZES))


def merged_strata(counts: Mapping[str, int], smallest: int = FEWEST) -> dict[str, str]:
    """Small stratum → the one it goes into, so that each has as many as that, or one is left.

    The nearest: of the same arrondissement and office the next size, then the same arrondissement. Only an
    arrondissement that is too small as a whole goes elsewhere, into the smallest other one: a large one stays
    readable by itself. What lies in no arrondissement goes where it changes least, into the largest.
    """
    left, into = dict(counts), dict[str, str]()
    while len(left) > 1:
        small = min(left, key=lambda code: (left[code], code))
        if left[small] >= smallest:
            break
        people = left.pop(small)
        target = _nearest(small, left)
        left[target] += people
        into = {code: target if to == small else to for code, to in into.items()} | {small: target}
    return into


def _nearest(small: str, others: Mapping[str, int]) -> str:
    here, what, size = _parts(small)
    of_place = Counter[str]()
    for code, people in others.items():
        of_place[_place(code)] += people
    sign = -1 if here == NOWHERE else 1

    def distance(code: str) -> tuple[Any, ...]:
        place, its_what, its_size = _parts(code)
        elsewhere = place != here
        sizes_between = abs(_SIZE_ORDER.index(size) - _SIZE_ORDER.index(its_size))
        first = (elsewhere, sign * of_place[place] if elsewhere else 0)
        return (*first, what != its_what, sizes_between, sign * others[code], code)

    return min(others, key=distance)


def _parts(code: str) -> tuple[str, str, str]:
    """Place, office and size of a code; empty where it has none."""
    place, what, size = (*code.split("."), "", "")[:3]
    return place, what, size


@dataclass(frozen=True)
class Stratum:
    """A part of the frozen population, after the merging of those that are too small."""

    code: str
    title: str
    population: int
    parts: frozenset[str]
    """The strata of the invitations in it."""
    places: frozenset[str]
    """Their arrondissements, by the first part of their codes."""


def frame_of(wave_id: str) -> WaveFrame | None:
    """The frozen snapshot that a wave by personal link works on; None for any other wave."""
    wave = db.session.get(Wave, wave_id)  # known to the session in nearly every case: no question asked
    if wave is None or MODE not in wave.modes:
        return None
    return db.session.get(WaveFrame, wave_id)


def strata_of(frame: WaveFrame) -> tuple[Stratum, ...]:
    """The strata that answers name, in the order in which they were frozen."""
    entries = {str(entry["code"]): entry for entry in frame.strata}
    people = _people(frame)
    groups: dict[str, list[str]] = {code: [] for code in entries}
    for code in entries:
        if people[code]:
            groups[_root(entries, code)].append(code)
    return tuple(
        Stratum(
            code,
            listed([str(entries[one]["title"]) for one in codes]),
            sum(people[one] for one in codes),
            frozenset(codes),
            frozenset(_place(one) for one in codes),
        )
        for code, codes in groups.items()
        if codes
    )


def territories_of(frame: WaveFrame) -> tuple[Stratum, ...]:
    """The arrondissements; one is joined to another when the mixing merged strata of both."""
    groups: list[list[Stratum]] = []
    for stratum in strata_of(frame):
        joined = [group for group in groups if any(one.places & stratum.places for one in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(one for group in joined for one in group), stratum])
    titles = _titles(frame.strata)
    return tuple(_territory(group, titles) for group in groups)


def _territory(group: Iterable[Stratum], titles: Mapping[str, str]) -> Stratum:
    strata = list(group)
    places = frozenset[str]().union(*(stratum.places for stratum in strata))
    return Stratum(
        "+".join(sorted(places)),
        listed([title for place, title in titles.items() if place in places]),
        sum(stratum.population for stratum in strata),
        frozenset[str]().union(*(stratum.parts for stratum in strata)),
        places,
    )


def _people(frame: WaveFrame) -> Counter[str]:
    """N per stratum: everybody of the frozen list has an invitation, those who object too.

    Before the links are prepared, the frozen numbers: those of strata that were merged then count in others.
    After the closing, those of the frozen participation: they outlive the invitations.
    """
    if frame.participation is not None:
        return Counter(
            {code: sum(counts.get(end, 0) for end in ENDS) for code, counts in frame.participation.items()}
        )
    of_wave = sa.select(Invitation.stratum, sa.func.count()).where(Invitation.wave_id == frame.wave_id)
    found = {row[0]: int(row[1]) for row in db.session.execute(of_wave.group_by(Invitation.stratum))}
    frozen = {str(one["code"]): int(one["population"]) for one in frame.strata if not one.get("merged_into")}
    return Counter(found or frozen)


def _root(entries: Mapping[str, Mapping[str, Any]], code: str) -> str:
    into = entries[code].get("merged_into")
    return _root(entries, str(into)) if into else code


def _place(code: str) -> str:
    return code.partition(".")[0]


def _titles(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Place → its name."""
    found: dict[str, str] = {}
    for entry in entries:
        title = str(entry.get("arrondissement") or str(entry["title"]).partition(",")[0])
        found.setdefault(_place(str(entry["code"])), title)
    return found


def sites_of(wave: Wave) -> tuple[str, ...]:
    """Where the answers of a wave can come from: its strata, and its sites for answers without a link."""
    frame = frame_of(wave.id)
    if frame is None:
        return tuple(wave.sites)
    others = tuple(wave.sites) if {*wave.modes} - {MODE} else ()
    return tuple(dict.fromkeys((*(stratum.code for stratum in strata_of(frame)), *others)))


def names_of(wave_id: str | None) -> dict[str, str]:
    """Code → title of the strata and territories of a wave; none where its answers come without links."""
    frame = frame_of(wave_id) if wave_id else None
    if frame is None:
        return {}
    return {one.code: one.title for one in (*territories_of(frame), *strata_of(frame))}


def composition(wave_id: str) -> dict[str, frozenset[str]]:
    """Stratum or territory → what it is made of: figures of two waves compare where both are the same."""
    frame = frame_of(wave_id)
    if frame is None:
        return {}
    strata = {stratum.code: stratum.parts for stratum in strata_of(frame)}
    return {one.code: one.places for one in territories_of(frame)} | strata
