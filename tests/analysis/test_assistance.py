"""How many were helped, and which of these numbers would say something of one person."""

from __future__ import annotations

import itertools

import pytest

from analysis.assistance import Assistance


@pytest.mark.parametrize(
    "numbers, shown",
    [
        ((20, 30, 7), (20, 30, 7)),
        ((0, 0, 0), (0, 0, 0)),
        ((0, 0, 40), (0, 0, 40)),
        ((3, 30, 70), (None, None, 70)),
        ((3, 0, 70), (None, 0, None)),
        ((3, 0, 0), (None, None, None)),
        ((2, 2, 70), (None, None, None)),
        ((4, 4, 70), (None, None, 70)),
    ],
)
def test_s6_a_small_number_is_hidden_with_the_one_that_would_give_it_away(
    numbers: tuple[int, int, int], shown: tuple[int | None, ...]
) -> None:
    assert tuple(Assistance(*numbers).shown_to("staff").values()) == shown


@pytest.mark.parametrize("readers, floor", [("staff", 5), ("public", 11)])
def test_s6_no_small_number_follows_from_the_sum_of_all_three(readers: str, floor: int) -> None:
    """The responses of the tablets are shown: what is hidden together is their rest, and of enough people."""
    for numbers in itertools.product((0, 1, 4, 5, 10, 11, 40), repeat=3):
        shown = Assistance(*numbers).shown_to(readers)  # type: ignore[arg-type]
        assert not any(number and number < floor for number in shown.values())
        hidden = [number for number, one in zip(numbers, shown.values(), strict=True) if one is None]
        assert len(hidden) != 1
        assert not hidden or sum(hidden) >= floor or len(hidden) == 3
