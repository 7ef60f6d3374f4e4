"""Every method, verdict and assumption has its French words; the words keep French typography."""

from __future__ import annotations

import re

import pytest

from analysis import notices, rates
from analysis.axes import Verdict
from analysis.intervals import INTERVAL_METHODS

SENTENCES = [
    *notices.method_notes("elected_officials", strata=True),
    *notices.RULES.values(),
    *notices.VERDICTS.values(),
    *notices.FLAGS.values(),
    *(words for pair in notices.METHODS.values() for words in pair),
]


def test_every_method_has_words() -> None:
    none = {rates.CENSUS, rates.ONE_RESPONDENT, rates.EVERY_ITEM, "hypergeometric"}
    assert set(notices.METHODS) == set(INTERVAL_METHODS) | none
    assert set(notices.VERDICTS) == set(Verdict)


def test_what_was_assumed_is_said_in_the_method_and_in_a_sentence() -> None:
    interval = rates.Rate(120, 150, respondents=120, population=256).interval()
    assert interval.method is not None
    assert notices.method_label(interval.method) == "Wilson, indépendance supposée, population approchée"
    assert notices.method_in_words(interval.method) == "intervalle du score de Wilson"
    assert set(interval.flags) <= set(notices.FLAGS)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_french_typography(sentence: str) -> None:
    assert not re.search(r"[ \w][;!?]|[ \w]:|« | »|'", sentence)
