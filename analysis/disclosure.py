"""A report as some readers may see it: every figure that could reveal an answer is taken out (rule S6).

The judgement is about a cell of the wave (this site, this mode, that month), never about the page that
shows it: a figure hidden in a breakdown is hidden under the filter that leads to the same cell, on every page
and in every file. Numbers of people who took part are no answers and stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias, TypeVar

import numpy as np

from analysis.axes import CommitmentResult, ItemResult, Result
from analysis.comparisons import Difference
from analysis.figures import Figures
from analysis.outcomes import Outcome
from analysis.periods import PERIOD_KINDS, period_of
from analysis.publication import FLOORS, Readers, may_be_shown, too_small, with_complement
from analysis.rates import Interval, Rate
from analysis.tally import Cell64, CellLayout
from analysis.wave_report import Cell, HiddenAxis, Selection, WaveReport

Key: TypeAlias = tuple[str, ...]
Measure: TypeAlias = tuple[str, str | None]
"""A commitment, or one of its items."""

DIMENSIONS = ("site", "mode", "language", "period")
GIVEN_UP = "Masqué avec un chiffre trop petit, qui se calculerait par différence."


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
        """Every month."""
        return self._parts("period", self.report.by_period)

    @cached_property
    def hidden_axes(self) -> tuple[HiddenAxis, ...]:
        """Sites below the threshold that a total hides, as far as they may be named."""
        return tuple(axis for axis in self.report.hidden_axes if not self._withheld(axis.result, axis.site))

    @cached_property
    def mode_differences(self) -> tuple[Difference, ...]:
        """The differences between modes of which both figures are shown."""
        shown = {
            (mode, result.commitment)
            for mode, figures in self.by_mode.items()
            for result in figures.commitments
            if not result.withheld
        }
        return tuple(
            found
            for found in self.report.mode_differences
            if {(found.first, found.commitment), (found.second, found.commitment)} <= shown
        )

    def code_counts(self, item: ItemResult) -> dict[str, int]:
        """How often each option of an item was chosen; nothing where the item is hidden."""
        return {} if item.withheld or item.item is None else self.report.headline.code_counts(item.item)

    def _withheld(self, result: CommitmentResult, site: str) -> bool:
        shown = self.by_site[site].commitments
        return any(found.withheld for found in shown if found.commitment == result.commitment)

    def _parts(self, dimension: str, groups: Mapping[str, Figures]) -> dict[str, ShownFigures]:
        selection = self.report.selection
        return {
            part: self._shown(figures, Selection(**{**_chosen(selection), dimension: part}))
            for part, figures in groups.items()
        }

    def _shown(self, figures: Figures, cell: Selection) -> ShownFigures:
        table = self._tables.table(cell)
        hidden = table.hidden_in(cell)
        results = tuple(judged(result, self.readers, hidden) for result in figures.commitments)
        return ShownFigures(figures.responses, figures.complete, results)

    @cached_property
    def _tables(self) -> _Tables:
        return _Tables(self.report, self.readers)


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
    return replace(result, items=items)


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


@dataclass(frozen=True, slots=True)
class _Table:
    """Which measures are hidden in which cells of one table of the wave."""

    kind: str | None
    hidden: Mapping[Key, frozenset[Measure]]

    def hidden_in(self, cell: Selection) -> frozenset[Measure]:
        """The measures hidden in this cell."""
        fixed = [value for name, value in _chosen(cell).items() if value is not None and name != "period"]
        periods = [] if cell.period is None else [cell.period]
        return self.hidden.get((*fixed, *periods), frozenset())


class _Tables:
    """The tables of a wave, one per set of filters, each made once."""

    def __init__(self, report: WaveReport, readers: Readers) -> None:
        self._report = report
        self._readers: Readers = readers
        self._made: dict[tuple[tuple[str, ...], str | None], _Table] = {}

    def table(self, cell: Selection) -> _Table:
        """The table that this cell lies in."""
        fixed = tuple(name for name, value in _chosen(cell).items() if value is not None)
        kind = _kind(cell.period)
        if (fixed, kind) not in self._made:
            self._made[fixed, kind] = self._make([name for name in fixed if name != "period"], kind)
        return self._made[fixed, kind]

    def _make(self, fixed: Sequence[str], kind: str | None) -> _Table:
        people = self._people(fixed, kind)
        measures = _measures(self._report.layout)
        found: dict[Key, set[Measure]] = {}
        for number, measure in enumerate(measures):
            counts = {key: int(vector[number]) for key, vector in people.items()}
            for key in hidden_cells(counts, kind, self._readers):
                found.setdefault(key, set()).add(measure)
        return _Table(kind, {key: frozenset(hidden) for key, hidden in found.items()})

    def _people(self, fixed: Sequence[str], kind: str | None) -> dict[Key, Cell64]:
        settings = self._report.settings
        sites = None if "site" in fixed else settings.headline_sites
        modes = None if "mode" in fixed else settings.headline_modes
        totals: dict[Key, Cell64] = {}
        for cell in self._report.wave_cells:
            if (sites is None or cell.site in sites) and (modes is None or cell.mode in modes):
                key = _key(cell, fixed, kind)
                totals[key] = totals[key] + cell.vector if key in totals else cell.vector
        return {key: _respondents(self._report.layout, vector) for key, vector in totals.items()}


def hidden_cells(people: Mapping[Key, int], kind: str | None, readers: Readers) -> frozenset[Key]:
    """The cells of a table that stay hidden, whichever of its totals are shown.

    Every line of the table has its total; the total of a line of months is that of their quarter.
    """
    hidden = {key for key, count in people.items() if not may_be_shown(count, readers)}
    before = 0
    while len(hidden) > before:
        before = len(hidden)
        for line in _lines(people, kind):
            hidden |= with_complement(line, hidden, readers)
    return frozenset(hidden)


def _lines(people: Mapping[Key, int], kind: str | None) -> Iterator[dict[Key, int]]:
    lines: dict[tuple[int, Key], dict[Key, int]] = {}
    for key, count in people.items():
        for position, value in enumerate(key):
            last = kind == "month" and position == len(key) - 1
            rest = (*key[:position], _quarter(value) if last else "", *key[position + 1 :])
            lines.setdefault((position, rest), {})[key] = count
    yield from lines.values()


def _quarter(month: str) -> str:
    year, _, number = month.partition("-")
    return f"{year}-T{(int(number) + 2) // 3}"


def _kind(period: str | None) -> str | None:
    """The kind of a period by its form; another text is a period in which nobody answered."""
    if period is None:
        return None
    return {"T": "quarter", "S": "week"}.get(period[5:6], "month")


def _chosen(selection: Selection) -> dict[str, str | None]:
    return {name: getattr(selection, name) for name in DIMENSIONS}


def _key(cell: Cell, fixed: Iterable[str], kind: str | None) -> Key:
    periods = [] if kind not in PERIOD_KINDS else [period_of(cell.day, kind)]
    return (*(getattr(cell, name) for name in fixed), *periods)


def _measures(layout: CellLayout) -> list[Measure]:
    places = layout.commitments.values()
    return [*((p.code, None) for p in places), *((p.code, item) for p in places for item in p.items)]


def _respondents(layout: CellLayout, vector: Cell64) -> Cell64:
    """The respondents of each measure, in the order of `_measures`."""
    places = layout.commitments.values()
    starts = [layout.items[item].start for place in places for item in place.items]
    bases = [int(vector[s + Outcome.FAVOURABLE] + vector[s + Outcome.UNFAVOURABLE]) for s in starts]
    return np.array([*(int(vector[place.start]) for place in places), *bases], dtype=np.int64)


ResultT = TypeVar("ResultT", ItemResult, CommitmentResult)


def _without_figures(result: ResultT, reason: str) -> ResultT:
    none = Interval(None, None, None, result.interval.confidence, None)
    bare = replace(
        result, counts=Rate(0, 0), interval=none, improvement_axis=False, verdict=None, withheld=reason
    )
    return replace(bare, tally=None) if isinstance(bare, ItemResult) else bare
