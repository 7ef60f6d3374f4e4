"""Two views that somebody may open, subtracted: never the figures of a few people."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from analysis.wave_report import build_wave_report
from survey_app.disclosure import for_staff
from tests.survey_app.exported_waves import Answered, a_source

FEWEST = 5
SITES, MODES, LANGUAGES = ("accueil", "immigration", "point_numerique"), ("tablet", "paper"), ("fr", "ar")
Filter = dict[str, Any]


def a_wave(seed: int) -> list[Answered]:
    """People in every corner of sites, modes and languages: crowds, a few, and nobody."""
    chance = random.Random(seed)
    sizes = (0, 1, 2, 3, 4, 6, 20, 45)
    corners = product(SITES, MODES, LANGUAGES)
    return [
        Answered({"courtesy": [chance.choice(("good", "bad"))]}, site, mode, language)
        for site, mode, language in corners
        for _ in range(chance.choice(sizes))
    ]


def views() -> Iterator[Filter]:
    """Every filter that the page of the results offers, and each with each other."""
    for site, mode, language in product((None, *SITES), (None, *MODES), (None, *LANGUAGES)):
        asked = {"site": site, "mode": mode, "language": language}
        yield {name: value for name, value in asked.items() if value}


Shown = Mapping[frozenset[tuple[str, str]], int | None]
"""Filter → how many people its figure rests on, None where it is withheld."""


def shown_bases(responses: list[Answered], *, alone: bool = False) -> Shown:
    """What staff see; `alone`: what they would see if each figure were judged by itself."""
    whole = a_source(responses).report
    found: dict[frozenset[tuple[str, str]], int | None] = {}
    for view in views():
        part = build_wave_report(whole.questionnaire, whole.wave_cells, whole.settings, **view)
        result = {one.commitment: one for one in for_staff(part).commitments}["courtoisie"]
        base = sum(all(getattr(one, name) == value for name, value in view.items()) for one in responses)
        hidden = base < FEWEST if alone else bool(result.withheld)
        found[frozenset(view.items())] = None if hidden else base
    return found


def given_away(shown: Shown) -> list[object]:
    """Each view less one within it, where a few people remain."""
    return [
        (sorted(wide), sorted(narrow), base, within)
        for wide, base in shown.items()
        for narrow, within in shown.items()
        if wide < narrow and base is not None and within is not None and 0 < base - within < FEWEST
    ]


@pytest.mark.abuse("AC-24")
@pytest.mark.parametrize("seed", range(3))
def test_no_two_views_differ_by_a_few_people(seed: int) -> None:
    responses = a_wave(seed)
    shown = shown_bases(responses)
    assert len(shown) == 36
    assert given_away(shown) == []
    assert sum(base is not None for base in shown.values()) > 3  # control: not everything is hidden
    assert (
        given_away(shown_bases(responses, alone=True)) != []
    )  # control: hiding the small alone would not do
