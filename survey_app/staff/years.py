"""The year before on the pages of results: what stands in its column, in words. Floor 5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from analysis import display
from analysis.axes import CommitmentResult, Result
from analysis.comparisons import Difference, Subject
from analysis.disclosure import ShownReport
from survey_app.earlier_years import Comparison, EarlierYear, compare, earlier_year
from survey_app.exports.words import difference_label, rate_words
from survey_app.models import Wave


@dataclass(frozen=True)
class Said:
    """One difference: whose, in words, and its interval."""

    question: str
    words: str
    interval: str
    sure: bool


@dataclass(frozen=True)
class Cell:
    """What the column says of one line of figures."""

    rate: str
    base: int
    said: tuple[Said, ...]
    why_not: str


@dataclass(frozen=True)
class Column:
    """The earlier year beside a table."""

    year: EarlierYear
    comparisons: Mapping[Subject, Comparison]
    threshold: Fraction

    def cell(self, result: Result) -> Cell:
        """What to say of this line."""
        found = self.comparisons[result.commitment, result.item]
        before = found.before
        items = {item.item: item.title for item in getattr(result, "items", ())}
        return Cell(
            rate="" if before is None or before.rate is None else rate_words(before, self.threshold),
            base=0 if before is None else before.base,
            said=tuple(_said(d, items.get(d.item, "")) for d in found.differences),
            why_not=found.why_not,
        )

    @property
    def count(self) -> int:
        """How many differences were tested together."""
        return sum(len(found.differences) for found in self.comparisons.values())

    def of_items(self, result: CommitmentResult, shown: ShownReport) -> Column:
        """The questions of one engagement. What was judged with the engagements keeps that judgement."""
        whole = self.comparisons[result.commitment, None]
        if len(result.items) == 1:
            return Column(self.year, {(result.commitment, result.items[0].item): whole}, self.threshold)
        found = compare(result.items, self.year, shown.report.settings)
        judged: dict[Subject, tuple[Difference, ...]] = {
            (d.commitment, d.item): (d,) for d in whole.differences if d.item
        }
        kept = {
            subject: Comparison(one.before, judged.get(subject, one.differences), one.why_not)
            for subject, one in found.items()
        }
        return Column(self.year, kept, self.threshold)


def _said(difference: Difference, question: str) -> Said:
    low, high = (display.points(bound) for bound in (difference.low, difference.high))
    interval = f"de {low.partition(display.NO_BREAK)[0]} à {high}"
    return Said(question, difference_label(difference), interval, difference.sure)


def column(wave: Wave, shown: ShownReport) -> Column | None:
    """The earlier year beside the engagements of a wave; None without one."""
    year = earlier_year(wave, shown.report)
    if year is None:
        return None
    lines = () if year.unavailable else shown.commitments
    settings = shown.report.settings
    return Column(year, compare(lines, year, settings), settings.threshold)
