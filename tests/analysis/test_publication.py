"""Rule S6: who may see which figure, and why."""

from __future__ import annotations

import pytest

from analysis.axes import MeasuredItem, Reading, Result, commitment_result, item_result
from analysis.publication import Readers, dominance, judge, may_be_shown
from analysis.rates import Rate, RespondentSums


def codes(result: Result, readers: Readers) -> list[str]:
    return [flag.code for flag in judge(result, readers, minimum_base=30)]


def a_result(favourable: int, base: int) -> Result:
    return item_result("engagement", MeasuredItem("question", Rate(favourable, base)), Reading())


@pytest.mark.parametrize(
    "people, readers, shown",
    [
        (4, "staff", False),
        (5, "staff", True),
        (10, "public", False),
        (11, "public", True),
        (0, "public", True),
    ],
)
def test_s6_no_cell_under_the_floor(people: int, readers: Readers, shown: bool) -> None:
    assert may_be_shown(people, readers) is shown


def test_s6_the_floor_counts_people_and_not_answers() -> None:
    people = [(4, 4), (2, 4), (3, 4)]
    sums = RespondentSums.of(people)
    items = [MeasuredItem("a", Rate(5, 6)), MeasuredItem("b", Rate(4, 6))]
    result = commitment_result("engagement", items, Reading(), sums=sums)
    assert result.base == 12
    flag = judge(result, "staff", 30)[0]
    assert (flag.code, flag.hides) == ("too_few_respondents", True)
    assert "5 personnes" in flag.reason


def test_s6_flags_give_reasons_and_leave_the_figure_alone() -> None:
    assert codes(a_result(15, 20), "public") == ["small_base", "wide_interval"]
    assert codes(a_result(240, 300), "public") == []
    assert codes(a_result(0, 0), "public") == []


def test_s6_a_part_with_85_percent_dominates() -> None:
    assert dominance({"accueil": 85, "immigration": 15}) is not None
    assert dominance({"accueil": 84, "immigration": 16}) is None
    assert dominance({"accueil": 100}) is None
