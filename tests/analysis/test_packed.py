"""Rule S9: columns in memory give the same cells as answers one by one, and fast."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import packed
from analysis.packed import PackedColumns, code_bytes, tally_columns
from analysis.tally import CellLayout, CountedResponse
from form_definitions.model import Item
from tests.analysis.builders import a_questionnaire, a_scale_item

QUESTIONNAIRE = a_questionnaire(
    *(a_scale_item(f"welcome_{number}", "accueil") for number in range(5)),
    a_scale_item("waiting", "delai"),
    Item(name="recommend", question_type="recommendation", label="0 à 10", minimum=0, maximum=10),
)
LAYOUT = CellLayout(QUESTIONNAIRE)
NAMES = tuple(LAYOUT.items)


def bytes_of(name: str) -> dict[str, int]:
    return code_bytes(LAYOUT, name)


def one_by_one(columns: PackedColumns, cell_count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    cells = [LAYOUT.zero() for _ in range(cell_count)]
    for row in range(len(columns.codes["waiting"])):
        given_codes = {name: list(bytes_of(name))[columns.codes[name][row]] for name in NAMES}
        asked = frozenset(name for name, code in given_codes.items() if code != "(off_path)")
        answers: dict[str, object] = {
            name: int(code) if name == "recommend" else [code]
            for name, code in given_codes.items()
            if not code.startswith("(")
        }
        complete = columns.complete is None or bool(columns.complete[row])
        cell = 0 if columns.cells is None else int(columns.cells[row])
        cells[cell] += LAYOUT.vector(CountedResponse(answers, asked, complete))
    return np.array(cells)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.booleans())
def test_s9_packed_columns_give_the_cells_of_the_answers(seed: int, length: int, split: bool) -> None:
    random = np.random.default_rng(seed)
    columns = PackedColumns(
        {name: random.integers(0, len(bytes_of(name)), length, dtype=np.uint8) for name in NAMES},
        complete=random.random(length) < 0.8 if split else None,
        cells=random.integers(0, 3, length) if split else None,
    )
    counted = tally_columns(LAYOUT, columns, 3)
    assert np.array_equal(counted, one_by_one(columns, 3))


def test_s9_chunks_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    columns = PackedColumns({name: random.integers(0, 8, 1000, dtype=np.uint8) for name in NAMES})
    at_once = tally_columns(LAYOUT, columns)
    monkeypatch.setattr(packed, "CHUNK", 64)
    assert np.array_equal(tally_columns(LAYOUT, columns), at_once)


def test_a_byte_that_is_no_code_is_refused() -> None:
    with pytest.raises(ValueError, match="octet"):
        tally_columns(LAYOUT, PackedColumns({"waiting": np.array([8], dtype=np.uint8)}))


def test_columns_of_different_lengths_are_refused() -> None:
    columns = {"waiting": np.zeros(2, np.uint8), "recommend": np.zeros(3, np.uint8)}
    with pytest.raises(ValueError, match="longueurs"):
        tally_columns(LAYOUT, PackedColumns(columns))


def test_an_item_that_takes_several_codes_is_refused() -> None:
    layout = CellLayout(a_questionnaire(Item(name="comment", question_type="long_text", label="Un mot ?")))
    with pytest.raises(ValueError, match="un seul code"):
        tally_columns(layout, PackedColumns({"comment": np.zeros(1, np.uint8)}))


def test_s9_a_million_responses_of_twenty_items_cost_at_most_three_bincounts() -> None:
    items = (a_scale_item(f"item_{number}", f"commitment_{number // 4}") for number in range(20))
    layout = CellLayout(a_questionnaire(*items))
    random = np.random.default_rng(2)
    columns = {name: random.integers(0, 8, 10**6, dtype=np.uint8) for name in layout.items}
    floors, ours = [], []
    for _ in range(5):
        start = time.process_time()
        for column in columns.values():
            np.bincount(column, minlength=8)
        middle = time.process_time()
        tally_columns(layout, PackedColumns(columns))
        floors.append(middle - start)
        ours.append(time.process_time() - middle)
    assert min(ours) <= 3 * min(floors)
