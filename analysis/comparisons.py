"""Two rates side by side (rule S5): the difference, how sure it is, and how to say it.

Collection modes are never pooled silently: their differences are tested and reported with the total. Two
waves have no respondents in common that anybody could know of, so they are compared in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import erfc, hypot, inf, sqrt

from analysis.axes import CommitmentResult, Result
from analysis.intervals import Bounds, wilson


@dataclass(frozen=True, slots=True)
class Share:
    """A rate, the base it is worth, and what of that is held against the least base."""

    rate: float
    effective_base: float
    useful_base: float = inf


@dataclass(frozen=True, slots=True)
class Difference:
    """First rate minus second, for one commitment or item; all in fractions of 1.

    ``adjusted_p`` is Holm's, within all differences of the same report. ``sure`` asks it to be small, the
    interval to leave out 0, and both bases to reach the least one.
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
    one_of_many: bool = False
    """By itself it would be sure; not among all the comparisons that were made."""


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
    groups: Mapping[str, Iterable[Result]], confidence: float, minimum_base: int = 0
) -> tuple[Difference, ...]:
    """All pairs of groups (modes, sites, waves) for every commitment or item, adjusted together.

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
        _difference(pair, shares, p_value, adjusted, Demand(confidence, minimum_base))
        for pair, p_value, adjusted in zip(pairs, p_values, holm(p_values), strict=True)
    )


Subject = tuple[str, str | None]


def _comparable(results: Iterable[Result]) -> Iterable[tuple[Subject, Share]]:
    for result in results:
        lines: Sequence[Result] = (result,)
        if isinstance(result, CommitmentResult) and result.effective_base is None:
            lines = result.items
        for line in lines:
            if line.rate is not None and line.effective_base:
                share = Share(line.rate, _worth(line, line.effective_base), line.useful_base or 0)
                yield (line.commitment, line.item), share


def _worth(line: Result, effective_base: float) -> float:
    """Answers of nobody knows how many people are worth the fewest people who can have given them.

    An interval that assumes independence says so beside it; a difference is said in one word, and must hold.
    """
    return float(line.respondents) if line.counts.independence_assumed else effective_base


@dataclass(frozen=True, slots=True)
class Demand:
    """What a difference must satisfy to be called sure."""

    confidence: float
    minimum_base: int

    def is_met(self, bases: Iterable[float], bounds: Bounds, adjusted_p: float) -> bool:
        """Whether it does."""
        low, high = bounds
        return (
            adjusted_p < 1 - self.confidence
            and not low <= 0 <= high
            and all(base >= self.minimum_base for base in bases)
        )


def _difference(
    pair: tuple[Subject, str, str],
    shares: Mapping[str, Mapping[Subject, Share]],
    p_value: float,
    adjusted: float,
    demand: Demand,
) -> Difference:
    subject, first, second = pair
    one, other = shares[first][subject], shares[second][subject]
    low, high = newcombe(one, other, demand.confidence)
    bases = (one.useful_base, other.useful_base)
    sure = demand.is_met(bases, (low, high), adjusted)
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
        sure=sure,
        one_of_many=not sure and demand.is_met(bases, (low, high), p_value),
    )
