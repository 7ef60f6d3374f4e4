"""A rate is two whole numbers. It is compared exactly, and rounded by whoever prints it (rules S1–S3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from fractions import Fraction
from operator import add, sub

from analysis.intervals import INTERVAL_METHODS, hypergeometric, student_quantile

INDEPENDENCE_ASSUMED = "independence_assumed"
NO_VARIANCE = "no_variance"
APPROXIMATE_POPULATION = "approximate_population"

SAID = {INDEPENDENCE_ASSUMED: "independence assumed", APPROXIMATE_POPULATION: "approximate population"}
"""The assumptions that a result's ``method`` names."""

LARGEST_EXACT = 10**5
"""Answers. The exact interval weighs every count: beyond, only its cost tells it from the approximate one."""

CENSUS = "census"
ONE_RESPONDENT = "one respondent"
EVERY_ITEM = "every item"


class FigureError(ValueError):
    """Counts that cannot be: the message says which and why."""


class PopulationError(FigureError):
    """More respondents than the population has people."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers to one item: four absences, counted apart and never mixed (S1).

    ``base`` is asked and expressed; ``base`` + the four absences = the responses.
    """

    favourable: int = 0
    base: int = 0
    not_applicable: int = 0
    no_opinion: int = 0
    unanswered: int = 0
    off_path: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*map(add, astuple(self), astuple(other)))

    def __sub__(self, other: Tally) -> Tally:
        return Tally(*map(sub, astuple(self), astuple(other)))

    @property
    def responses(self) -> int:
        """How many responses the item was counted in, asked or not."""
        return self.base + self.not_applicable + self.no_opinion + self.unanswered + self.off_path


@dataclass(frozen=True, slots=True)
class RespondentSums:
    """n, Σk, Σb, Σk², Σkb, Σb² over respondents with k favourable among b > 0 expressed answers (S2).

    They add over disjoint respondents, and carry all that the variance of a pooled rate needs.
    """

    n: int = 0
    k: int = 0
    b: int = 0
    kk: int = 0
    kb: int = 0
    bb: int = 0

    def __add__(self, other: RespondentSums) -> RespondentSums:
        return RespondentSums(*map(add, astuple(self), astuple(other)))

    def __sub__(self, other: RespondentSums) -> RespondentSums:
        return RespondentSums(*map(sub, astuple(self), astuple(other)))

    @classmethod
    def of(cls, respondents: Iterable[tuple[int, int]]) -> RespondentSums:
        """Sums of ``(favourable, base)`` pairs, one per respondent; those with nothing expressed left out."""
        pairs = [(k, b) for k, b in respondents if b > 0]
        columns = zip(*((1, k, b, k * k, k * b, b * b) for k, b in pairs), strict=True)
        return cls(*map(sum, columns)) if pairs else cls()

    @property
    def one_answer_each(self) -> bool:
        """Whether nobody gave more than one answer: then answers are respondents."""
        return self.n == self.b

    @property
    def variance(self) -> float:
        """Variance of Σk/Σb with the respondent as sampling unit: linearised ratio estimator, n ≥ 2.

        Oracle: R survey, ``svydesign(ids = ~respondent)``. The squared residuals are summed in whole numbers,
        so that 0 means 0.
        """
        residuals = self.kk * self.b**2 - 2 * self.k * self.b * self.kb + self.k**2 * self.bb
        return self.n / (self.n - 1) * (residuals / self.b**4)

    def effective_base(self, confidence: float) -> float:
        """The base of a simple sample that would be as precise: n_eff of S2, with Korn and Graubard's factor.

        Without any variance (all alike) each respondent is worth one answer.
        """
        if self.one_answer_each or self.n <= 1:
            return float(self.n)
        variance = self.variance
        if variance == 0:
            return float(self.n)
        rate = self.k / self.b
        effect = variance * (self.b - 1) / (rate * (1 - rate))
        students = student_quantile(self.b - 1, confidence) / student_quantile(self.n - 1, confidence)
        return min(float(self.b), self.b / effect * students**2)


@dataclass(frozen=True, slots=True)
class Interval:
    """What can be said around a rate. ``low`` and ``high`` are None where there is no interval to give.

    ``people`` are the bounds in whole people when ``population`` is known and the interval exact.
    """

    low: float | None
    high: float | None
    method: str | None
    confidence: float
    effective_base: float | None
    flags: tuple[str, ...] = ()
    people: tuple[int, int] | None = None
    population: int | None = None

    def is_below(self, threshold: Fraction) -> bool:
        """Whether the whole interval lies strictly below the threshold."""
        bound = self._exact(self.high, 1)
        return bound is not None and _compared(bound, threshold) < 0

    def is_above(self, threshold: Fraction) -> bool:
        """Whether the whole interval lies at or above the threshold."""
        bound = self._exact(self.low, 0)
        return bound is not None and _compared(bound, threshold) >= 0

    @property
    def exact_low(self) -> Fraction | None:
        """The lower bound without rounding: a share of whole people, or the computed number itself."""
        bound = self._exact(self.low, 0)
        return None if bound is None else Fraction(bound)

    @property
    def exact_high(self) -> Fraction | None:
        """The upper bound without rounding."""
        bound = self._exact(self.high, 1)
        return None if bound is None else Fraction(bound)

    def _exact(self, bound: float | None, side: int) -> Fraction | float | None:
        if self.people is not None and self.population is not None:
            return Fraction(self.people[side], self.population)
        return bound


def _compared(bound: Fraction | float, threshold: Fraction) -> int:
    """Negative, 0 or positive, on whole numbers: a page compares hundreds of bounds."""
    numerator, denominator = bound.as_integer_ratio()
    return numerator * threshold.denominator - threshold.numerator * denominator


@dataclass(frozen=True, slots=True)
class Rate:
    """``favourable`` among ``base`` expressed answers.

    Parameters
    ----------
    favourable, base : int
        Counts of answers, 0 ≤ favourable ≤ base.
    sums : RespondentSums, optional
        For the answers of several items together: the same answers, summed by respondent.
    population : int, optional
        Size of the closed population the respondents come from, in people.
    respondents : int, optional
        How many people gave the answers. Taken from ``sums``; without it every answer is one person's.
        Pooled counts without ``sums`` name the largest base of an item: at least so many people answered.

    Raises
    ------
    FigureError
        For counts that cannot be.
    PopulationError
        When more people answered than the population has.
    """

    favourable: int
    base: int
    sums: RespondentSums | None = None
    population: int | None = None
    respondents: int = -1

    def __post_init__(self) -> None:
        if not 0 <= self.favourable <= self.base:
            raise FigureError(f"{self.favourable} réponses favorables sur {self.base}\u00a0: impossible.")
        if self.sums is not None and (self.sums.k, self.sums.b) != (self.favourable, self.base):
            raise FigureError("Les sommes par personne ne correspondent pas aux réponses comptées.")
        if self.respondents < 0:
            object.__setattr__(self, "respondents", self.base if self.sums is None else self.sums.n)
        if self.population is not None and self.population < self.respondents:
            raise PopulationError(
                f"Population de {self.population} personnes, mais {self.respondents} ont répondu\u00a0: "
                "population à mettre à jour, ou réponses en double."
            )

    @property
    def value(self) -> float | None:
        """The rate in [0, 1], unrounded; None when nobody expressed an answer."""
        return self.favourable / self.base if self.base else None

    def is_below(self, threshold: Fraction) -> bool:
        """Whether the rate is strictly below, on whole numbers: 4k < 3b. Never for a base of 0."""
        return self.favourable * threshold.denominator < self.base * threshold.numerator

    @property
    def independence_assumed(self) -> bool:
        """Whether several answers per person have to be read as if they were several people's."""
        return self.sums is None and self.respondents != self.base

    def interval(self, method: str = "wilson", confidence: float = 0.95) -> Interval:
        """The interval around the rate (S3), or the reason why there is none, in ``method``."""
        if self.base == 0:
            return Interval(None, None, None, confidence, 0.0)
        effective = self.effective_base(confidence)
        if self.population == self.respondents:
            return Interval(None, None, CENSUS, confidence, effective)
        if self.respondents == 1:
            return Interval(None, None, ONE_RESPONDENT, confidence, effective)
        if self.population is not None and self.respondents == self.base <= LARGEST_EXACT:
            return self._exact_interval(self.population, confidence)
        return self._approximate_interval(method, confidence, effective)

    def effective_base(self, confidence: float) -> float:
        """How many independent answers these are worth, before any correction for a known population."""
        return float(self.base) if self.sums is None else self.sums.effective_base(confidence)

    def _exact_interval(self, population: int, confidence: float) -> Interval:
        low, high = hypergeometric(self.favourable, self.base, population, confidence)
        return Interval(
            low / population,
            high / population,
            "hypergeometric",
            confidence,
            float(self.base),
            people=(low, high),
            population=population,
        )

    def _approximate_interval(self, method: str, confidence: float, effective: float) -> Interval:
        corrected, flags = effective, self._flags()
        if self.population is not None:
            corrected *= (self.population - 1) / (self.population - self.respondents)
        low, high = INTERVAL_METHODS[method](self.favourable / self.base, corrected, confidence)
        return Interval(low, high, _named(method, flags), confidence, effective, flags)

    def _flags(self) -> tuple[str, ...]:
        flags = []
        if self.independence_assumed:
            flags.append(INDEPENDENCE_ASSUMED)
        if self.sums is not None and not self.sums.one_answer_each and self.sums.variance == 0:
            flags.append(NO_VARIANCE)
        if self.population is not None:
            flags.append(APPROXIMATE_POPULATION)
        return tuple(flags)


def _named(method: str, flags: tuple[str, ...]) -> str:
    """The method as every result names it, with what was assumed."""
    return ", ".join([method, *(SAID[flag] for flag in flags if flag in SAID)]) if flags else method
