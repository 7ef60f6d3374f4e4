"""Which figures of a wave stay hidden: those of few people, and those that would give them away (rule S6).

All figures that a page or file can show stand in one table: site × mode × language × period × measure, with
their totals. Every sum that a reader can make is a line of it: the sites of the headline and their total, the
months of a quarter, the items of a commitment. A figure hidden in one line is hidden in all of them, so the
lines are mended over and over until none by itself gives anything away. Then all of them are solved together
(see :mod:`analysis.given_away`), and more is hidden until that gives nothing away either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import cycle
from typing import NamedTuple, TypeAlias

import numpy as np

from analysis.counter_places import CommitmentPlace
from analysis.given_away import Mask, Parts, Spots, parts_of, telling
from analysis.outcomes import Outcome
from analysis.periods import period_of
from analysis.tally import CellLayout, Counts64
from analysis.wave_settings import Cell, Selection, WaveSettings

Measure: TypeAlias = tuple[str, str | None]
"""A commitment, or one of its items."""

SITE, MODE, LANGUAGE, PERIOD, MEASURE = range(5)
TOTAL = 0
"""Where the total stands among the sites, modes, languages or periods."""
UNREACHED = np.iinfo(np.int64).max
LINE = 2
"""The fewest hidden figures of a line: a single one is what the others leave of the total."""


class Line(NamedTuple):
    """A sum that readers can make, for all combinations of the other axes; a single measure has no parts."""

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
    besides : HiddenCells, optional
        What other pages show of the same cells, and go on showing.
    """

    def __init__(
        self,
        layout: CellLayout,
        cells: Sequence[Cell],
        settings: WaveSettings,
        floor: int,
        kinds: Sequence[str],
        besides: HiddenCells | None = None,
    ) -> None:
        self._shown: Mask
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
        lines = tuple(line for line in found if line.parts or line.axis == MEASURE)
        spots, people = _together([self._spots(cell, kinds) for cell in cells], _people(layout, cells))
        fixed = np.zeros(shape, dtype=np.bool_)
        if besides is not None:
            fixed[:, :, :, besides._periods_in(self._places[PERIOD])] = besides._shown
        self._hidden, self._shown = _hidden(shape, spots, people.tobytes(), lines, floor, fixed.tobytes())

    def measures(self, part: Selection) -> frozenset[Measure]:
        """The measures hidden in this part; none where nobody answered."""
        chosen = (part.site, part.mode, part.language, part.period)
        named = zip(chosen, self._places, strict=True)
        where = tuple(TOTAL if name is None else places.get(name, -1) for name, places in named)
        if -1 in where:
            return frozenset()
        return frozenset(self._measures[number] for number in np.flatnonzero(self._hidden[where]))

    def _periods_in(self, places: Mapping[str, int]) -> list[int]:
        """Where these periods stand in a longer list."""
        return [TOTAL, *(places[name] for name in self._places[PERIOD])]

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


def _apart(place: CommitmentPlace) -> tuple[str, ...]:
    """The items whose figures differ from those of their commitment: a single one is the commitment."""
    return place.items if len(place.items) > 1 else ()


def _measures(layout: CellLayout) -> list[Measure]:
    places = layout.commitments.values()
    return [*((p.code, None) for p in places), *((p.code, item) for p in places for item in _apart(p))]


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
    items = [layout.items[item].start for place in places for item in _apart(place)]
    starts = np.array(items, dtype=np.int64)
    bases = vectors[:, starts + Outcome.FAVOURABLE] + vectors[:, starts + Outcome.UNFAVOURABLE]
    return np.hstack([vectors[:, [place.start for place in places]], bases])


def _together(spots: Sequence[Spots], people: Counts64) -> tuple[tuple[Spots, ...], Counts64]:
    """The days that no page tells apart, added up."""
    numbers = {spot: number for number, spot in enumerate(sorted(set(spots)))}
    which = [numbers[spot] for spot in spots]
    total = np.zeros((len(numbers), people.shape[1]), dtype=np.int64)
    np.add.at(total, which, people)
    return tuple(numbers), total


@lru_cache(maxsize=64)
def _hidden(
    shape: tuple[int, ...],
    spots: tuple[Spots, ...],
    counts: bytes,
    lines: tuple[Line, ...],
    floor: int,
    besides: bytes,
) -> tuple[Mask, Mask]:
    """What is hidden and what is shown of a whole wave, kept until a count changes: all pages ask for it."""
    answered = np.frombuffer(counts, dtype=np.int64).reshape(len(spots), shape[-1])
    people = np.zeros(shape, dtype=np.int64)
    for spot, counted in zip(spots, answered, strict=True):
        people[np.ix_(*spot)] += counted
    fixed = np.frombuffer(besides, dtype=np.bool_).reshape(shape)
    small = (people > 0) & (people < floor)
    if not small.any():
        return small, people > 0
    hidden = small.copy()
    _mend_all(people, hidden, lines, floor)
    _keep(fixed, hidden, lines)
    shown = (people > 0) & ~hidden
    _hide_what_tells(parts_of(shape[:-1], spots), answered > 0, (shown, small, fixed), lines)
    hidden = (people > 0) & ~shown
    if not fixed.any():
        _mend_all(people, hidden, lines, floor)
    return hidden, (people > 0) & ~hidden


def _mend_all(people: Counts64, hidden: Mask, lines: Sequence[Line], floor: int) -> None:
    found, mended = [line for line in lines if line.parts], 0
    for line in cycle(found):
        mended = 0 if _mend(people, hidden, line, floor) else mended + 1
        if mended == len(found):
            break


def _families(lines: Sequence[Line]) -> Iterator[tuple[list[int], list[int]]]:
    """Where every commitment with its items stands among the measures, and where its items do."""
    for line in lines:
        if line.axis == MEASURE:
            items = [*line.parts] or [line.total]
            yield [line.total, *items], items


def _keep(fixed: Mask, hidden: Mask, lines: Sequence[Line]) -> None:
    """What other pages show stays shown: where that is a sum that tells, all the rest of it goes."""
    for columns, _ in _families(lines):
        clash = bool((fixed & hidden)[..., columns].any())
        hidden[..., columns] = ~fixed[..., columns] & (hidden[..., columns] | clash)


def _hide_what_tells(
    parts: Parts, present: Mask, masks: tuple[Mask, Mask, Mask], lines: Sequence[Line]
) -> None:
    """Hide what several lines together take to give a small figure away.

    The masks are what is shown, what is small, and what other pages show.
    """
    shown, small, _ = masks
    for columns, items in _families(lines):
        if small[..., columns].any():
            found = telling(
                parts, present[:, items].tobytes(), *(mask[..., columns].tobytes() for mask in masks)
            )
            shown[..., columns] &= ~found.reshape(*shown.shape[:-1], -1)


def _mend(people: Counts64, hidden: Mask, line: Line, floor: int) -> bool:
    """Hide one more figure of every such line that gives a hidden one away; whether there was any.

    The smallest part goes first. Where none is left, the total says what its only part does.
    """
    all_hidden = np.moveaxis(hidden, line.axis, -1)
    lines = np.nonzero(all_hidden[..., line.parts].any(axis=-1) ^ all_hidden[..., line.total])
    if not len(lines[0]):
        return False
    counts = np.moveaxis(people, line.axis, -1)[lines][:, line.parts]
    given_up = all_hidden[lines][:, line.parts]
    # The same people may have answered all hidden items: one of these must reach the floor by itself.
    together = np.max if line.axis == MEASURE else np.sum
    tells = (given_up.sum(axis=-1) < LINE) | (together(counts * given_up, axis=-1) < floor)
    shown = np.where(given_up | (counts == 0), UNREACHED, counts)[tells]
    smallest = np.array(line.parts)[shown.argmin(axis=-1)]
    places = np.where(shown.min(axis=-1) < UNREACHED, smallest, line.total)
    before = hidden.sum()
    all_hidden[(*(axis[tells] for axis in lines), places)] = True
    return bool(hidden.sum() > before)
