"""What two readers could understand differently is a fault with a name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.responses.strict_json import StrictJSONError, loads, loads_repairing_text

FAULTS = {
    "not_a_number": [b"NaN", b"[Infinity]", b'{"a":-Infinity}'],
    "duplicate_key": [b'{"a":1,"a":1}', b'[{"b":{"a":1,"a":2}}]', rb'{"a":1,"\u0061":2}'],
    "huge_number": [b"9007199254740992", b"-9007199254740992", b"9" * 5000, b"1e999", b"-1e999"],
    "depth": [b"[" * 21 + b"]" * 21, b"[" * 100_000, b'{"a":' * 100_000],
    "unstorable_text": [rb'"\ud800"', rb'"\u0000"', rb'{"\udfff":1}', rb'["a",{"b":"\u0000"}]'],
    "encoding": [b"\xff", b"\xed\xa0\x80", b'"\xc3"'],
    "syntax": [b"", b"{", b"[1,]", b"{'a':1}", b'"\t"', b"01", b"nul", b'{"a":1}x', b"\xef\xbb\xbf1"],
}
CASES = [(code, raw) for code, raws in FAULTS.items() for raw in raws]


@pytest.mark.abuse("75")
@pytest.mark.parametrize("code, raw", CASES, ids=[f"{code}-{raw[:20]!r}" for code, raw in CASES])
def test_each_fault_has_its_name(code: str, raw: bytes) -> None:
    with pytest.raises(StrictJSONError) as caught:
        loads(raw)
    assert caught.value.code == code


def test_brackets_inside_texts_are_no_depth() -> None:
    text = "[" * 1000 + '\\"' + "{" * 1000
    assert loads(json.dumps([text]).encode()) == [text]
    assert loads(b"[" * 20 + b"]" * 20) is not None


def test_the_largest_exact_numbers_are_read() -> None:
    assert loads(b"[9007199254740991,-9007199254740991]") == [2**53 - 1, -(2**53 - 1)]


def test_a_broken_character_costs_one_character_not_the_words() -> None:
    value, changed = loads_repairing_text(rb'{"comment":"bien \ud83d","\u0000":["a\u0000b"]}')
    assert value == {"comment": "bien \ufffd", "\ufffd": ["a\ufffdb"]}
    assert changed
    assert loads_repairing_text('{"a":"😀"}'.encode()) == ({"a": "😀"}, False)


@pytest.mark.parametrize("raw", [rb'{"a\ud800":1,"a\udfff":2}', rb'{"b":[{"\u0000":1,"\ufffd":2}]}'])
def test_two_answers_that_only_broken_characters_told_apart_never_become_one(raw: bytes) -> None:
    with pytest.raises(StrictJSONError, match="duplicate_key"):
        loads_repairing_text(raw)


def test_a_huge_number_in_an_answer_becomes_its_digits() -> None:
    assert loads_repairing_text(b'{"a":%d}' % 2**63) == ({"a": str(2**63)}, False)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_ordinary_json_reads_as_itself(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads_repairing_text(json.dumps(value, ensure_ascii=False).encode()) == (value, False)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_named(raw: bytes) -> None:
    assert _code_of(raw) in {None, *FAULTS}


def _code_of(raw: bytes) -> str | None:
    try:
        loads(raw)
    except StrictJSONError as error:
        return error.code
    return None
