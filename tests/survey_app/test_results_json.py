"""The results for programs: the lines of `python -m analysis`, and nothing that names a person."""

from __future__ import annotations

import io
import json
from typing import Any

from survey_app.exports.results_json import write_json
from survey_app.exports.source import ReportSource
from tests.survey_app.exported_waves import Answered, a_source


def read(source: ReportSource) -> dict[str, Any]:
    stream = io.BytesIO()
    write_json(source, stream)
    found: dict[str, Any] = json.loads(stream.getvalue())
    return found


def test_every_line_has_the_fields_of_the_analysis() -> None:
    fields = [
        *("commitment", "item", "favourable", "base", "effective_base", "rate", "low", "high"),
        *("method", "improvement_axis", "verdict"),
    ]
    for line in read(a_source())["results"]:
        assert list(line) == fields


def test_rates_are_unrounded() -> None:
    source = a_source()
    rates = [line["rate"] for line in read(source)["results"] if line["item"] is None]
    assert rates == [result.favourable / result.base for result in source.report.commitments]


def test_the_file_says_how_its_figures_were_made() -> None:
    found = read(a_source())
    assert found["settings"] == {
        "threshold": "3/4",
        "confidence": 0.95,
        "method": "wilson",
        "minimum_base": 30,
        "population": None,
    }
    assert len(found["questionnaire_digest"]) == 64
    assert found["set_aside"] == {"test": 3}
    assert found["practice"] == 2
    assert found["notices"]


def test_no_answer_of_a_person_is_in_it() -> None:
    stream = io.BytesIO()
    write_json(a_source(), stream)
    assert b"Remarque 1" not in stream.getvalue()


def test_what_was_begun_and_finished_is_told_of_tablets_site_by_site() -> None:
    good = {"courtesy": ["good"]}
    answers = [Answered(good)] * 3 + [Answered(good, complete=False)] + [Answered(good, mode="website")] * 9
    assert read(a_source(answers))["on_tablets"] == {
        "accueil": {"started": 4, "complete": 3, "completion_rate": 0.75}
    }


def test_who_was_helped_is_counted_unless_it_was_too_few() -> None:
    good = {"courtesy": ["good"]}
    answers = [Answered(good, assisted=True)] * 8 + [Answered(good)] * 20
    assert read(a_source(answers))["assistance"] == {"assisted": 8, "alone": 0, "unsaid": 20}
    one_alone = [*answers, Answered(good, assisted=False)]
    assert read(a_source(one_alone))["assistance"] == {"assisted": None, "alone": None, "unsaid": 20}


def test_parts_of_too_few_people_give_no_figures() -> None:
    answers = [Answered({"courtesy": ["good"]})] * 40 + [
        Answered({"courtesy": ["bad"]}, site="immigration")
    ] * 3
    found = read(a_source(answers))
    assert found["by_site"]["immigration"]["responses"] == 3
    shown = [line["commitment"] for line in found["by_site"]["immigration"]["commitments"]]
    assert "courtoisie" not in shown
    assert found["hidden_axes"] == []
