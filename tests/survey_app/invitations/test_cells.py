"""What stays beside an answer is shared by eleven at least."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_app.invitations.cells import THRESHOLD, Placed, placed
from survey_app.invitations.sealed_answers import Answer, monday_of
from survey_app.strata import merged_strata

MONDAY = dt.date(2026, 3, 2)


def some(
    number: int, stratum: str = "niort", week: int = 0, language: str = "fr", digest: str = "d"
) -> list[Answer]:
    return [Answer(digest, language, MONDAY + dt.timedelta(weeks=week), stratum, {})] * number


def mixed(answers: list[Answer]) -> list[Placed]:
    return placed(answers, merged_strata(Counter(one.stratum for one in answers)), "d")


def cells(answers: list[Answer]) -> Counter[tuple[str, int]]:
    return Counter((one.stratum, (one.week - MONDAY).days // 7) for one in mixed(answers))


def test_cells_that_are_large_enough_stay_as_they_are() -> None:
    answers = some(11) + some(20, week=1) + some(12, "parthenay")
    assert cells(answers) == {("niort", 0): 11, ("niort", 1): 20, ("parthenay", 0): 12}


def test_small_weeks_join_the_following_and_the_last_the_one_before() -> None:
    answers = some(5) + some(6, week=1) + some(12, week=2) + some(10, week=3)
    assert cells(answers) == {("niort", 0): 11, ("niort", 2): 22}
    assert cells(some(5) + some(5, week=4)) == {("niort", 0): 10}


def test_a_rare_language_is_said_of_nobody() -> None:
    assert {one.language for one in mixed(some(20) + some(3, language="ar"))} == {"und"}
    assert {one.language for one in mixed(some(20) + some(11, language="ar"))} == {"fr", "ar"}
    assert {one.language for one in mixed(some(5))} == {"fr"}


def versions(answers: list[Answer]) -> Counter[tuple[str, str]]:
    return Counter((one.stratum, one.digest) for one in mixed(answers))


def test_few_answers_to_another_version_merge_no_stratum_and_count_with_the_current_one() -> None:
    answers = some(50, "a") + some(50, "b") + some(50, "c") + some(1, "a", digest="e")
    assert versions(answers) == {("a", "d"): 51, ("b", "d"): 50, ("c", "d"): 50}


def test_versions_with_eleven_answers_stay_apart() -> None:
    assert versions(some(20) + some(11, digest="e")) == {("niort", "d"): 20, ("niort", "e"): 11}


def test_few_answers_to_the_current_version_count_with_the_largest() -> None:
    answers = some(2) + some(20, digest="e") + some(12, digest="f")
    assert versions(answers) == {("niort", "e"): 22, ("niort", "f"): 12}
    assert versions(some(6) + some(8, digest="e")) == {("niort", "e"): 14}


ANSWERS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.integers(0, 5),
        st.sampled_from(["fr", "fr", "en"]),
        st.sampled_from("ddddde"),
    ),
    max_size=150,
)


@settings(max_examples=200, deadline=None)
@given(ANSWERS)
def test_every_cell_has_eleven_or_is_all_there_is(found: list[tuple[str, int, str, str]]) -> None:
    answers = [one for each in found for one in some(1, *each)]
    result = mixed(answers)
    assert len(result) == len(answers)
    sizes = Counter((one.digest, one.stratum, one.week, one.language) for one in result)
    assert len(sizes) <= 1 or min(sizes.values()) >= THRESHOLD
    assert all(one.week <= one.answer.week for one in result)


@pytest.mark.parametrize("day, monday", [("2026-03-02", "2026-03-02"), ("2026-03-08", "2026-03-02")])
def test_a_week_begins_on_monday(day: str, monday: str) -> None:
    assert monday_of(dt.date.fromisoformat(day)).isoformat() == monday


def test_the_order_of_arrival_changes_nothing() -> None:
    answers = some(12) + some(13, "parthenay", 1) + some(5, "bressuire", 2)
    before = Counter((one.stratum, one.week) for one in mixed(answers))
    random.Random(3).shuffle(answers)
    assert Counter((one.stratum, one.week) for one in mixed(answers)) == before
