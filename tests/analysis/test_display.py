"""Rules S1 and S3: printing rounds half up, bounds outward, and never hides an axis."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import display
from analysis.rates import Rate


def number(printed: str) -> Fraction:
    return Fraction(printed.removesuffix("\u00a0%").replace(",", ".")) / 100


@pytest.mark.parametrize(
    "favourable, base, printed",
    [
        (212, 270, "78,5\u00a0%"),
        (1, 2000, "0,1\u00a0%"),
        (1, 1, "100,0\u00a0%"),
        (0, 0, "–"),
        (1, 16, "6,3\u00a0%"),
    ],
)
def test_s1_a_rate_has_one_decimal_half_up(favourable: int, base: int, printed: str) -> None:
    assert display.rate(favourable, base) == printed


def test_a_rate_just_below_the_threshold_never_looks_as_if_it_reached_it() -> None:
    threshold = Fraction(3, 4)
    assert display.rate(7496, 10000) == "75,0\u00a0%"
    assert display.rate(7496, 10000, threshold) == "<\u00a075\u00a0%"
    assert display.rate(75, 100, threshold) == "75,0\u00a0%"
    assert display.rate(749, 1000, threshold) == "74,9\u00a0%"


@given(st.integers(2, 3000).flatmap(lambda b: st.tuples(st.integers(0, b), st.just(b))), st.booleans())
def test_s3_printed_bounds_lie_outside_the_true_ones(counts: tuple[int, int], known: bool) -> None:
    k, b = counts
    interval = Rate(k, b, population=b + 5 if known else None).interval()
    low, high = interval.exact_low, interval.exact_high
    assert low is not None
    assert high is not None
    assert number(display.low_bound(interval)) <= low
    assert number(display.high_bound(interval)) >= high


def test_s3_a_bound_of_whole_people_is_not_pushed_out_by_its_float() -> None:
    """9 of 10 is 0.9; the float is a little more, and would be printed 90,1."""
    interval = Rate(8, 9, population=10).interval(confidence=0.9)
    assert display.bounds(interval) == "80,0\u00a0–\u00a090,0\u00a0%"


@pytest.mark.parametrize(
    "part, printed",
    [(Fraction(3, 4), "75\u00a0%"), (Fraction(665, 1000), "66,5\u00a0%"), (Fraction(2, 3), "2/3")],
)
def test_a_setting_is_printed_exactly(part: Fraction, printed: str) -> None:
    assert display.share(part) == printed


@pytest.mark.parametrize(
    "value, printed", [(29.96, "29,9"), (30.0, "30"), (None, "–"), (97.42, "97,4"), (1e6, "1000000")]
)
def test_an_effective_base_is_rounded_down(value: float | None, printed: str) -> None:
    assert display.effective_base(value) == printed


@pytest.mark.parametrize(
    "difference, printed",
    [
        (0.09, "+9,0\u00a0points"),
        (-0.0516, "−5,2\u00a0points"),
        (0.019, "+1,9\u00a0point"),
        (0.0001, "0,0\u00a0point"),
    ],
)
def test_a_difference_has_its_sign(difference: float, printed: str) -> None:
    assert display.points(difference) == printed


@pytest.mark.parametrize(
    "names, printed",
    [([], ""), (["Niort"], "Niort"), (["Niort", "Parthenay", "Bressuire"], "Niort, Parthenay et Bressuire")],
)
def test_names_are_listed_as_french_does(names: list[str], printed: str) -> None:
    assert display.listed(names) == printed
