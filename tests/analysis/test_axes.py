"""Rules S2 and S4: the official verdict, and what can be said."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.axes import (
    JSON_FIELDS,
    CommitmentResult,
    ItemResult,
    MeasuredItem,
    Reading,
    commitment_result,
    item_result,
)
from analysis.publication import judge
from analysis.rates import Rate, RespondentSums


def item(
    favourable: int, base: int, population: int | None = None, reading: Reading | None = None
) -> ItemResult:
    measured = MeasuredItem("question", Rate(favourable, base, population=population))
    return item_result("engagement", measured, reading or Reading())


def every_item(*counts: tuple[int, int]) -> CommitmentResult:
    items = [MeasuredItem(f"question_{number}", Rate(*pair)) for number, pair in enumerate(counts)]
    return commitment_result("engagement", items, Reading(), rule="every_item")


@pytest.mark.parametrize(
    "favourable, base, population, axis, verdict",
    [
        (24, 30, None, False, "not_distinguishable"),
        (96, 120, None, False, "not_distinguishable"),
        (240, 300, None, False, "above"),
        (45, 60, None, False, "not_distinguishable"),
        (140, 180, 256, False, "not_distinguishable"),
        (7496, 10000, None, True, "not_distinguishable"),
        (180, 300, None, True, "below"),
        (29, 29, None, False, "too_few"),
        (0, 0, None, False, None),
        (1, 1, None, False, "too_few"),
        (0, 1, None, True, "too_few"),
        (191, 256, 256, True, "below"),
        (192, 256, 256, False, "above"),
        (2, 3, 3, True, "below"),
    ],
)
def test_s4_verdicts(
    favourable: int, base: int, population: int | None, axis: bool, verdict: str | None
) -> None:
    result = item(favourable, base, population)
    assert (result.improvement_axis, result.verdict) == (axis, verdict)


def test_s4_the_interval_never_changes_the_official_verdict() -> None:
    for method in ("wilson", "clopper_pearson", "jeffreys"):
        result = item(224, 300, reading=Reading(method=method))
        assert result.improvement_axis
        assert result.verdict == "not_distinguishable"


def test_s3_too_few_answers_still_have_an_interval() -> None:
    result = item(20, 29)
    assert result.verdict == "too_few"
    assert result.low is not None


def test_s3_the_minimum_base_is_a_setting_and_includes_itself() -> None:
    assert item(24, 30).verdict != "too_few"
    assert item(24, 30, reading=Reading(minimum_base=31)).verdict == "too_few"


def test_s3_the_minimum_base_counts_effective_answers() -> None:
    """25 people who answered 4 questions alike are no 100 answers."""
    people = [(4, 4)] * 20 + [(0, 4)] * 5
    items = [MeasuredItem(f"question_{number}", Rate(20, 25)) for number in range(4)]
    result = commitment_result("engagement", items, Reading(), sums=RespondentSums.of(people))
    assert result.base == 100
    assert result.verdict == "too_few"


def test_s3_the_minimum_base_counts_people_where_they_are_fewer() -> None:
    """5 people whose answers differ among themselves more than between them: 30 effective answers."""
    people = [(5, 6)] * 4 + [(4, 6)]
    items = [MeasuredItem(f"question_{number}", Rate(4, 5)) for number in range(6)]
    result = commitment_result("engagement", items, Reading(), sums=RespondentSums.of(people))
    assert result.effective_base == 30
    assert result.useful_base == 5
    assert result.verdict == "too_few"
    assert "small_base" in [flag.code for flag in judge(result, "staff", 30)]


def test_s4_another_threshold_is_compared_exactly() -> None:
    reading = Reading(threshold=Fraction(2, 3))
    assert not item(200, 300, reading=reading).improvement_axis
    assert item(199, 300, reading=reading).improvement_axis


def test_s2_pooled_is_the_sum_of_answers_and_not_the_mean_of_rates() -> None:
    items = [MeasuredItem("often", Rate(90, 100)), MeasuredItem("rarely", Rate(1, 10))]
    result = commitment_result("engagement", items, Reading())
    assert (result.favourable, result.base) == (91, 110)
    assert result.rate == 91 / 110


@given(st.integers(1, 400).flatmap(lambda b: st.tuples(st.integers(0, b), st.just(b))), st.booleans())
def test_s2_a_commitment_of_one_item_equals_its_item(counts: tuple[int, int], known: bool) -> None:
    population = counts[1] + 7 if known else None
    measured = MeasuredItem("question", Rate(*counts, population=population))
    for rule in ("pooled", "every_item"):
        result = commitment_result("engagement", [measured], Reading(), rule=rule, population=population)
        figures, own = result.as_json(), result.items[0].as_json()
        assert {**figures, "item": "question"} == own


def test_s2_every_item_decides_by_the_worst_item_without_pooled_interval() -> None:
    result = every_item((290, 300), (200, 300))
    assert (result.improvement_axis, result.verdict) == (True, "below")
    assert (result.low, result.high, result.effective_base, result.method) == (None, None, None, "every item")
    assert (result.favourable, result.base) == (490, 600)


@pytest.mark.parametrize(
    "counts, axis, verdict",
    [
        ([(290, 300), (280, 300)], False, "above"),
        ([(290, 300), (230, 300)], False, "not_distinguishable"),
        ([(290, 300), (8, 10)], False, "too_few"),
        ([(150, 300), (5, 10)], True, "below"),
        ([(290, 300), (0, 0)], False, "above"),
        ([(0, 0), (0, 0)], False, None),
    ],
)
def test_s2_every_item_is_above_only_when_all_are(
    counts: list[tuple[int, int]], axis: bool, verdict: str | None
) -> None:
    result = every_item(*counts)
    assert (result.improvement_axis, result.verdict) == (axis, verdict)


def test_the_fields_of_a_line_are_those_promised() -> None:
    assert (
        tuple(item(24, 30).as_json())
        == JSON_FIELDS
        == (
            "commitment",
            "item",
            "favourable",
            "base",
            "effective_base",
            "rate",
            "low",
            "high",
            "method",
            "improvement_axis",
            "verdict",
        )
    )
