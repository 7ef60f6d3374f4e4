"""One rule merges small strata, of people and of answers, and a large arrondissement stays readable."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.frames.freezing import code_of
from survey_app.strata import NOWHERE, SIZES, merged_strata

SIZE_CODES = ("", *(code for code, _end, _words in SIZES))
PLACES = ("niort", "bressuire", "parthenay", "thouars")
CODES = [".".join(filter(None, parts)) for parts in product(PLACES, ("mayor", "deputy"), SIZE_CODES)]
COUNTS = st.dictionaries(st.sampled_from(CODES), st.integers(1, 40), min_size=1)
WITH_NOWHERE = st.dictionaries(
    st.sampled_from([*CODES, f"{NOWHERE}.department"]), st.integers(1, 40), min_size=1
)


def standing(counts: Mapping[str, int]) -> Counter[str]:
    """What each stratum has that is left."""
    into, total = merged_strata(counts), Counter[str]()
    for code, people in counts.items():
        total[into.get(code, code)] += people
    return total


def place(code: str) -> str:
    return code.partition(".")[0]


def places(counts: Mapping[str, int]) -> Counter[str]:
    total = Counter[str]()
    for code, people in counts.items():
        total[place(code)] += people
    return total


def joined(counts: Mapping[str, int]) -> dict[str, set[str]]:
    """Each arrondissement with all that it can only be read together with."""
    with_it: dict[str, set[str]] = defaultdict(set)
    for code in counts:
        with_it[place(code)].add(place(code))
    for one, other in merged_strata(counts).items():
        group = with_it[place(one)] | with_it[place(other)]
        for member in group:
            with_it[member] = group
    return with_it


@pytest.mark.parametrize(
    ("counts", "into"),
    [
        ({"a": 90, "b": 10, "c": 40}, {"b": "c"}),
        ({"a": 3, "b": 4, "c": 30}, {"a": "c", "b": "c"}),
        ({"a": 3, "b": 4}, {"a": "b"}),
        ({"a": 3}, {}),
        ({"a": 11, "b": 12}, {}),
    ],
)
def test_small_ones_merge_until_none_is_left_below_or_one_is_left(
    counts: dict[str, int], into: dict[str, str]
) -> None:
    assert merged_strata(counts) == into


def test_a_small_stratum_goes_to_the_next_size_before_it_goes_anywhere_else() -> None:
    counts = {
        "niort.mayor.under_500": 20,
        "niort.mayor.from_500_to_1999": 15,
        "niort.mayor.from_2000": 3,
        "niort.president": 12,
        "bressuire.mayor.from_2000": 12,
    }
    assert merged_strata(counts) == {"niort.mayor.from_2000": "niort.mayor.from_500_to_1999"}


def test_it_stays_within_its_arrondissement_even_with_another_office() -> None:
    counts = {"niort.mayor.under_500": 5, "niort.president": 60, "bressuire.mayor.under_500": 60}
    assert merged_strata(counts) == {"niort.mayor.under_500": "niort.president"}


def test_a_small_arrondissement_goes_into_the_smallest_other_and_the_largest_stays_readable() -> None:
    """Not to the nearest size in the largest one, which nobody could read by itself any more."""
    counts = {"bressuire.mayor.under_500": 8, "niort.mayor.under_500": 60, "parthenay.mayor.from_2000": 20}
    assert merged_strata(counts) == {"bressuire.mayor.under_500": "parthenay.mayor.from_2000"}
    assert joined(counts)["niort"] == {"niort"}


def test_two_small_arrondissements_make_one_and_leave_the_large_ones_alone() -> None:
    counts = {"bressuire.mayor": 8, "thouars.deputy": 5, "niort.mayor": 60, "parthenay.mayor": 20}
    assert merged_strata(counts) == {"thouars.deputy": "bressuire.mayor"}


def test_what_lies_in_no_arrondissement_goes_into_the_largest() -> None:
    counts = {f"{NOWHERE}.department": 4, "niort.mayor": 60, "parthenay.mayor": 20, "niort.president": 12}
    assert merged_strata(counts) == {f"{NOWHERE}.department": "niort.mayor"}


@given(WITH_NOWHERE)
def test_whatever_the_sizes_none_that_stands_is_small_and_nobody_is_lost(counts: dict[str, int]) -> None:
    total = standing(counts)
    assert sum(total.values()) == sum(counts.values())
    assert len(total) == 1 or min(total.values()) >= 11
    assert not set(merged_strata(counts).values()) & set(merged_strata(counts))


@given(COUNTS)
def test_of_those_that_are_read_together_one_at_most_was_large_enough(counts: dict[str, int]) -> None:
    sizes = places(counts)
    groups = {frozenset(group) for group in joined(counts).values()}
    large = {name for name, people in sizes.items() if people >= 11}
    assert all(len(group & large) <= 1 for group in groups)
    # And where one had to take a small one in, it was the smallest of them.
    taken = [name for name in large for group in groups if name in group and len(group) > 1]
    assert all(sizes[name] == min(sizes[one] for one in large) for name in taken)


def test_the_parts_of_a_code_are_those_that_the_freezing_writes() -> None:
    assert code_of(("Niort", "mayor", "under_500")) == "niort.mayor.under_500"
    assert code_of(("", "department", "")) == f"{NOWHERE}.department"
