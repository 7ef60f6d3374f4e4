"""The trip through a questionnaire page by page, the sealed state, and the form behind them."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from form_definitions import AnswerFault, Questionnaire, RoutingContext, check_source, holds
from form_definitions.conditions import Condition
from survey_app import i18n
from survey_app.form_state import FormState, UnreadableState, new_state, seal, unseal
from survey_app.forms import build_form, client_messages, fault_message
from survey_app.interview import Interview, remaining
from survey_app.open_waves import SITE_ITEM, site_section
from tests.survey_app.website_site import SMALL

NOW = dt.datetime(2026, 3, 10, 9, 30, tzinfo=dt.UTC)
KEY = "k7Qw2ZpLx9Rt4VbN8mYc3HdF6sGj1AeU"
CASES = Path(__file__).parents[1] / "conformance" / "answers.json"
ITEMS = ["a", "b", "c"]


def small() -> Questionnaire:
    questionnaire = check_source(SMALL).questionnaire
    assert questionnaire is not None
    return questionnaire


def interview(**answers: Any) -> Interview:
    return Interview(small(), "digest of the test", RoutingContext("website", "immigration"), answers)


def names(sections: tuple[Any, ...]) -> list[str]:
    return [section.name for section in sections]


# Steps


def test_only_sections_with_something_to_show_are_steps() -> None:
    assert names(interview().steps()) == ["first", "last"]
    assert names(interview(came=["stayed_away"]).steps()) == ["first", "away", "last"]


def test_the_neighbours_of_a_step_are_on_the_path() -> None:
    here = interview(came=["stayed_away"])
    assert [s.name if s else None for s in (here.neighbour("first", 1), here.neighbour("last", -1))] == [
        "away",
        "away",
    ]
    assert here.neighbour("first", -1) is None
    assert here.neighbour("last", 1) is None


def test_a_section_that_left_the_path_still_has_neighbours() -> None:
    here = interview(came=["came_in"]).neighbour("away", 1)
    assert here is not None
    assert here.name == "last"


def test_a_condition_on_an_earlier_page_is_settled_and_the_question_left_out() -> None:
    last = small().sections[-1]
    away = interview(came=["stayed_away"]).step(last)
    came = interview(came=["came_in"]).step(last)
    assert came.items - away.items == {"detail_place"}
    assert came.conditions == away.conditions == {}


def test_a_condition_within_the_page_is_left_for_the_page() -> None:
    first = interview().step(small().sections[0])
    assert first.conditions == {"reasons": {"is": ["came", "came_in"]}}
    assert first.hidden == {"reasons"}


def test_a_hidden_question_keeps_the_answer_it_had() -> None:
    before = interview(came=["came_in"], reasons=["paper"], nickname="x")
    sent = MultiDict([("came", "stayed_away")])
    after, faults = before.answered(before.step(small().sections[0]), sent)
    assert after.answers == {"came": ["stayed_away"], "reasons": ["paper"], "nickname": "x"}
    assert faults == {}


def test_an_emptied_field_takes_its_answer_away() -> None:
    before = interview(came=["stayed_away"], minutes=4)
    after, _faults = before.answered(before.step(small().sections[0]), MultiDict([("minutes", " ")]))
    assert after.answers == {}


conditions = st.recursive(
    st.one_of(
        st.sampled_from(ITEMS).map(lambda item: {"answered": item}),
        st.sampled_from(ITEMS).map(lambda item: {"is": [item, "x"]}),
        st.sampled_from(ITEMS).map(lambda item: {"any_of": [item, ["x", "y"]]}),
    ),
    lambda inner: st.one_of(
        inner.map(lambda part: {"not": part}),
        st.lists(inner, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, max_size=3).map(lambda parts: {"any": parts}),
    ),
    max_leaves=8,
)
answers = st.dictionaries(st.sampled_from(ITEMS), st.lists(st.sampled_from(["x", "y", "z"]), min_size=1))


@given(conditions, answers, st.sets(st.sampled_from(ITEMS)))
def test_what_is_left_of_a_condition_says_the_same_as_the_condition(
    condition: Condition, given_answers: dict[str, list[str]], undecided: set[str]
) -> None:
    known = {name: answer for name, answer in given_answers.items() if name not in undecided}
    later = {name: answer for name, answer in given_answers.items() if name in undecided}
    left = remaining(condition, known, undecided)
    assert (left if isinstance(left, bool) else holds(left, later)) == holds(condition, given_answers)


# The sealed state


def a_state(**changes: Any) -> FormState:
    state = new_state(slug="petit", wave="w", digest="d", site="", practice=False, now=NOW)
    return state.moved(NOW, **changes)


@given(
    st.dictionaries(st.text(max_size=8), st.one_of(st.integers(), st.text(), st.lists(st.text(max_size=5))))
)
def test_a_sealed_state_comes_back_as_it_was(given_answers: dict[str, Any]) -> None:
    given_answers = json.loads(json.dumps(given_answers).encode("utf-8", "replace"))
    state = a_state(answers=given_answers, warned=("came",))
    try:
        sealed = seal(state, KEY)
    except UnicodeEncodeError:
        return  # a lone surrogate never comes out of a request: Werkzeug replaces it
    assert unseal(sealed, KEY) == state


def test_each_form_gets_a_record_of_its_own_and_two_seals_of_one_state_differ() -> None:
    assert a_state().record_id != a_state().record_id
    state = a_state()
    assert seal(state, KEY) != seal(state, KEY)


def test_nothing_of_an_answer_can_be_read_in_the_sealed_state() -> None:
    raw = base64.urlsafe_b64decode(seal(a_state(answers={"comment": "Zanzibar" * 40}), KEY))
    assert b"Zanzi" not in raw


def test_a_state_changed_anywhere_is_unreadable() -> None:
    raw = base64.urlsafe_b64decode(seal(a_state(), KEY))
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(UnreadableState):
            unseal(base64.urlsafe_b64encode(changed).decode(), KEY)


def test_a_state_of_another_server_is_unreadable() -> None:
    with pytest.raises(UnreadableState):
        unseal(seal(a_state(), KEY), "x" + KEY[1:])


def test_a_state_is_old_after_twelve_hours() -> None:
    assert not a_state().is_old(NOW + dt.timedelta(hours=12))
    assert a_state().is_old(NOW + dt.timedelta(hours=12, seconds=1))


# The form


def test_a_form_is_made_once_per_digest() -> None:
    assert build_form(small()) is build_form(small())


def test_the_question_about_the_site_does_not_share_the_form_of_the_same_digest() -> None:
    without = small()
    asking = without.model_copy(update={"sections": (site_section(without.sites), *without.sections)})
    build_form(without, "d" * 64)
    form = build_form(asking, "d" * 64)(MultiDict([(SITE_ITEM, "immigration")]), [SITE_ITEM])
    assert form.answers() == {SITE_ITEM: ["immigration"]}


def test_items_may_be_called_like_parts_of_a_form() -> None:
    source = re.sub(r"\bnickname\b", "data", re.sub(r"\bcame\b", "errors", SMALL))
    questionnaire = check_source(source).questionnaire
    assert questionnaire is not None
    form = build_form(questionnaire)(MultiDict([("data", "x"), ("errors", "came_in")]), ["data", "errors"])
    assert form.validate()
    assert form.answers() == {"data": "x", "errors": ["came_in"]}


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ([("minutes", "abc")], "Écrivez un nombre en chiffres, par exemple 12."),
        ([("minutes", "1,5")], "Écrivez un nombre entier, sans virgule."),
        ([("minutes", "-1")], "Écrivez un nombre égal ou supérieur à 0."),
        ([("minutes", "301")], "Écrivez un nombre égal ou inférieur à 300."),
        ([("came", "moon")], "Choisissez une des réponses proposées."),
        ([("came", "came_in"), ("came", "stayed_away")], "Choisissez une seule réponse."),
        ([("nickname", "x" * 21)], "Raccourcissez votre texte\u00a0: 20 caractères au plus."),
        (
            [("reasons", "other"), ("reasons.other", "x" * 201)],
            "Raccourcissez votre texte\u00a0: 200 caractères au plus.",
        ),
    ],
)
def test_a_fault_is_told_as_what_to_do(sent: list[tuple[str, str]], message: str) -> None:
    form = build_form(small())(MultiDict(sent), [sent[0][0]])
    assert not form.validate()
    assert list(form.errors.values()) == [[message]]


def test_every_code_has_its_words_and_an_unknown_one_is_no_crash() -> None:
    cases = json.loads(CASES.read_text(encoding="utf-8"))["check"]
    codes = {fault["code"] for case in cases for fault in case["faults"]}
    assert codes | {"missing", "advised", "counter"} <= client_messages().keys()
    assert fault_message(AnswerFault("x", "never_heard_of")) == "Répondez de nouveau à cette question."


# The words of the pages


def test_a_sentence_without_translation_stays_french() -> None:
    assert (
        i18n.translate("en", "Une phrase que personne n’a traduite.")
        == "Une phrase que personne n’a traduite."
    )
    assert i18n.translate("../../etc/passwd", "Continuer") == "Continuer"


def test_a_parameter_that_nobody_gave_stays_visible() -> None:
    assert i18n.translate("fr", "{count} mots de {name}", count=3) == "3 mots de {name}"


@pytest.mark.parametrize(
    ("language", "count", "expected"),
    [("fr", 0, "{}"), ("fr", 1, "{}"), ("fr", 2, "{}s"), ("en", 0, "s"), ("en", 1, ""), ("en", 5, "s")],
)
def test_plurals_follow_the_rule_of_their_language(language: str, count: int, expected: str) -> None:
    text = i18n.translate_plural(language, "Environ {count} minute.", "Environ {count} minutes.", count)
    assert str(count) in text
    assert text.rstrip(".").endswith("s") == expected.endswith("s")


def test_arabic_has_its_six_forms() -> None:
    texts = {
        i18n.translate_plural("ar", "Environ {count} minute.", "Environ {count} minutes.", n).replace(
            str(n), "n"
        )
        for n in (0, 1, 2, 3, 11, 100)
    }
    assert len(texts) >= 4
