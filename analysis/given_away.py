"""Which figures, solved together, would give a hidden one away (rule S6).

Every shown figure adds up parts of the wave: one equation. Hidden is what does not follow from the equations.
So the figures are taken one by one, those of the largest parts of the wave first, and each stays hidden that
would let a small one follow from it and those already shown.

The equations are kept as orthogonal directions: a figure follows when nothing of it is left beside them.
Whole numbers of some hundred parts leave nothing, or far more than what rounding adds; where in doubt, the
figure counts as given away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Spots: TypeAlias = tuple[tuple[int, ...], ...]
"""The places of a part on each axis of the table."""

FOLLOWS, NEW = 1e-6, 1e-10
"""Squares of what is left beside the equations: a guarded figure follows below the first, an
equation is new from the second on."""

MOST, GUARDED = 500_000, 4
"""Numbers of the equations that are tried, and times as many for the guarded figures: well under a second.
What is beyond stays hidden: the smallest parts of a wave of very many."""

ROUNDED = 0.25
"""When less than this share of a square is left, rounding weighs in it: it is taken once more."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Which parts of a wave every place of its table counts: a line per place, a column per part."""

    counted: Mask
    order: NDArray[np.intp]
    """The places, those that count the most first."""


@lru_cache(maxsize=16)
def parts_of(shape: tuple[int, ...], spots: tuple[Spots, ...]) -> Parts:
    """The parts of a table of this shape."""
    counted = np.zeros((*shape, len(spots)), dtype=np.bool_)
    for part, spot in enumerate(spots):
        counted[..., part][np.ix_(*spot)] = True
    places = counted.reshape(-1, len(spots))
    return Parts(places, np.argsort(-places.sum(axis=1), kind="stable"))


@lru_cache(maxsize=512)
def telling(parts: Parts, present: bytes, shown: bytes, guarded: bytes, fixed: bytes) -> Mask:
    """The shown figures that must be hidden, so that no guarded one follows from the others.

    Masks of figures have a line per place, and a column for a commitment and for each of its items; ``fixed``
    are those that other pages show in any case. ``present`` has a line per part, and a column per item.
    The answer is kept: a new count seldom changes which figures are hidden.
    """
    places, number = parts.counted.shape
    answered = _mask(present, number)
    open_, kept, certain = (_mask(mask, places) for mask in (shown, guarded, fixed))
    figures = [
        (parts.order[lines], columns) for lines, columns in map(np.nonzero, _tried(parts, open_, certain))
    ]
    lost = open_ & ~certain
    enough = MOST // max(1, int(answered.sum()))
    if len(figures[0][0]) <= enough and kept.sum() <= GUARDED * enough:
        tried = tuple(np.concatenate(both)[:enough] for both in zip(*figures, strict=True))
        rows, which = _different(_rows(parts, answered, *tried))
        sure = int(which[: len(figures[0][0])].max(initial=-1)) + 1
        guards, _ = _different(_rows(parts, answered, *np.nonzero(kept)))
        lost[tried] = ~_may_be_shown(rows, guards, sure)[which]
    return lost


def _tried(parts: Parts, shown: Mask, fixed: Mask) -> tuple[Mask, Mask]:
    """What is certain, then the others; by order of size."""
    return fixed[parts.order], (shown & ~fixed)[parts.order]


def _mask(packed: bytes, lines: int) -> Mask:
    return np.frombuffer(packed, dtype=np.bool_).reshape(lines, -1)


def _rows(parts: Parts, present: Mask, places: NDArray[np.intp], columns: NDArray[np.intp]) -> Floats:
    """Which parts (× items) with answers each of these figures adds up."""
    number, item = np.nonzero(present)
    of_item = (columns == 0)[:, None] | (columns[:, None] == item + 1)
    rows: Mask = parts.counted[np.ix_(places, number)] & of_item
    return rows.astype(np.float64)


def _different(rows: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Every row once, in the order in which they come first, and which of them each is."""
    numbers: dict[bytes, int] = {}
    which = [numbers.setdefault(row.tobytes(), len(numbers)) for row in rows]
    _, first = np.unique(which, return_index=True)
    return rows[first], np.array(which, dtype=np.intp)


def _beside(row: Floats, basis: Floats) -> Floats:
    """What is left of a row beside a basis."""
    rest: Floats = row - np.einsum("i,ij->j", np.einsum("ij,j->i", basis, row), basis)
    return rest


def _may_be_shown(rows: Floats, guarded: Floats, certain: int) -> Mask:
    """Which equations may be shown, one after the other; the first are shown in any case.

    ``einsum`` starts no threads, which cost more than they give on a busy machine.
    """
    shown = np.ones(len(rows), dtype=np.bool_)
    basis, known = np.empty((rows.shape[1], rows.shape[1])), 0
    left = (guarded**2).sum(axis=1)
    for number, row in enumerate(rows):
        rest = _beside(row, basis[:known])
        if rest @ rest < ROUNDED * (row @ row):
            rest = _beside(rest, basis[:known])
        length = float(rest @ rest)
        if length < NEW:
            continue
        rest = rest / sqrt(length)
        after = left - np.einsum("ij,j->i", guarded, rest) ** 2
        shown[number] = number < certain or after.min() >= FOLLOWS
        if shown[number]:
            left, basis[known], known = after, rest, known + 1
    return shown
