"""S6 for tables of people: no small count is shown, and none follows from what is shown."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.given_away import Mask
from analysis.hidden_counts import hidden_counts

FLOOR = 5
TABLES = st.integers(2, 4).flatmap(
    lambda parts: st.lists(
        st.lists(st.integers(0, 12), min_size=parts, max_size=parts), min_size=1, max_size=4
    )
)


def follows(hidden: Mask) -> set[tuple[int, int]]:
    """The hidden places whose value the sums give: by elimination on fractions."""
    places = [(int(line), int(column)) for line, column in np.argwhere(hidden)]
    last = len(hidden) - 1
    rows = [[Fraction(line == row) for line, _ in places] for row in range(len(hidden))]
    rows += [
        [Fraction((c == column) * (-1 if line == last else 1)) for line, c in places]
        for column in range(hidden.shape[1])
    ]
    pivots: list[list[Fraction]] = []
    for place in range(len(places)):
        found = next((row for row in rows if row[place] != 0), None)
        if found is None:
            continue
        rows.remove(found)
        found = [value / found[place] for value in found]
        rows = [[a - b * row[place] for a, b in zip(row, found, strict=True)] for row in rows]
        pivots = [[a - b * row[place] for a, b in zip(row, found, strict=True)] for row in pivots]
        pivots.append(found)
    return {places[row.index(Fraction(1))] for row in pivots if sum(value != 0 for value in row) == 1}


def test_large_counts_and_empty_ones_are_all_shown() -> None:
    assert not hidden_counts([[60, 20, 41], [30, 0, 48]], FLOOR).any()


def test_a_small_count_takes_the_next_smallest_of_its_line_with_it() -> None:
    hidden = hidden_counts([[60, 3, 58], [30, 20, 28], [25, 12, 20]], FLOOR)
    assert hidden[0].tolist() == [False, True, True]
    assert hidden[:3, 1].sum() >= 2


def test_a_small_group_says_nothing_at_all() -> None:
    assert hidden_counts([[3, 0, 0], [60, 20, 41]], FLOOR)[0].all()


@pytest.mark.abuse("AC-23")
@given(TABLES)
def test_no_small_count_is_shown_and_none_can_be_computed(groups: list[list[int]]) -> None:
    hidden = hidden_counts(groups, FLOOR)
    counts = np.vstack([groups, np.sum(groups, axis=0)])
    assert hidden[(counts > 0) & (counts < FLOOR)].all()
    small = {tuple(place) for place in np.argwhere((counts > 0) & (counts < FLOOR)).tolist()}
    assert not follows(hidden) & small


def test_hiding_the_small_counts_alone_would_give_them_away() -> None:
    """The control: without their complements, the sums say what the small counts are."""
    groups = np.array([[60, 3, 58], [30, 20, 28]])
    counts = np.vstack([groups, groups.sum(axis=0)])
    assert (0, 1) in follows((counts > 0) & (counts < FLOOR))
