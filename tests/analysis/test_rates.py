"""Rules S1 to S3: counts, exact comparison, effective base."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.intervals import clopper_pearson, wilson
from analysis.rates import (
    APPROXIMATE_POPULATION,
    INDEPENDENCE_ASSUMED,
    NO_VARIANCE,
    FigureError,
    PopulationError,
    Rate,
    RespondentSums,
    Tally,
)
from tests.analysis.references import Case, cases, near, sums_of_dataset

THRESHOLD = Fraction(3, 4)
PEOPLE = st.lists(
    st.integers(0, 20).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base))), max_size=40
)


def pooled(people: list[tuple[int, int]], population: int | None = None) -> Rate:
    sums = RespondentSums.of(people)
    return Rate(sums.k, sums.b, sums=sums, population=population)


def test_s1_a_base_of_0_has_no_rate_and_is_no_error() -> None:
    rate = Rate(0, 0)
    assert rate.value is None
    assert not rate.is_below(THRESHOLD)
    interval = rate.interval()
    assert (interval.low, interval.high, interval.method) == (None, None, None)


def test_s1_the_four_absences_stay_apart() -> None:
    tally = Tally(favourable=212, base=270, not_applicable=14, no_opinion=3, unanswered=6, off_path=9)
    assert tally.responses == 302
    assert tally + tally - tally == tally


@pytest.mark.parametrize("favourable, base", [(-1, 2), (3, 2)])
def test_s1_impossible_counts_are_refused(favourable: int, base: int) -> None:
    with pytest.raises(FigureError):
        Rate(favourable, base)


def test_s4_75_percent_exactly_is_not_below() -> None:
    assert not Rate(45, 60).is_below(THRESHOLD)
    assert not Rate(3 * 10**11, 4 * 10**11).is_below(THRESHOLD)
    assert Rate(3 * 10**11 - 1, 4 * 10**11).is_below(THRESHOLD)


@given(st.integers(1, 2000).flatmap(lambda b: st.tuples(st.integers(0, b), st.just(b))))
def test_s4_the_comparison_is_that_of_exact_fractions(counts: tuple[int, int]) -> None:
    k, b = counts
    for threshold in (THRESHOLD, Fraction(2, 3), Fraction(1), Fraction(1, 7)):
        assert Rate(k, b).is_below(threshold) == (Fraction(k, b) < threshold)


def test_s4_a_rate_that_rounds_to_75_is_still_below() -> None:
    assert Rate(7496, 10000).is_below(THRESHOLD)


@pytest.mark.parametrize("case", cases("svy_cluster_respondent"))
def test_s2_the_variance_by_respondent_is_that_of_r_survey(case: Case) -> None:
    sums = sums_of_dataset(case["inputs"]["dataset"])
    expected = case["expected"]
    assert sums.k / sums.b == near(case, "mean")
    assert sqrt(sums.variance) == near(case, "se")
    assert sums.n - 1 == expected["degf"]


@pytest.mark.parametrize("case", cases("svyciprop_beta"))
def test_s2_the_effective_base_is_that_of_korn_and_graubard_in_r(case: Case) -> None:
    """R: Clopper–Pearson on p(1 − p) / var · (t/t)², which is B − 1 for a simple sample; ours is B."""
    sums, level = sums_of_dataset(case["inputs"]["dataset"]), case["inputs"]["level"]
    effective = sums.effective_base(level) * (sums.b - 1) / sums.b
    bounds = clopper_pearson(sums.k / sums.b, effective, level)
    assert bounds == (near(case, "low"), near(case, "high"))


@given(PEOPLE)
def test_s2_the_effective_base_never_exceeds_the_answers(people: list[tuple[int, int]]) -> None:
    rate = pooled(people)
    assert 0 <= rate.effective_base(0.95) <= rate.base


@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_s2_one_answer_per_respondent_gives_the_item_itself(answers: list[bool]) -> None:
    single = Rate(sum(answers), len(answers))
    together = pooled([(int(answer), 1) for answer in answers])
    assert together.effective_base(0.95) == single.base
    assert together.interval() == single.interval()


@given(PEOPLE)
def test_s2_the_order_of_respondents_does_not_matter(people: list[tuple[int, int]]) -> None:
    shuffled = sorted(people)
    assert RespondentSums.of(people) == RespondentSums.of(shuffled)
    assert pooled(people).interval() == pooled(shuffled).interval()


@given(PEOPLE, PEOPLE, PEOPLE)
def test_s2_sums_of_disjoint_respondents_add(
    first: list[tuple[int, int]], second: list[tuple[int, int]], third: list[tuple[int, int]]
) -> None:
    a, b, c = map(RespondentSums.of, (first, second, third))
    assert (a + b) + c == a + (b + c) == RespondentSums.of(first + second + third)
    assert a + b - b == a


def test_s2_respondents_without_any_expressed_answer_are_left_out() -> None:
    assert RespondentSums.of([(0, 0), (2, 3), (0, 0)]) == RespondentSums.of([(2, 3)])


@pytest.mark.parametrize("people", [[(4, 4)] * 40, [(0, 4)] * 40, [(3, 4)] * 40])
def test_s2_without_variance_each_respondent_is_worth_one_answer(people: list[tuple[int, int]]) -> None:
    interval = pooled(people).interval()
    assert interval.effective_base == 40
    assert NO_VARIANCE in interval.flags


def test_s2_one_respondent_has_a_count_and_no_interval() -> None:
    for rate in (pooled([(3, 4)]), Rate(1, 1)):
        interval = rate.interval()
        assert (interval.low, interval.high, interval.method) == (None, None, "one respondent")
        assert rate.value is not None


def test_s2_pooled_counts_without_respondents_say_that_independence_was_assumed() -> None:
    interval = Rate(120, 150, respondents=120).interval()
    assert interval.method == "wilson, independence assumed"
    assert INDEPENDENCE_ASSUMED in interval.flags
    assert interval.effective_base == 150


def test_s2_correlated_answers_widen_the_interval() -> None:
    people = [(4, 4)] * 75 + [(0, 4)] * 25
    clustered, naive = pooled(people).interval(), Rate(300, 400).interval()
    assert clustered.low is not None
    assert naive.low is not None
    assert clustered.low < naive.low
    assert clustered.effective_base == pytest.approx(100, rel=0.03)


def test_s3_a_census_has_no_interval_and_says_so() -> None:
    for rate in (Rate(192, 256, population=256), pooled([(2, 4)] * 5, population=5)):
        interval = rate.interval()
        assert (interval.low, interval.high, interval.method) == (None, None, "census")


def test_s3_a_population_smaller_than_the_respondents_is_an_error_that_names_both() -> None:
    with pytest.raises(PopulationError, match=r"256.*300|300.*256"):
        Rate(200, 300, population=256)
    with pytest.raises(PopulationError):
        pooled([(1, 2)] * 5, population=4)


def test_s3_more_answers_than_people_is_ordinary_for_pooled_items() -> None:
    """n_eff by hand: p = 1/2, deff = 13/12, and 10 of the 12 people answered."""
    interval = pooled([(1, 4), (3, 4)] * 5, population=12).interval()
    effective = 40 / (13 / 12) * (2.0226909 / 2.2621572) ** 2
    assert interval.effective_base == pytest.approx(effective, rel=1e-6)
    assert (interval.low, interval.high) == pytest.approx(wilson(0.5, effective * 11 / 2, 0.95), rel=1e-6)


def test_s3_one_item_with_a_known_population_counts_whole_people() -> None:
    interval = Rate(140, 180, population=256).interval()
    assert interval.people == (190, 207)
    assert interval.method == "hypergeometric"
    assert (interval.low, interval.high) == (190 / 256, 207 / 256)


def test_s3_pooled_items_with_a_known_population_are_corrected_approximately() -> None:
    people = [(4, 4)] * 75 + [(0, 4)] * 25
    free, bound = pooled(people).interval(), pooled(people, population=120).interval()
    assert bound.method == "wilson, approximate population"
    assert APPROXIMATE_POPULATION in bound.flags
    assert bound.effective_base == free.effective_base
    assert None not in (bound.low, free.low, bound.high, free.high)
    assert free.low < bound.low < bound.high < free.high  # type: ignore[operator]


def test_s3_a_bound_of_whole_people_at_the_threshold_is_compared_exactly() -> None:
    """As a float, 2/3 is smaller than two thirds."""
    interval = Rate(19, 29, population=30).interval()
    assert interval.people == (19, 20)
    assert not interval.is_below(Fraction(2, 3))
    assert interval.is_above(Fraction(19, 30))


def test_s1_counts_beyond_32_bits_stay_exact() -> None:
    sums = RespondentSums(10**7, 16 * 10**7, 2 * 10**8, 26 * 10**8, 32 * 10**8, 4 * 10**9)
    assert sums.variance > 0
    assert Rate(sums.k, sums.b, sums=sums).interval().low == pytest.approx(0.8, abs=1e-3)
