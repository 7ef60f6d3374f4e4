"""Two rates side by side (rule S5): the difference, how sure it is, and how to say it.

Collection modes are never pooled silently: their differences are tested and reported with the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import erfc, hypot, sqrt

from analysis.axes import CommitmentResult, Result
from analysis.intervals import Bounds, wilson


@dataclass(frozen=True, slots=True)
class Share:
    """A rate and the base it is worth."""

    rate: float
    effective_base: float


@dataclass(frozen=True, slots=True)
class Difference:
    """First rate minus second, for one commitment or item; all in fractions of 1.

    ``adjusted_p`` is Holm's, within all differences of the same report.
    """

    commitment: str
    item: str | None
    first: str
    second: str
    difference: float
    low: float
    high: float
    p_value: float
    adjusted_p: float
    sure: bool


def newcombe(first: Share, second: Share, confidence: float) -> Bounds:
    """Newcombe's hybrid score interval for ``first − second`` (Stat. Med. 17, 1998, method 10).

    Oracle: statsmodels ``confint_proportions_2indep(method="newcomb")``.
    """
    low1, high1 = wilson(first.rate, first.effective_base, confidence)
    low2, high2 = wilson(second.rate, second.effective_base, confidence)
    difference = first.rate - second.rate
    return (
        difference - hypot(first.rate - low1, high2 - second.rate),
        difference + hypot(high1 - first.rate, second.rate - low2),
    )


def score_test(first: Share, second: Share) -> float:
    """Two-sided p-value that both rates are the same. 1 when neither varies. Oracle: R ``prop.test``."""
    total = first.effective_base + second.effective_base
    pooled = (first.rate * first.effective_base + second.rate * second.effective_base) / total
    variance = pooled * (1 - pooled) * (1 / first.effective_base + 1 / second.effective_base)
    if variance <= 0:
        return 1.0
    return erfc(abs(first.rate - second.rate) / sqrt(2 * variance))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: valid whatever the dependence. Oracle: R ``p.adjust``."""
    adjusted, highest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def differences(
    groups: Mapping[str, Iterable[CommitmentResult]], confidence: float
) -> tuple[Difference, ...]:
    """All pairs of groups (modes, sites) for every commitment, adjusted together.

    A commitment without a pooled interval is compared item by item.
    """
    shares = {name: dict(_comparable(results)) for name, results in groups.items()}
    pairs = [
        (subject, first, second)
        for first, second in combinations(shares, 2)
        for subject in shares[first]
        if subject in shares[second]
    ]
    p_values = [
        score_test(shares[first][subject], shares[second][subject]) for subject, first, second in pairs
    ]
    return tuple(
        _difference(pair, shares, confidence, p_value, adjusted)
        for pair, p_value, adjusted in zip(pairs, p_values, holm(p_values), strict=True)
    )


Subject = tuple[str, str | None]


def _comparable(results: Iterable[CommitmentResult]) -> Iterable[tuple[Subject, Share]]:
    for result in results:
        lines: Sequence[Result] = result.items if result.effective_base is None else (result,)
        for line in lines:
            if line.rate is not None and line.effective_base:
                yield (line.commitment, line.item), Share(line.rate, line.effective_base)


def _difference(
    pair: tuple[Subject, str, str],
    shares: Mapping[str, Mapping[Subject, Share]],
    confidence: float,
    p_value: float,
    adjusted: float,
) -> Difference:
    subject, first, second = pair
    one, other = shares[first][subject], shares[second][subject]
    low, high = newcombe(one, other, confidence)
    return Difference(
        commitment=subject[0],
        item=subject[1],
        first=first,
        second=second,
        difference=one.rate - other.rate,
        low=low,
        high=high,
        p_value=p_value,
        adjusted_p=adjusted,
        sure=adjusted < 1 - confidence,
    )
