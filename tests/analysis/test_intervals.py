"""Rule S3: the interval, against R and statsmodels, and by its own properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.intervals import INTERVAL_METHODS, clopper_pearson, hypergeometric, jeffreys, wilson
from tests.analysis.references import Case, cases, near

COUNTS = st.integers(1, 10**6).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base)))


@pytest.mark.parametrize("case", cases("wilson"))
def test_s3_wilson_gives_what_r_gives(case: Case) -> None:
    k, n, level = (case["inputs"][name] for name in ("k", "n", "level"))
    assert wilson(k / n, n, level) == (near(case, "low"), near(case, "high"))


@pytest.mark.parametrize("case", cases("clopper_pearson"))
def test_s3_clopper_pearson_gives_what_r_gives(case: Case) -> None:
    k, n, level = (case["inputs"][name] for name in ("k", "n", "level"))
    assert clopper_pearson(k / n, n, level) == (near(case, "low"), near(case, "high"))


@pytest.mark.parametrize("case", cases("jeffreys"))
def test_s3_jeffreys_gives_what_statsmodels_gives_and_reaches_the_ends(case: Case) -> None:
    k, n, level = (case["inputs"][name] for name in ("k", "n", "level"))
    low, high = jeffreys(k / n, n, level)
    assert low == (0 if k == 0 else near(case, "low"))
    assert high == (1 if k == n else near(case, "high"))


@pytest.mark.parametrize("case", cases("wilson_effective_n"))
def test_s3_wilson_takes_a_fractional_base(case: Case) -> None:
    x, n, level = (case["inputs"][name] for name in ("x", "n_eff", "level"))
    assert wilson(x / n, n, level) == (near(case, "low"), near(case, "high"))


@pytest.mark.parametrize("case", cases("beta_effective_n"))
def test_s3_clopper_pearson_takes_a_fractional_base(case: Case) -> None:
    x, n, level = (case["inputs"][name] for name in ("x", "n_eff", "level"))
    assert clopper_pearson(x / n, n, level) == (near(case, "low"), near(case, "high"))


@pytest.mark.parametrize("case", cases("exact_hypergeometric"))
def test_s3_a_known_population_gives_the_exact_interval_on_whole_people(case: Case) -> None:
    inputs, expected = case["inputs"], case["expected"]
    bounds = hypergeometric(inputs["k"], inputs["n"], inputs["N"], inputs["level"])
    assert bounds == (expected["low_count"], expected["high_count"])


@pytest.mark.parametrize("case", cases("threshold_finite_population"))
def test_s4_with_a_known_population_interval_and_tail_probability_agree(case: Case) -> None:
    """Oracle: R phyper at the threshold; « below » exactly when it is at most 2.5 %."""
    k, n, size, at_threshold = (case["inputs"][name] for name in ("k", "n", "N", "K0"))
    low, high = hypergeometric(k, n, size, 0.95)
    assert (high < at_threshold) == (case["expected"]["p_less"] <= 0.025)
    assert (low > at_threshold - 1) == (_above(k, n, size, at_threshold - 1) <= 0.025)


def _above(k: int, n: int, size: int, favourable: int) -> float:
    ways = sum(math.comb(favourable, j) * math.comb(size - favourable, n - j) for j in range(k, n + 1))
    return ways / math.comb(size, n)


@given(size=st.integers(1, 60), data=st.data())
def test_s3_the_exact_interval_is_what_counting_all_samples_gives(size: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, size))
    k = data.draw(st.integers(0, n))
    level = data.draw(st.sampled_from([0.8, 0.9, 0.95, 0.99]))
    tail = (1 - level) / 2
    accepted = [
        count
        for count in range(k, size - n + k + 1)
        if _above(k, n, size, count) > tail + 1e-12 and 1 - _above(k + 1, n, size, count) > tail + 1e-12
    ]
    low, high = hypergeometric(k, n, size, level)
    assert (low, high) == (min(accepted), max(accepted))


def test_s3_a_large_population_is_no_obstacle() -> None:
    low, high = hypergeometric(7_500, 10_000, 70_000_000, 0.95)
    assert (low / 70e6, high / 70e6) == pytest.approx(clopper_pearson(0.75, 10_000, 0.95), abs=1e-5)


@given(counts=COUNTS, method=st.sampled_from(sorted(INTERVAL_METHODS)), level=st.sampled_from([0.9, 0.95]))
def test_s3_every_interval_holds_its_rate_and_stays_within_0_and_1(
    counts: tuple[int, int], method: str, level: float
) -> None:
    k, n = counts
    low, high = INTERVAL_METHODS[method](k / n, n, level)
    assert 0 <= low <= k / n <= high <= 1


@pytest.mark.parametrize("method", sorted(INTERVAL_METHODS))
@pytest.mark.parametrize("base", [1, 2, 30, 49, 10**7])
def test_s3_nothing_favourable_gives_exactly_0_and_all_favourable_exactly_1(method: str, base: int) -> None:
    low, high = INTERVAL_METHODS[method](0.0, base, 0.95)
    assert low == 0
    assert 0 < high < 1
    low, high = INTERVAL_METHODS[method](1.0, base, 0.95)
    assert 0 < low < 1
    assert high == 1
