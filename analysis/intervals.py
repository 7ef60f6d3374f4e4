"""Confidence intervals for one proportion, as plain numbers in [0, 1] (rule S3).

Every method takes ``(rate, base, confidence)``; ``base`` may be an effective, hence fractional, base.
``scipy.stats`` is never imported: it costs more than a second, ``scipy.special`` a fifth of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import special

Bounds = tuple[float, float]
IntervalMethod = Callable[[float, float, float], Bounds]


@lru_cache(maxsize=64)
def normal_quantile(confidence: float) -> float:
    """Two-sided standard normal quantile: 1.96 at a confidence of 0.95."""
    return float(special.ndtri((1 + confidence) / 2))


@lru_cache(maxsize=4096)
def student_quantile(degrees: int, confidence: float) -> float:
    """Two-sided Student quantile with ``degrees`` (≥ 1) degrees of freedom."""
    return float(special.stdtrit(degrees, (1 + confidence) / 2))


def wilson(rate: float, base: float, confidence: float) -> Bounds:
    """Wilson's score interval: inside [0, 1], never degenerate.

    Source: Brown, Cai and DasGupta, Statistical Science 16(2), 2001. Oracle: R ``prop.test(correct=FALSE)``.
    """
    z = normal_quantile(confidence)
    shrink = 1 + z * z / base
    centre = (rate + z * z / (2 * base)) / shrink
    half = z / shrink * sqrt(rate * (1 - rate) / base + z * z / (4 * base * base))
    return _exact_at_the_ends(rate, centre - half, centre + half)


def clopper_pearson(rate: float, base: float, confidence: float) -> Bounds:
    """Clopper and Pearson's exact interval, never too narrow. Oracle: R ``binom.test``."""
    tail = (1 - confidence) / 2
    successes = rate * base
    low = special.betaincinv(successes, base - successes + 1, tail) if rate > 0 else 0.0
    high = special.betainccinv(successes + 1, base - successes, tail) if rate < 1 else 1.0
    return _exact_at_the_ends(rate, low, high)


def jeffreys(rate: float, base: float, confidence: float) -> Bounds:
    """Jeffreys' interval with the boundary rule of Brown, Cai and DasGupta: 0 and 1 are reached exactly.

    statsmodels, the oracle inside ]0, 1[, leaves that rule out.
    """
    tail = (1 - confidence) / 2
    a, b = rate * base + 0.5, (1 - rate) * base + 0.5
    return _exact_at_the_ends(rate, special.betaincinv(a, b, tail), special.betainccinv(a, b, tail))


def _exact_at_the_ends(rate: float, low: float, high: float) -> Bounds:
    """No favourable answer gives 0 and not 1e-18; nothing but favourable ones gives 1 and not 0.999…"""
    return (0.0 if rate == 0 else max(0.0, float(low)), 1.0 if rate == 1 else min(1.0, float(high)))


INTERVAL_METHODS: Mapping[str, IntervalMethod] = {
    "wilson": wilson,
    "clopper_pearson": clopper_pearson,
    "jeffreys": jeffreys,
}
"""The methods that may be asked for by name. A known population takes :func:`hypergeometric` instead."""


@lru_cache(maxsize=4096)
def hypergeometric(favourable: int, base: int, population: int, confidence: float) -> tuple[int, int]:
    """Exact interval on whole people: the fewest and the most of ``population`` who may be favourable.

    The counts M in ``favourable … population − base + favourable`` that neither tail rejects at
    ``(1 − confidence) / 2``. Oracle: R ``phyper``.

    Parameters
    ----------
    favourable, base, population : int
        0 ≤ favourable ≤ base ≤ population, base ≥ 1, in people.
    confidence : float
        In ]0, 1[, two-sided.
    """
    # A probability of just (1 − confidence) / 2 rejects; 1 − 0.9 in floating point is a little too small.
    tail = (1 - confidence) / 2 * (1 + 1e-12)
    first, last = favourable, population - base + favourable

    def too_few(count: int) -> bool:
        return _tail(count, population, base, slice(favourable, None)) <= tail

    def too_many(count: int) -> bool:
        return _tail(count, population, base, slice(None, favourable + 1)) <= tail

    low = _first_where(lambda count: not too_few(count), first, last)
    high = _first_where(too_many, low, last + 1) - 1
    return low, high


def _first_where(holds: Callable[[int], bool], first: int, last: int) -> int:
    """The smallest number from ``first`` on where a monotone condition holds; ``last`` is taken to."""
    while first < last:
        middle = (first + last) // 2
        if holds(middle):
            last = middle
        else:
            first = middle + 1
    return first


def _tail(count: int, population: int, base: int, part: slice) -> float:
    """Probability that a sample holds a number of favourable people within ``part``, when ``count`` exist."""
    weights = _sample_weights(count, population, base)
    return float(weights[part].sum() / weights.sum())


def _sample_weights(count: int, population: int, base: int) -> NDArray[np.float64]:
    """Hypergeometric probabilities of 0 … ``base`` up to one factor, from the ratios of neighbours.

    Ratios need no factorials, so nothing is lost for large populations.
    """
    fewest, most = max(0, base - (population - count)), min(base, count)
    steps = np.arange(fewest, most, dtype=np.float64)
    ratios = (count - steps) * (base - steps) / ((steps + 1) * (population - count - base + steps + 1))
    logarithms = np.concatenate(([0.0], np.cumsum(np.log(ratios))))
    weights = np.zeros(base + 1)
    weights[fewest : most + 1] = np.exp(logarithms - logarithms.max())
    return weights


def smallest_base(acceptable: Callable[[int], bool], most: int) -> int:
    """The smallest base up to ``most`` for which ``acceptable`` (monotone) holds; ``most`` if none does."""
    return _first_where(acceptable, 1, most)
