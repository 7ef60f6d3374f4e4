"""A report as some readers may see it: every figure that could reveal an answer is taken out (rule S6).

The judgement is about a cell of the wave (this site, this mode, that month), never about the page that
shows it: a figure hidden in a breakdown is hidden under the filter that leads to the same cell, on every page
and in every file. Numbers of people who took part are no answers and stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from analysis.assistance import ShownAssistance
from analysis.axes import CommitmentResult, ItemResult, Result, worst_verdict
from analysis.comparisons import Difference, differences
from analysis.figures import Figures
from analysis.hidden_cells import HiddenCells, Measure
from analysis.periods import WEEK, kind_of
from analysis.publication import FLOORS, PublicationFlag, Readers, may_be_shown, too_small
from analysis.rates import EVERY_ITEM, Interval, Rate
from analysis.wave_report import HiddenAxis, Selection, WaveReport

GIVEN_UP = "Masqué avec un chiffre trop petit, qui se calculerait par différence."

UNDECIDED = "Une question est masquée\u00a0: sans elle, l’engagement ne peut pas être jugé."


@dataclass(frozen=True, slots=True)
class ShownFigures:
    """The figures of one part, less those that stay hidden."""

    responses: int
    complete: int
    commitments: tuple[CommitmentResult, ...]


@dataclass(frozen=True, eq=False)
class ShownReport:
    """What these readers may see of a report: the one door of pages and files to its figures."""

    report: WaveReport
    readers: Readers

    @cached_property
    def commitments(self) -> tuple[CommitmentResult, ...]:
        """The headline result of each commitment; a hidden one keeps its place and loses its figures."""
        return self._shown(self.report.headline, self.report.selection).commitments

    @property
    def axes(self) -> tuple[CommitmentResult, ...]:
        """The official improvement axes that may be shown."""
        return tuple(result for result in self.commitments if result.improvement_axis)

    @cached_property
    def by_site(self) -> Mapping[str, ShownFigures]:
        """Every site."""
        return self._parts("site", self.report.by_site)

    @cached_property
    def by_mode(self) -> Mapping[str, ShownFigures]:
        """Every collection mode."""
        return self._parts("mode", self.report.by_mode)

    @cached_property
    def by_language(self) -> Mapping[str, ShownFigures]:
        """Every language."""
        return self._parts("language", self.report.by_language)

    @cached_property
    def by_period(self) -> Mapping[str, ShownFigures]:
        """Every month. A week has none: a few days at the end of a month would stand alone."""
        in_a_week = kind_of(self.report.selection.period) == WEEK
        return {} if in_a_week else self._parts("period", self.report.by_period)

    @cached_property
    def hidden_axes(self) -> tuple[HiddenAxis, ...]:
        """Sites below the threshold that the headline's total hides, as far as they are shown."""
        seen = {result.commitment for result in self.axes}
        return tuple(
            HiddenAxis(site, result)
            for site, figures in self.by_site.items()
            for result in figures.commitments
            if result.improvement_axis and result.commitment not in seen
        )

    @cached_property
    def mode_differences(self) -> tuple[Difference, ...]:
        """The differences between modes, of the figures that are shown and adjusted for these alone."""
        groups = {mode: figures.commitments for mode, figures in self.by_mode.items()}
        settings = self.report.settings
        return differences(groups, settings.confidence, settings.minimum_base)

    @property
    def assistance(self) -> ShownAssistance | None:
        """How many answered on the tablets with help, as far as it may be shown."""
        whole = self.report.assistance
        return None if whole is None else whole.shown_to(self.readers)

    @property
    def flags(self) -> tuple[PublicationFlag, ...]:
        """What to know about the headline as a whole, from what is shown."""
        return self.report.flags_of(self.mode_differences)

    def code_counts(self, item: ItemResult) -> dict[str, int]:
        """How often each option of an item was chosen; nothing where the item is hidden."""
        return {} if item.withheld or item.item is None else self.report.headline.code_counts(item.item)

    def _parts(self, dimension: str, groups: Mapping[str, Figures]) -> dict[str, ShownFigures]:
        selection = self.report.selection
        return {
            part: self._shown(figures, replace(selection, **{dimension: part}))
            for part, figures in groups.items()
        }

    def _shown(self, figures: Figures, cell: Selection) -> ShownFigures:
        hidden = self._hidden.measures(cell)
        results = tuple(judged(result, self.readers, hidden) for result in figures.commitments)
        return ShownFigures(figures.responses, figures.complete, results)

    @cached_property
    def _hidden(self) -> HiddenCells:
        of_months = self._hidden_of(("month", "quarter"))
        if kind_of(self.report.selection.period) != WEEK:
            return of_months
        return self._hidden_of(("month", "quarter", WEEK), of_months)

    def _hidden_of(self, kinds: tuple[str, ...], besides: HiddenCells | None = None) -> HiddenCells:
        report, floor = self.report, FLOORS[self.readers]
        return HiddenCells(report.layout, report.wave_cells, report.settings, floor, kinds, besides)


def judged(
    result: CommitmentResult, readers: Readers, hidden: Set[Measure] = frozenset()
) -> CommitmentResult:
    """The result as these readers may see it; ``hidden`` are the measures that the table around it hides."""
    reason = _reason(result, readers, hidden)
    if reason:
        items = tuple(_without_figures(item, reason) for item in result.items)
        return replace(_without_figures(result, reason), items=items)
    kept_back = _items_kept_back(result, readers, hidden)
    if not kept_back:
        return result
    items = tuple(
        _without_figures(item, _reason(item, readers, hidden) or GIVEN_UP) if item.item in kept_back else item
        for item in result.items
    )
    return _decided_by_shown(replace(result, items=items))


def _decided_by_shown(result: CommitmentResult) -> CommitmentResult:
    """Where every item decides, a hidden one does not; without it nobody can say that all are high enough."""
    if result.method != EVERY_ITEM:
        return result
    shown = [item for item in result.items if not item.withheld]
    if not any(item.improvement_axis for item in shown):
        return replace(_without_figures(result, UNDECIDED), items=result.items)
    return replace(result, improvement_axis=True, verdict=worst_verdict(shown))


def _reason(result: Result, readers: Readers, hidden: Set[Measure]) -> str:
    if not may_be_shown(result.respondents, readers):
        return too_small(readers)
    return GIVEN_UP if (result.commitment, result.item) in hidden and result.base else ""


def _items_kept_back(result: CommitmentResult, readers: Readers, hidden: Set[Measure]) -> set[str | None]:
    """The items to hide: an item is also the commitment less its other items.

    The same people may have answered all the hidden items: one of these must reach the floor by itself.
    """
    kept_back = {item.item for item in result.items if _reason(item, readers, hidden)}
    for item in sorted(result.items, key=lambda item: item.base):
        reaching = [i for i in result.items if i.item in kept_back and i.base >= FLOORS[readers]]
        if not kept_back or (len(kept_back) > 1 and reaching):
            break
        if item.base:
            kept_back.add(item.item)
    return kept_back


ResultT = TypeVar("ResultT", ItemResult, CommitmentResult)


def _without_figures(result: ResultT, reason: str) -> ResultT:
    none = Interval(None, None, None, result.interval.confidence, None)
    bare = replace(
        result, counts=Rate(0, 0), interval=none, improvement_axis=False, verdict=None, withheld=reason
    )
    return replace(bare, tally=None) if isinstance(bare, ItemResult) else bare
