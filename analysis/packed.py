"""Tally cells straight from packed columns: one byte per answer, no object per row (rule S9).

Columns of a few codes each are first joined into one number per response, which one ``bincount`` then counts:
the counts of every column are margins of that one. Fewer and smaller passes than one per column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import mul

import numpy as np
from numpy.typing import NDArray

from analysis.counter_places import COMPLETE, RESPONSES, SUM_NAMES, CommitmentPlace, ItemPlace
from analysis.outcomes import Outcome
from analysis.tally import CellLayout, six_sums

Codes = NDArray[np.uint8]
Counts = NDArray[np.int64]

CHUNK = 1 << 15
"""Responses per pass: small enough that all intermediate columns stay in the processor's cache."""

JOINT_LIMIT = 1 << 12
"""Most distinct values of joined columns."""


@dataclass(frozen=True, slots=True)
class PackedColumns:
    """Responses as columns of equal length.

    Parameters
    ----------
    codes : Mapping of str to uint8 array
        Per item, the position of the code chosen (see :func:`code_bytes`), or the item's two last values for
        "unanswered" and "off the path". Items that take several codes, numbers or texts cannot be packed.
    complete : bool array, optional
        Whether each response reached the end; all did when it is left out.
    cells : integer array, optional
        Which cell, from 0, each response belongs to; all to cell 0 when it is left out.
    """

    codes: Mapping[str, Codes]
    complete: NDArray[np.bool_] | None = None
    cells: NDArray[np.integer] | None = None


def code_bytes(layout: CellLayout, item: str) -> dict[str, int]:
    """The byte of each code of an item, and under ``""`` and ``None``-like names its two absences.

    ``"(unanswered)"`` and ``"(off_path)"`` cannot be codes of a questionnaire.
    """
    codes = layout.items[item].reader.codes
    return {code: byte for byte, code in enumerate([*codes, "(unanswered)", "(off_path)"])}


def tally_columns(layout: CellLayout, columns: PackedColumns, cell_count: int = 1) -> Counts:
    """The cells of all responses: an array of shape ``(cell_count, layout.size)``.

    Items without a column keep zeros, and so do the commitments that any of them measures.

    Raises
    ------
    ValueError
        For columns of different lengths, for an item that cannot be packed, or for a byte that is no code.
    """
    plan = _Plan(layout, columns, cell_count)
    for start in range(0, plan.responses, CHUNK):
        plan.count(slice(start, start + CHUNK))
    return plan.cells()


class _Plan:
    """Which columns are joined, and what has been counted of them so far."""

    def __init__(self, layout: CellLayout, columns: PackedColumns, cell_count: int) -> None:
        self.layout, self.columns, self.cell_count = layout, columns, cell_count
        self.places = [place for name, place in layout.items.items() if name in columns.codes]
        self.responses = _common_length(columns)
        _require_packable(layout, columns)
        self.groups = list(_groups(self.places, JOINT_LIMIT))
        self.joint = [np.zeros((cell_count, _states(group)), dtype=np.int64) for group in self.groups]
        self.pooled = [
            _Pooled(layout, place, cell_count)
            for place in layout.commitments.values()
            if all(item in columns.codes for item in place.items)
        ]
        self.totals = np.zeros((cell_count, 2), dtype=np.int64)

    def count(self, part: slice) -> None:
        """Count one chunk of the responses."""
        cells = None if self.columns.cells is None else self.columns.cells[part].astype(np.intp)
        chunk = {name: column[part] for name, column in self.columns.codes.items()}
        for group, counts in zip(self.groups, self.joint, strict=True):
            _add(counts, _joined(group, chunk), cells)
        for pooled in self.pooled:
            _add(pooled.counts, pooled.states(chunk), cells)
        length = min(part.stop, self.responses) - part.start
        complete = self.columns.complete
        done = np.ones(length, np.uint8) if complete is None else complete[part].view(np.uint8)
        _add(self.totals, done, cells)

    def cells(self) -> Counts:
        """The counters in the order of the layout."""
        counters = np.zeros((self.cell_count, self.layout.size), dtype=np.int64)
        counters[:, RESPONSES] = self.totals.sum(axis=1)
        counters[:, COMPLETE] = self.totals[:, 1]
        for group, joint in zip(self.groups, self.joint, strict=True):
            shaped = joint.reshape(self.cell_count, *map(_radix, group))
            for axis, place in enumerate(group, start=1):
                others = tuple(other for other in range(1, shaped.ndim) if other != axis)
                counters[:, place.start : place.stop] = shaped.sum(axis=others) @ _spread(place)
        for pooled in self.pooled:
            start = pooled.place.start
            counters[:, start : start + len(SUM_NAMES)] = pooled.counts @ pooled.sums_of_states()
        return counters


class _Pooled:
    """How often each pair (favourable, base) occurred among the respondents of one commitment.

    The pair of a respondent is the sum of small numbers, one per answer: 1 for a favourable one plus
    ``step`` for any expressed one.
    """

    def __init__(self, layout: CellLayout, place: CommitmentPlace, cell_count: int) -> None:
        self.place = place
        self.step = len(place.items) + 1
        self.weights = {item: self._weights(layout.items[item]) for item in place.items}
        self.counts = np.zeros((cell_count, self.step**2), dtype=np.int64)

    def _weights(self, place: ItemPlace) -> NDArray[np.uint16]:
        weight = {Outcome.FAVOURABLE: self.step + 1, Outcome.UNFAVOURABLE: self.step}
        return np.array([weight.get(outcome, 0) for outcome in _outcomes(place)], dtype=np.uint16)

    def states(self, chunk: Mapping[str, Codes]) -> NDArray[np.uint16]:
        """The pair of each respondent as one number."""
        first, *others = (self.weights[item].take(chunk[item]) for item in self.place.items)
        for other in others:
            first += other
        return first

    def sums_of_states(self) -> Counts:
        """What one respondent of each pair adds to the six sums; nothing where none was expressed."""
        pairs = [divmod(state, self.step) for state in range(self.step**2)]
        return np.array([six_sums(k, b) if b else (0,) * len(SUM_NAMES) for b, k in pairs], dtype=np.int64)


def _add(counts: Counts, states: NDArray[np.unsignedinteger], cells: NDArray[np.intp] | None) -> None:
    """Add how often each state occurs to ``counts``, per cell."""
    width = counts.shape[1]
    joined = states if cells is None else cells * width + states
    counts += np.bincount(joined, minlength=counts.size).reshape(counts.shape)


def _joined(group: Sequence[ItemPlace], chunk: Mapping[str, Codes]) -> NDArray[np.uint16]:
    joined = chunk[group[0].reader.name].astype(np.uint16)
    for place in group[1:]:
        joined *= np.uint16(_radix(place))
        joined += chunk[place.reader.name]
    return joined


def _groups(places: Sequence[ItemPlace], limit: int) -> Iterator[list[ItemPlace]]:
    """Neighbouring items together, as long as their joined values stay few."""
    group: list[ItemPlace] = []
    for place in places:
        if group and _states(group) * _radix(place) > limit:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def _radix(place: ItemPlace) -> int:
    return len(place.reader.codes) + 2


def _states(group: Sequence[ItemPlace]) -> int:
    return reduce(mul, map(_radix, group), 1)


def _outcomes(place: ItemPlace) -> list[Outcome]:
    """What each byte of an item's column counts as."""
    return [*place.reader.codes.values(), Outcome.UNANSWERED, Outcome.OFF_PATH]


def _spread(place: ItemPlace) -> Counts:
    """Which of the item's counters one answer of each byte adds to."""
    outcomes = _outcomes(place)
    spread = np.zeros((len(outcomes), place.stop - place.start), dtype=np.int64)
    spread[range(len(outcomes)), outcomes] = 1
    for byte in range(len(place.reader.codes)):
        spread[byte, place.codes_start - place.start + byte] = 1
        if place.reader.sums_numbers:
            spread[byte, -1] = byte
    return spread


def _common_length(columns: PackedColumns) -> int:
    arrays = [*columns.codes.values(), columns.complete, columns.cells]
    lengths = {len(array) for array in arrays if array is not None}
    if len(lengths) > 1:
        raise ValueError(f"Colonnes de longueurs différentes\u00a0: {sorted(lengths)}.")
    return lengths.pop() if lengths else 0


def _require_packable(layout: CellLayout, columns: PackedColumns) -> None:
    for name, column in columns.codes.items():
        place = layout.items.get(name)
        if place is None or place.reader.takes_several or not place.reader.codes:
            raise ValueError(f"«\u202f{name}\u202f» n’est pas une question à un seul code.")
        if column.size and int(column.max()) >= _radix(place):
            raise ValueError(f"«\u202f{name}\u202f» contient un octet qui n’est pas un de ses codes.")
