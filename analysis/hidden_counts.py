"""Which counts of a table of people stay hidden: small ones, and those that would give them away (rule S6).

A line per group, a column for each of the parts into which a group falls. The size of every group is known,
and so are the sums of the columns unless they are hidden too. For answers, see :mod:`analysis.hidden_cells`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.given_away import Mask
from analysis.tally import Counts64

DETERMINED = 1e-9
LINE = 2
"""The fewest hidden counts of a line."""


def hidden_counts(groups: Sequence[Sequence[int]], floor: int) -> Mask:
    """What must not be shown to readers who may see no count from 1 to ``floor`` − 1.

    Parameters
    ----------
    groups : sequence of sequence of int
        Groups × parts, in people.

    Returns
    -------
    array of bool
        (Groups + 1) × parts: the last line is that of the sums over all groups.
    """
    parts = np.array(groups, dtype=np.int64).reshape(len(groups), -1)
    counts: Counts64 = np.vstack([parts, parts.sum(axis=0)])
    hidden: Mask = (counts > 0) & (counts < floor)
    while _mend(counts, hidden, floor) or _mend_together(counts, hidden):
        pass
    return hidden


def _mend(counts: Counts64, hidden: Mask, floor: int) -> bool:
    """Hide one more count of a line that gives a hidden one away; whether there was any."""
    for line in range(len(counts)):
        if _tells(counts[line], hidden[line], floor) and _hide_one(counts[line], hidden[line]):
            return True
    for column in range(counts.shape[1]):
        parts, known = counts[:-1, column], hidden[:-1, column]
        if hidden[-1, column]:
            if not known.any() and _hide_one(parts, known):
                return True
        elif _tells(parts, known, floor):
            hidden[-1, column] = not _hide_one(parts, known)
            return True
    return False


def _tells(counts: Counts64, hidden: Mask, floor: int) -> bool:
    """Whether the hidden counts of a line with a known sum are too few, or of too few people."""
    number = int(hidden.sum())
    return 0 < number < len(hidden) and (number < LINE or int(counts[hidden].sum()) < floor)


def _hide_one(counts: Counts64, hidden: Mask) -> bool:
    """Hide the smallest count that is shown; one of nobody only where there is no other."""
    order = sorted(np.flatnonzero(~hidden), key=lambda place: (counts[place] == 0, counts[place]))
    if order:
        hidden[order[0]] = True
    return bool(order)


def _mend_together(counts: Counts64, hidden: Mask) -> bool:
    """All sums solved at once: hide the smallest shown neighbour of a count that follows from them."""
    for line, column in _determined(hidden):
        shown = [
            *((line, other) for other in range(hidden.shape[1]) if not hidden[line, other]),
            *((other, column) for other in range(len(hidden)) if not hidden[other, column]),
        ]
        if shown:
            hidden[min(shown, key=lambda place: (counts[place] == 0, counts[place]))] = True
            return True
    return False


def _determined(hidden: Mask) -> Iterator[tuple[int, int]]:
    """The hidden counts that follow from the sums and from what is shown."""
    places = [(int(line), int(column)) for line, column in np.argwhere(hidden)]
    if not places:
        return
    lines: NDArray[np.float64] = np.array(
        [[line == row for line, _ in places] for row in range(len(hidden))], float
    )
    last = len(hidden) - 1
    columns = np.array(
        [
            [(c == column) * (-1.0 if line == last else 1.0) for line, c in places]
            for column in range(hidden.shape[1])
        ]
    )
    _, values, directions = np.linalg.svd(np.vstack([lines, columns]))
    free = directions[int((values > DETERMINED).sum()) :]
    for number, place in enumerate(places):
        if not (np.abs(free[:, number]) > DETERMINED).any():
            yield place
