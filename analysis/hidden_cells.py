"""Which figures of a wave stay hidden: those of few people, and those that would give them away (rule S6).

All figures that a page or file can show stand in one table: site × mode × language × period × measure, with
their totals. Every sum that a reader can make is a line of it: the sites of the headline and their total, the
months of a quarter, the items of a commitment. A figure hidden in one line is hidden in all of them, so the
lines are mended over and over until none by itself gives anything away. Several lines solved together still
can, in a wave of many small parts: that takes a linear program, which is not made here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.outcomes import Outcome
from analysis.periods import period_of
from analysis.tally import CellLayout, Counts64
from analysis.wave_settings import Cell, Selection, WaveSettings

Measure: TypeAlias = tuple[str, str | None]
"""A commitment, or one of its items."""
Hidden: TypeAlias = NDArray[np.bool_]
Spots: TypeAlias = tuple[tuple[int, ...], ...]
"""The places of a cell on each axis of the table."""

SITE, MODE, LANGUAGE, PERIOD, MEASURE = range(5)
TOTAL = 0
"""Where the total stands among the sites, modes, languages or periods."""
UNREACHED = np.iinfo(np.int64).max
LINE = 2
"""The fewest hidden figures of a line: a single one is what the others leave of the total."""


class Line(NamedTuple):
    """A sum that readers can make, for every combination of the other axes."""

    axis: int
    total: int
    parts: tuple[int, ...]


class HiddenCells:
    """The measures that stay hidden in each part of a wave.

    Parameters
    ----------
    floor : int
        The fewest people whose figure may be shown.
    kinds : sequence of str
        The kinds of periods that are shown (see :mod:`analysis.periods`).
    """

    def __init__(
        self,
        layout: CellLayout,
        cells: Sequence[Cell],
        settings: WaveSettings,
        floor: int,
        kinds: Sequence[str],
    ) -> None:
        self._measures = _measures(layout)
        self._places = (
            _places(cell.site for cell in cells),
            _places(cell.mode for cell in cells),
            _places(cell.language for cell in cells),
            _places(period_of(cell.day, kind) for kind in kinds for cell in cells),
        )
        self._counted = (settings.headline_sites, settings.headline_modes, None)
        shape = (*(len(places) + 1 for places in self._places), len(self._measures))
        found = (*self._part_lines(), *self._period_lines(cells, kinds), *_item_lines(self._measures))
        lines = tuple(line for line in found if line.parts)
        spots = tuple(self._spots(cell, kinds) for cell in cells)
        self._hidden = _hidden(shape, spots, _people(layout, cells).tobytes(), lines, floor)

    def measures(self, part: Selection) -> frozenset[Measure]:
        """The measures hidden in this part; none where nobody answered."""
        chosen = (part.site, part.mode, part.language, part.period)
        named = zip(chosen, self._places, strict=True)
        where = tuple(TOTAL if name is None else places.get(name, -1) for name, places in named)
        if -1 in where:
            return frozenset()
        return frozenset(self._measures[number] for number in np.flatnonzero(self._hidden[where]))

    def _spots(self, cell: Cell, kinds: Sequence[str]) -> Spots:
        """Where a cell is counted: in its own part, and in the totals that count it."""
        named = zip((cell.site, cell.mode, cell.language), self._places, self._counted, strict=False)
        parts = tuple((p[name], *_in_total(name, counted)) for name, p, counted in named)
        return (*parts, (TOTAL, *(self._places[PERIOD][period_of(cell.day, kind)] for kind in kinds)))

    def _part_lines(self) -> Iterator[Line]:
        for axis, counted in enumerate(self._counted):
            named = self._places[axis].items()
            yield Line(axis, TOTAL, tuple(place for name, place in named if _in_total(name, counted)))

    def _period_lines(self, cells: Sequence[Cell], kinds: Sequence[str]) -> Iterator[Line]:
        places = self._places[PERIOD]
        for kind in kinds:
            yield Line(PERIOD, TOTAL, tuple(sorted({places[period_of(cell.day, kind)] for cell in cells})))
        months: dict[int, set[int]] = {}
        for cell in cells:
            quarter, month = (places[period_of(cell.day, kind)] for kind in ("quarter", "month"))
            months.setdefault(quarter, set()).add(month)
        yield from (Line(PERIOD, quarter, tuple(sorted(parts))) for quarter, parts in months.items())


def _in_total(name: str, counted: Collection[str] | None) -> tuple[int, ...]:
    return (TOTAL,) if counted is None or name in counted else ()


def _places(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(sorted(set(names)), TOTAL + 1)}


def _measures(layout: CellLayout) -> list[Measure]:
    places = layout.commitments.values()
    return [*((p.code, None) for p in places), *((p.code, item) for p in places for item in p.items)]


def _item_lines(measures: Sequence[Measure]) -> Iterator[Line]:
    """A commitment counts the answers to its items."""
    for number, (commitment, item) in enumerate(measures):
        if item is None:
            parts = (n for n, (code, name) in enumerate(measures) if code == commitment and name is not None)
            yield Line(MEASURE, number, tuple(parts))


def _people(layout: CellLayout, cells: Sequence[Cell]) -> Counts64:
    """The respondents of each measure in each cell."""
    vectors = np.array([cell.vector for cell in cells], dtype=np.int64).reshape(len(cells), layout.size)
    places = layout.commitments.values()
    starts = np.array([layout.items[item].start for place in places for item in place.items], dtype=np.int64)
    bases = vectors[:, starts + Outcome.FAVOURABLE] + vectors[:, starts + Outcome.UNFAVOURABLE]
    return np.hstack([vectors[:, [place.start for place in places]], bases])


@lru_cache(maxsize=64)
def _hidden(
    shape: tuple[int, ...], spots: tuple[Spots, ...], counts: bytes, lines: tuple[Line, ...], floor: int
) -> Hidden:
    """The judgement of a whole wave, kept until a count changes: every page and file asks for it."""
    people = np.zeros(shape, dtype=np.int64)
    for spot, counted in zip(
        spots, np.frombuffer(counts, dtype=np.int64).reshape(-1, shape[-1]), strict=True
    ):
        people[np.ix_(*spot)] += counted
    hidden = (people > 0) & (people < floor)
    before = -1
    while before != (before := int(hidden.sum())):
        for line in lines if before else ():
            _mend(people, hidden, line, floor)
    hidden.flags.writeable = False
    return hidden


def _mend(people: Counts64, hidden: Hidden, line: Line, floor: int) -> None:
    """Hide one more figure of every such line that gives a hidden one away.

    The smallest part goes first. Where none is left, the total says what its only part does.
    """
    counts = np.moveaxis(people, line.axis, -1)[..., line.parts]
    all_hidden = np.moveaxis(hidden, line.axis, -1)
    given_up = all_hidden[..., line.parts] & (counts > 0)
    total_hidden = all_hidden[..., line.total]
    several = given_up.sum(axis=-1)
    # The same people may have answered all hidden items: one of these must reach the floor by itself.
    together = np.max if line.axis == MEASURE else np.sum
    held = together(counts * given_up, axis=-1, initial=0)
    open_total = ~total_hidden & (several > 0) & ((several < LINE) | (held < floor))
    alone = total_hidden & (several == 0)
    shown = np.where(given_up | (counts == 0), UNREACHED, counts)
    smallest = shown.argmin(axis=-1)
    left = shown.min(axis=-1) < UNREACHED
    lines = np.nonzero((open_total | alone) & left)
    places = np.array(line.parts)[smallest[lines]]
    all_hidden[(*lines, places)] = True
    all_hidden[..., line.total] |= open_total & ~left
