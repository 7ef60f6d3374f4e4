"""Rules S1, S2, S9: answers → counters, adding and taking away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.counter_places import HEAD
from analysis.rates import RespondentSums, Tally
from analysis.tally import CellLayout, CountedResponse
from form_definitions.model import Item, RateRule, ResponseOption
from tests.analysis.builders import SCALE, a_questionnaire, a_response, a_scale_item, two_commitments

QUESTIONNAIRE = two_commitments()
LAYOUT = CellLayout(QUESTIONNAIRE)
CODES = [*(option.code for option in SCALE), None, "off_path"]
ROWS = st.lists(st.lists(st.sampled_from(CODES), min_size=4, max_size=4), max_size=12)

MIXED = a_questionnaire(
    a_scale_item("welcome", "accueil"),
    Item(
        name="means",
        question_type="multiple_choice",
        label="Comment ?",
        options=(
            ResponseOption(code="bus", label="Bus"),
            ResponseOption(code="car", label="Voiture"),
            ResponseOption(code="none", label="Aucun", exclusive=True),
        ),
    ),
    Item(name="minutes", question_type="number", label="Minutes", minimum=0, maximum=300),
    Item(name="recommend", question_type="recommendation", label="0 à 10", minimum=0, maximum=10),
    Item(name="comment", question_type="long_text", label="Un mot ?"),
    Item(name="thanks", question_type="note", label="Merci"),
)
MIXED_LAYOUT = CellLayout(MIXED)


def count(name: str, value: object) -> tuple[Tally, dict[str, int], int | None]:
    cell = MIXED_LAYOUT.vector(CountedResponse({name: value}, MIXED_LAYOUT.items.keys()))
    return (
        MIXED_LAYOUT.tally(cell, name),
        MIXED_LAYOUT.code_counts(cell, name),
        MIXED_LAYOUT.number_sum(cell, name),
    )


@pytest.mark.parametrize(
    "code, expected",
    [
        ("very_good", Tally(favourable=1, base=1)),
        ("good", Tally(favourable=1, base=1)),
        ("bad", Tally(base=1)),
        ("not_concerned", Tally(not_applicable=1)),
        ("no_idea", Tally(no_opinion=1)),
        (None, Tally(unanswered=1)),
        ("off_path", Tally(off_path=1)),
    ],
)
def test_s1_an_answer_is_counted_once_and_in_its_place(code: str | None, expected: Tally) -> None:
    cell = LAYOUT.vector(a_response(QUESTIONNAIRE, code, "good", "good", "good"))
    assert LAYOUT.tally(cell, "welcome_1") == expected


@given(ROWS)
def test_s1_base_and_absences_add_up_to_the_responses(rows: list[list[str | None]]) -> None:
    cell = LAYOUT.merge(LAYOUT.vector(a_response(QUESTIONNAIRE, *row)) for row in rows)
    assert {LAYOUT.tally(cell, item).responses for item in LAYOUT.items} == {len(rows)}


@given(ROWS)
def test_s2_the_six_sums_are_those_of_the_respondents(rows: list[list[str | None]]) -> None:
    cell = LAYOUT.merge(LAYOUT.vector(a_response(QUESTIONNAIRE, *row)) for row in rows)
    pairs = [
        (sum(code in ("very_good", "good") for code in row[:3]), sum(code in CODES[:4] for code in row[:3]))
        for row in rows
    ]
    assert LAYOUT.sums(cell, "accueil") == RespondentSums.of(pairs)


@given(ROWS, ROWS, ROWS)
def test_s9_merging_is_associative_and_order_does_not_matter(
    first: list[list[str | None]], second: list[list[str | None]], third: list[list[str | None]]
) -> None:
    a, b, c = (
        LAYOUT.merge(LAYOUT.vector(a_response(QUESTIONNAIRE, *row)) for row in rows)
        for rows in (first, second, third)
    )
    assert np.array_equal(LAYOUT.merge([LAYOUT.merge([a, b]), c]), LAYOUT.merge([c, LAYOUT.merge([b, a])]))


@given(ROWS, st.lists(st.sampled_from(CODES), min_size=4, max_size=4))
def test_s9_adding_then_taking_away_an_answer_is_the_identity(
    rows: list[list[str | None]], row: list[str | None]
) -> None:
    cell = LAYOUT.merge(LAYOUT.vector(a_response(QUESTIONNAIRE, *each)) for each in rows)
    one = LAYOUT.vector(a_response(QUESTIONNAIRE, *row))
    assert np.array_equal(cell + one - one, cell)


@given(ROWS)
def test_a_cell_survives_its_bytes(rows: list[list[str | None]]) -> None:
    cell = LAYOUT.merge(LAYOUT.vector(a_response(QUESTIONNAIRE, *row)) for row in rows)
    data = LAYOUT.to_bytes(cell)
    assert len(data) == 8 * LAYOUT.size
    assert np.array_equal(LAYOUT.from_bytes(data, data), [cell, cell])


def test_bytes_of_another_layout_are_refused() -> None:
    with pytest.raises(ValueError, match="octets"):
        LAYOUT.from_bytes(b"\0" * 8)


def test_responses_and_complete_ones_are_counted() -> None:
    row = ["good"] * 4
    cells = [LAYOUT.vector(a_response(QUESTIONNAIRE, *row, complete=done)) for done in (True, False, True)]
    assert LAYOUT.merge(cells)[:2].tolist() == [3, 2]


def test_no_cell_at_all_is_an_empty_cell() -> None:
    assert not LAYOUT.merge([]).any()


def test_s1_an_excluded_option_is_out_of_the_base() -> None:
    rule = RateRule(favourable=("very_good",), excluded=("bad",))
    questionnaire = a_questionnaire(a_scale_item("welcome", "accueil", rate=rule))
    layout = CellLayout(questionnaire)
    cell = layout.vector(a_response(questionnaire, "bad"))
    assert layout.tally(cell, "welcome") == Tally(not_applicable=1)


@pytest.mark.parametrize(
    "name, value",
    [
        ("welcome", ["unheard_of"]),
        ("welcome", ["good", "bad"]),
        ("welcome", "good"),
        ("welcome", []),
        ("welcome", [["good"], {}, None, 3]),
        ("welcome", {"good": 1}),
        ("means", ["none", "bus"]),
        ("minutes", 301),
        ("minutes", -1),
        ("minutes", True),
        ("minutes", 12.5),
        ("minutes", float("nan")),
        ("minutes", float("inf")),
        ("minutes", 10**400),
        ("minutes", "12"),
        ("recommend", 11),
        ("recommend", [9]),
        ("comment", "  \n"),
        ("comment", 3),
    ],
)
def test_odd_values_count_as_unanswered_and_never_raise(name: str, value: Any) -> None:
    tally, codes, number = count(name, value)
    assert tally == Tally(unanswered=1)
    assert not any(codes.values())
    assert not number


def test_a_multiple_choice_counts_each_option_and_one_person() -> None:
    tally, codes, _ = count("means", ["bus", "car"])
    assert tally == Tally(base=1)
    assert codes == {"bus": 1, "car": 1, "none": 0}


@pytest.mark.parametrize("value", [12, 12.0])
def test_a_number_is_summed(value: object) -> None:
    tally, _, number = count("minutes", value)
    assert (tally, number) == (Tally(base=1), 12)


def test_a_recommendation_is_counted_note_by_note() -> None:
    tally, codes, number = count("recommend", 9)
    assert (tally.base, codes["9"], number) == (1, 1, 9)
    assert list(codes) == [str(note) for note in range(11)]


def test_a_text_is_only_counted() -> None:
    assert count("comment", "Merci !")[0] == Tally(base=1)


def test_a_note_has_no_counter() -> None:
    assert "thanks" not in MIXED_LAYOUT.items


def test_another_rule_makes_another_layout() -> None:
    other = a_questionnaire(a_scale_item("welcome", "accueil", rate=RateRule(favourable=("very_good",))))
    same = a_questionnaire(a_scale_item("welcome", "accueil"))
    digests = {CellLayout(questionnaire).digest for questionnaire in (other, same)}
    assert len(digests) == 2
    assert CellLayout(same).digest == CellLayout(a_questionnaire(a_scale_item("welcome", "accueil"))).digest


def three_welcomes(*names: str, commitment: str = "accueil") -> list[Item]:
    return [a_scale_item(name, commitment) for name in names]


STRICTER = RateRule(favourable=("very_good",))
NEW_VERSIONS = [
    pytest.param(three_welcomes("a", "b"), {"a", "b"}, id="unchanged"),
    pytest.param(three_welcomes("b", "a"), {"a", "b"}, id="another order"),
    pytest.param(three_welcomes("a", "b", "c"), {"a", "b"}, id="an item added"),
    pytest.param(three_welcomes("a"), set(), id="an item dropped"),
    pytest.param(
        [*three_welcomes("a"), a_scale_item("b", "accueil", rate=STRICTER)], set(), id="another rule"
    ),
    pytest.param([*three_welcomes("a"), a_scale_item("b", "delai")], set(), id="an item moved"),
    pytest.param(three_welcomes("a", "b", commitment="delai"), set(), id="another commitment"),
    pytest.param([*three_welcomes("a", "b"), a_scale_item("wait", "accueil")], set(), id="an old item joins"),
]


@pytest.mark.parametrize("items, continued", NEW_VERSIONS)
def test_a_new_version_adopts_what_counts_on_and_nothing_else(items: list[Item], continued: set[str]) -> None:
    old = a_questionnaire(*three_welcomes("a", "b"), a_scale_item("wait", None))
    source, layout = CellLayout(old), CellLayout(a_questionnaire(*items))
    helped = replace(a_response(old, "good", "bad", "good"), assisted=True)
    cell = source.merge([source.vector(helped)] * 3)
    adopted = layout.adopt(cell, source)
    assert layout.continued_items(source) == continued
    assert adopted[: len(HEAD)].tolist() == [3, 3, 3, 0]
    for name in layout.items:
        kept = source.tally(cell, name) if name in continued else Tally(off_path=3)
        assert layout.tally(adopted, name) == kept
    for code in layout.commitments:
        tallies = [layout.tally(adopted, item) for item in layout.commitments[code].items]
        sums = layout.sums(adopted, code)
        assert (sums.k, sums.b) == (sum(t.favourable for t in tallies), sum(t.base for t in tallies))


def test_a_cell_counted_before_anybody_asked_who_was_helped_says_nothing_of_it() -> None:
    layout = CellLayout(a_questionnaire(*three_welcomes("a")))
    helped = layout.vector(CountedResponse({"a": ["good"]}, {"a"}, assisted=True))
    earlier = [name for name in layout.counter_names if name not in {"assisted", "alone"}]
    cell = np.array(
        [number for number, name in zip(helped, layout.counter_names, strict=True) if name in earlier]
    )
    adopted = layout.adopt_named(cell, earlier)
    assert adopted[: len(HEAD)].tolist() == [1, 1, 0, 0]
    assert layout.tally(adopted, "a") == layout.tally(helped, "a")
    assert layout.adopt_named(helped, layout.counter_names).tolist() == helped.tolist()
