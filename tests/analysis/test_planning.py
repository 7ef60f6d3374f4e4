"""How many answers are missing. Oracle: the half-widths at 75 % of Wilson's interval, computed with R."""

from __future__ import annotations

import pytest

from analysis.planning import answers_needed, margin_of, missing_answers


@pytest.mark.parametrize(
    "population, margin, needed",
    [
        (None, 0.10, 70),
        (None, 0.05, 286),
        (None, 0.03, 798),
        (256, 0.10, 55),
        (256, 0.05, 136),
        (256, 0.03, 194),
        (1393, 0.10, 67),
        (1393, 0.05, 238),
        (1393, 0.03, 508),
    ],
)
def test_answers_needed_for_a_margin(population: int | None, margin: float, needed: int) -> None:
    assert answers_needed(margin, population=population) == needed


@pytest.mark.parametrize("population", [None, 1, 2, 40, 256])
def test_one_answer_fewer_is_not_enough(population: int | None) -> None:
    needed = answers_needed(0.06, population=population)
    assert margin_of(needed, population=population) <= 0.06
    assert needed == 1 or margin_of(needed - 1, population=population) > 0.06


def test_a_site_without_expected_visits_is_told_too() -> None:
    needed = answers_needed(0.06)
    assert missing_answers({"accueil": 100}, {"immigration": None}) == {
        "immigration": needed,
        "accueil": needed - 100,
    }


def test_nothing_is_missing_beyond_what_is_needed() -> None:
    assert missing_answers({"accueil": 10**6}, {}) == {"accueil": 0}


def test_a_declared_population_bounds_what_is_missing_at_every_site() -> None:
    of_256 = answers_needed(0.06, population=256)
    assert of_256 < answers_needed(0.06)
    assert missing_answers({"a_distance": 40}, {"a_distance": None}, population=256) == {
        "a_distance": of_256 - 40
    }
    fewer, more = {"immigration": 100, "accueil": 900}, {"immigration": answers_needed(0.06, population=100)}
    assert missing_answers({}, fewer, population=256) == more | {"accueil": of_256}
    assert missing_answers({"accueil": 300}, {}, population=256) == {"accueil": 0}
