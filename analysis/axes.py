"""From a rate to an improvement axis, and to what can be said (rules S2 and S4).

The official verdict compares whole numbers with the threshold and is the headline. What can be said compares
the interval with it, stands beside, and never changes the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from analysis.rates import EVERY_ITEM, Interval, Rate, RespondentSums, Tally

CommitmentRule = Literal["pooled", "every_item"]


class Verdict(StrEnum):
    """What the interval allows to say about the threshold."""

    BELOW = "below"
    NOT_DISTINGUISHABLE = "not_distinguishable"
    ABOVE = "above"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Reading:
    """How figures are read: against what, and how sure."""

    threshold: Fraction = Fraction(3, 4)
    confidence: float = 0.95
    method: str = "wilson"
    minimum_base: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of figures. Rates and bounds are fractions of 1, unrounded; None where there is none."""

    commitment: str
    item: str | None
    title: str
    counts: Rate
    interval: Interval
    improvement_axis: bool
    verdict: Verdict | None
    withheld: str = ""
    """Why the figures were taken out of this line (see :mod:`analysis.disclosure`); empty = they stand."""

    @property
    def favourable(self) -> int:
        """Favourable answers."""
        return self.counts.favourable

    @property
    def base(self) -> int:
        """Expressed answers."""
        return self.counts.base

    @property
    def respondents(self) -> int:
        """People who gave them."""
        return self.counts.respondents

    @property
    def rate(self) -> float | None:
        """Favourable / base."""
        return self.counts.value

    @property
    def effective_base(self) -> float | None:
        """How many independent answers the base is worth."""
        return self.interval.effective_base

    @property
    def useful_base(self) -> float | None:
        """What is held against the minimum base."""
        return useful_base(self.counts, self.interval)

    @property
    def low(self) -> float | None:
        """Lower bound of the interval."""
        return self.interval.low

    @property
    def high(self) -> float | None:
        """Upper bound of the interval."""
        return self.interval.high

    @property
    def method(self) -> str | None:
        """How the interval was made, or why there is none."""
        return self.interval.method

    @property
    def flags(self) -> tuple[str, ...]:
        """What was assumed (see :data:`analysis.notices.FLAGS`)."""
        return self.interval.flags

    def as_json(self) -> dict[str, object]:
        """The line as ``python -m analysis --format json`` and the exports write it."""
        if self.withheld:
            names = {"commitment": self.commitment, "item": self.item}
            return dict.fromkeys(JSON_FIELDS) | names | {"withheld": self.withheld}
        return {name: getattr(self, name) for name in JSON_FIELDS}


JSON_FIELDS = (
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult(Result):
    """The figures of one item; ``tally`` holds its absences where they are known."""

    tally: Tally | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentResult(Result):
    """The figures of one commitment, with those of its items."""

    rule: CommitmentRule
    items: tuple[ItemResult, ...]


@dataclass(frozen=True, slots=True)
class MeasuredItem:
    """An item's name, wording and counts on the way to its result."""

    name: str
    rate: Rate
    title: str = ""
    tally: Tally | None = None


def useful_base(rate: Rate, interval: Interval) -> float | None:
    """The effective base, and never more than the people: six answers each do not make five people thirty.

    n_eff exceeds n where one person's answers differ more than those of two people; with few people, that is
    mostly chance.
    """
    return None if interval.effective_base is None else min(interval.effective_base, rate.respondents)


def verdict(rate: Rate, interval: Interval, reading: Reading) -> Verdict | None:
    """What can be said (S4). A census has no sampling error and follows the official rule."""
    if rate.base == 0:
        return None
    if rate.population == rate.respondents:
        return Verdict.BELOW if rate.is_below(reading.threshold) else Verdict.ABOVE
    if interval.low is None or (useful_base(rate, interval) or 0) < reading.minimum_base:
        return Verdict.TOO_FEW
    if interval.is_below(reading.threshold):
        return Verdict.BELOW
    return Verdict.ABOVE if interval.is_above(reading.threshold) else Verdict.NOT_DISTINGUISHABLE


def item_result(commitment: str, item: MeasuredItem, reading: Reading) -> ItemResult:
    """The figures of one item."""
    interval, axis, words = _read(item.rate, reading)
    return ItemResult(
        commitment=commitment,
        item=item.name,
        title=item.title,
        counts=item.rate,
        interval=interval,
        improvement_axis=axis,
        verdict=words,
        tally=item.tally,
    )


def commitment_result(
    commitment: str,
    items: Sequence[MeasuredItem],
    reading: Reading,
    *,
    rule: CommitmentRule = "pooled",
    title: str = "",
    sums: RespondentSums | None = None,
    population: int | None = None,
) -> CommitmentResult:
    """The figures of one commitment from those of its items, by the rule that the questionnaire names (S2).

    ``sums`` are the answers of all the items by respondent; without them independence is assumed, and said.
    """
    results = tuple(item_result(commitment, item, reading) for item in items)
    rate = _pooled(items, sums, population)
    decided = _worst(results, reading) if rule == "every_item" and len(_answered(items)) > 1 else None
    interval, axis, words = decided or _read_once(rate, results, reading)
    return CommitmentResult(
        commitment=commitment,
        item=None,
        title=title,
        rule=rule,
        items=results,
        counts=rate,
        interval=interval,
        improvement_axis=axis,
        verdict=words,
    )


Judgement = tuple[Interval, bool, Verdict | None]


def _read(rate: Rate, reading: Reading) -> Judgement:
    interval = rate.interval(reading.method, reading.confidence)
    return interval, rate.is_below(reading.threshold), verdict(rate, interval, reading)


def _read_once(rate: Rate, items: Sequence[ItemResult], reading: Reading) -> Judgement:
    """The figures of a single answered item are those of its commitment, and were read already."""
    for item in items:
        if item.counts is rate:
            return item.interval, item.improvement_axis, item.verdict
    return _read(rate, reading)


def _worst(items: Sequence[ItemResult], reading: Reading) -> Judgement:
    """Each item must reach the threshold: the worst one decides, and there is no pooled interval."""
    none = Interval(None, None, EVERY_ITEM, reading.confidence, None)
    return none, any(item.improvement_axis for item in items), worst_verdict(items)


def _pooled(items: Sequence[MeasuredItem], sums: RespondentSums | None, population: int | None) -> Rate:
    """All answers together; a single item keeps its own formula."""
    if len(_answered(items)) == 1:
        return _answered(items)[0].rate
    favourable = sum(item.rate.favourable for item in items)
    base = sum(item.rate.base for item in items)
    if sums is not None:
        return Rate(favourable, base, sums=sums, population=population)
    at_least = max((item.rate.base for item in items), default=0)
    return Rate(favourable, base, population=population, respondents=at_least)


def _answered(items: Sequence[MeasuredItem]) -> list[MeasuredItem]:
    return [item for item in items if item.rate.base]


def worst_verdict(items: Sequence[ItemResult]) -> Verdict | None:
    """One item below is enough; "above" takes all of them; between those, the item with the lowest rate."""
    rank = {Verdict.BELOW: 0, Verdict.NOT_DISTINGUISHABLE: 1, Verdict.TOO_FEW: 1, Verdict.ABOVE: 2}
    known = [
        (rank[item.verdict], item.rate, item.verdict)
        for item in items
        if item.verdict is not None and item.rate is not None
    ]
    return min(known)[2] if known else None
