"""Rule S5: two rates side by side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.axes import CommitmentResult, MeasuredItem, Reading, commitment_result
from analysis.comparisons import Share, differences, holm, newcombe, score_test
from analysis.rates import Rate, RespondentSums
from tests.analysis.references import Case, cases, near


def shares(case: Case) -> tuple[Share, Share]:
    inputs = case["inputs"]
    return (
        Share(inputs["k1"] / inputs["n1"], inputs["n1"]),
        Share(inputs["k2"] / inputs["n2"], inputs["n2"]),
    )


def a_commitment(code: str, favourable: int, base: int) -> CommitmentResult:
    return commitment_result(code, [MeasuredItem("question", Rate(favourable, base))], Reading())


@pytest.mark.parametrize("case", cases("newcombe_diff"))
def test_s5_newcombe_gives_what_statsmodels_gives(case: Case) -> None:
    low, high = newcombe(*shares(case), case["inputs"]["level"])
    assert (low, high) == (near(case, "low"), near(case, "high"))


@pytest.mark.parametrize("case", cases("two_proportion_test"))
def test_s5_the_score_test_gives_what_r_gives(case: Case) -> None:
    p_value = score_test(*shares(case))
    assert p_value == (1 if case["expected"]["p"] is None else near(case, "p"))


@pytest.mark.parametrize("case", cases("holm"))
def test_s5_holm_gives_what_r_gives(case: Case) -> None:
    expected = pytest.approx(case["expected"]["adjusted"], abs=case["tol"]["abs"])
    assert holm(case["inputs"]["p"]) == expected


@given(st.lists(st.floats(0, 1), max_size=20))
def test_s5_holm_never_makes_a_difference_surer(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= more <= 1 for p, more in zip(p_values, adjusted, strict=True))


def test_s5_differences_are_adjusted_together_within_one_report() -> None:
    alone = differences(
        {"tablet": [a_commitment("a", 90, 120)], "website": [a_commitment("a", 74, 120)]}, 0.95
    )
    codes = "abcdefgh"
    many = differences(
        {
            "tablet": [a_commitment(code, 90, 120) for code in codes],
            "website": [a_commitment(code, 74 if code == "a" else 90, 120) for code in codes],
        },
        0.95,
    )
    assert alone[0].sure
    assert alone[0].p_value == many[0].p_value
    assert many[0].adjusted_p == pytest.approx(8 * many[0].p_value)
    assert not many[0].sure


def test_s5_a_commitment_without_answers_on_one_side_is_not_compared() -> None:
    assert (
        differences({"tablet": [a_commitment("a", 9, 12)], "website": [a_commitment("a", 0, 0)]}, 0.95) == ()
    )


def test_s5_without_pooled_interval_items_are_compared_one_by_one() -> None:
    def both(first: int) -> CommitmentResult:
        items = [MeasuredItem("x", Rate(first, 120)), MeasuredItem("y", Rate(90, 120))]
        return commitment_result("a", items, Reading(), rule="every_item")

    found = differences({"tablet": [both(110)], "website": [both(60)]}, 0.95)
    assert [(difference.item, difference.sure) for difference in found] == [("x", True), ("y", False)]


def test_s5_nothing_is_sure_under_the_least_base() -> None:
    groups = {"now": [a_commitment("a", 25, 25)], "before": [a_commitment("a", 5, 25)]}
    assert differences(groups, 0.95)[0].sure
    assert not differences(groups, 0.95, minimum_base=30)[0].sure


def test_s5_nothing_is_sure_of_few_people_who_answered_much() -> None:
    def six_each(favourable: int) -> list[CommitmentResult]:
        people = [(favourable, 6)] * 4 + [(favourable - 1, 6)]
        items = [MeasuredItem(name, Rate(favourable * 5 // 6, 5)) for name in "uvwxy"]
        rest = 5 * favourable - 1 - sum(item.rate.favourable for item in items)
        items.append(MeasuredItem("z", Rate(rest, 5)))
        return [commitment_result("a", items, Reading(), sums=RespondentSums.of(people))]

    groups = {"now": six_each(6), "before": six_each(2)}
    assert differences(groups, 0.95)[0].sure
    assert not differences(groups, 0.95, minimum_base=10)[0].sure


@given(st.integers(0, 40), st.integers(0, 40))
def test_s5_a_sure_difference_has_an_interval_on_its_side_of_zero(first: int, second: int) -> None:
    groups = {"now": [a_commitment("a", first, 40)], "before": [a_commitment("a", second, 40)]}
    found = differences(groups, 0.95)[0]
    assert not found.sure or found.low > 0 or found.high < 0


def test_s5_answers_of_nobody_knows_how_many_people_are_worth_the_fewest_people() -> None:
    """Three questions to forty people are a hundred and twenty answers of forty people, at the least."""
    questions = [MeasuredItem(name, Rate(30, 40)) for name in "xyz"]
    fewer = [MeasuredItem(name, Rate(24, 40)) for name in "xyz"]
    pooled = {
        "now": [commitment_result("a", questions, Reading())],
        "before": [commitment_result("a", fewer, Reading())],
    }
    people = {"now": [a_commitment("a", 30, 40)], "before": [a_commitment("a", 24, 40)]}
    answers = {"now": [a_commitment("a", 90, 120)], "before": [a_commitment("a", 72, 120)]}
    assert differences(pooled, 0.95)[0].p_value == differences(people, 0.95)[0].p_value
    assert differences(answers, 0.95)[0].sure
    assert not differences(pooled, 0.95)[0].sure


def test_s5_questions_are_compared_as_engagements_are() -> None:
    now, before = a_commitment("a", 90, 120), a_commitment("a", 74, 120)
    (found,) = differences({"now": now.items, "before": before.items}, 0.95)
    assert (found.item, found.sure) == ("question", True)


def test_s5_what_is_sure_by_itself_alone_is_told_apart_from_too_few_answers() -> None:
    others = [(f"autre_{n}", 160, 160) for n in range(11)]
    now, before = (
        [a_commitment(code, line[side], 200) for code, *line in [("seul", 170, 150), *others]]
        for side in (0, 1)
    )
    (alone,) = differences({"now": now[:1], "before": before[:1]}, 0.95)
    assert (alone.sure, alone.one_of_many) == (True, False)
    among_many = differences({"now": now, "before": before}, 0.95)
    assert [(found.sure, found.one_of_many) for found in among_many[:2]] == [(False, True), (False, False)]
    assert not any(found.one_of_many for found in differences({"now": now, "before": before}, 0.95, 300))
