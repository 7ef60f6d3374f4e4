"""The answers as CSV: two presets, no cell that runs, the same figures from `python -m analysis`."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.axes import Reading
from analysis.csv_faults import CsvError
from analysis.csv_input import results_from_csv
from analysis.intervals import hypergeometric, wilson
from analysis.wave_report import Selection, WaveSettings
from survey_app.exports import EXPORTS, file_name
from survey_app.exports.asked_items import AskedItems
from survey_app.exports.codebook import write_codebook
from survey_app.exports.csv_writing import FRENCH, OPEN
from survey_app.exports.responses_csv import write_answers, write_french, write_open
from survey_app.exports.results_csv import write_counts, write_french_results
from survey_app.exports.safe_text import FORMULA_STARTS, csv_text
from survey_app.exports.source import ReportSource
from tests.survey_app.exported_waves import Answered, a_questionnaire, a_source, a_wave

Write = Callable[[ReportSource, BinaryIO], None]


def written(write: Write, source: ReportSource) -> bytes:
    stream = io.BytesIO()
    write(source, stream)
    return stream.getvalue()


def lines(content: bytes, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_the_french_preset_opens_right_in_a_french_excel() -> None:
    content = written(write_french, a_source())
    assert content.startswith(b"\xef\xbb\xbf")
    header, *rows = lines(content, ";")
    assert header[0] == "Jour [answered_on]"
    assert len(rows) == 400
    assert all(len(row) == len(header) for row in rows)
    assert rows[0][0].count("/") == 2


def test_the_open_preset_is_utf8_without_mark_with_commas_and_iso_days() -> None:
    content = written(write_open, a_source([Answered({"courtesy": ["good"]})]))
    assert not content.startswith(b"\xef\xbb\xbf")
    header, row = lines(content, ",")
    assert header[:2] == ["week_of", "site"]
    assert row[0] == "2026-11-02"  # the Monday of 4 November


@pytest.mark.parametrize("write, delimiter", [(write_french, ";"), (write_open, ",")])
def test_who_was_helped_is_a_column_that_is_empty_where_nobody_said(write: Write, delimiter: str) -> None:
    answered = [Answered({"courtesy": ["good"]}, assisted=assisted) for assisted in (True, False, None)]
    header, *rows = lines(written(write, a_source(answered)), delimiter)
    (place,) = [number for number, heading in enumerate(header) if "assisted" in heading]
    assert [row[place] for row in rows] == ["1", "0", ""]


def test_the_open_preset_never_holds_free_texts() -> None:
    source = a_source(
        [Answered({"comment": "Je suis Madame X", "reasons": ["other"], "reasons.other": "secret"})]
    )
    content = written(write_open, source)
    assert b"Madame" not in content
    assert b"secret" not in content


def test_a_part_of_a_wave_has_a_file_name_of_its_own() -> None:
    source = a_source()
    selection = Selection(site="immigration", mode=None, language="fr", period="2026-T4")
    part = replace(source, report=replace(source.report, selection=selection))
    assert file_name(part, "classeur") == "usagers-2026-immigration-fr-2026-T4-classeur.xlsx"


def test_a_file_with_a_line_per_person_says_by_its_name_that_it_is_not_for_publication() -> None:
    name = next(name for name, export in EXPORTS.items() if export.write is write_open)
    assert file_name(a_source(), name) == "usagers-2026-reponses-internes.csv"
    assert "à ne pas publier" in EXPORTS[name].title
    assert EXPORTS[name].rows


def test_texts_are_there_only_for_whoever_may_read_them() -> None:
    source = a_source([Answered({"comment": "Merci"})])
    assert b"Merci" in written(write_french, source)
    assert b"Merci" not in written(write_french, replace(source, verbatims=False))


@pytest.mark.abuse("AC-86")
@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_text_that_looks_like_a_formula_gets_an_apostrophe(start: str) -> None:
    assert csv_text(f"{start}1+1").startswith("'")
    assert csv_text(f"\u00a0 {start}1+1").startswith("'")


@pytest.mark.abuse("AC-86")
@given(st.text())
def test_no_cell_ever_starts_a_formula(text: str) -> None:
    source = a_source([Answered({"comment": text})])
    row = lines(written(write_french, source), ";")[1]
    assert row[-1].lstrip("\u00a0\u200b \ufeff")[:1] not in tuple(FORMULA_STARTS)


@pytest.mark.abuse("AC-86")
def test_headings_are_as_harmless_as_cells() -> None:
    form = a_questionnaire()
    poisoned = form.sections[0].model_copy(
        update={"blocks": (form.sections[0].items[0].model_copy(update={"label": "=cmd()"}),)}
    )
    source = a_source([], questionnaire=form.model_copy(update={"sections": (poisoned,)}))
    assert not any(cell.startswith("=") for cell in lines(written(write_french, source), ";")[0])


@pytest.mark.abuse("AC-86")
def test_negative_numbers_stay_numbers() -> None:
    assert FRENCH.text(-5) == "-5"
    source = a_source([Answered({"waiting_time": ["bad"], "minutes": -5})])
    row = dict(zip(*lines(written(write_open, source), ","), strict=True))
    assert row["minutes"] == "-5"


def test_decimals_have_the_sign_of_the_preset() -> None:
    assert FRENCH.text(0.5) == "0,5"
    assert OPEN.text(0.5) == "0.5"


def test_separators_quotes_and_line_ends_stay_inside_their_cell() -> None:
    text = 'a;b,"c"\r\nd'
    source = a_source([Answered({"comment": text})])
    assert lines(written(write_french, source), ";")[1][-1] == 'a;b,"c"\nd'


def test_the_four_absences_can_be_told_apart() -> None:
    answers = [
        Answered({"waiting_comfort": ["not_concerned"]}),
        Answered({}),
        Answered({}, site="immigration"),
        Answered({"waiting_comfort": ["made_up"]}),
    ]
    header, *rows = lines(written(write_open, a_source(answers)), ",")
    place = header.index("waiting_comfort")
    assert [row[place] for row in rows] == ["not_concerned", "", "off_path", "unknown_code"]


def test_a_multiple_choice_is_one_column_per_option() -> None:
    header, row, missing = lines(
        written(write_open, a_source([Answered({"reasons": ["permit"]}), Answered({})])), ","
    )
    found = dict(zip(header, row, strict=True))
    assert (found["reasons.permit"], found["reasons.other"]) == ("1", "0")
    assert missing[header.index("reasons.permit")] == ""


def test_odd_contents_never_break_an_export() -> None:
    odd = {
        "courtesy": "text",
        "waiting_time": {"a": 1},
        "reasons": [1, None],
        "minutes": True,
        "comment": ["x"],
    }
    for export in EXPORTS.values():
        assert written(export.write, a_source([Answered(odd)]))


def analysed(content: bytes, folder: Path) -> list[dict[str, object]]:
    path = folder / "counts.csv"
    path.write_bytes(content)
    command = [sys.executable, "-m", "analysis", str(path), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_python_m_analysis_gives_the_same_figures_from_the_answers(tmp_path: Path) -> None:
    source = a_source()
    ours = [
        json.loads(json.dumps(line.as_json()))
        for result in source.report.commitments
        for line in (result, *result.items)
    ]
    assert analysed(written(write_answers, source), tmp_path) == ours


def test_python_m_analysis_gives_the_same_rates_from_the_counts(tmp_path: Path) -> None:
    source = a_source()
    found = analysed(written(write_counts, source), tmp_path)
    rates = [line["rate"] for line in found if line["item"] is None]
    assert rates == [result.rate for result in source.report.commitments]


def test_the_answers_to_recompute_are_those_of_the_headline(tmp_path: Path) -> None:
    source = a_source(settings=WaveSettings(headline_modes=("tablet",)))
    found = analysed(written(write_answers, source), tmp_path)
    assert found[0]["base"] == source.report.commitments[0].base
    assert source.report.headline.responses < 400


def test_a_known_population_goes_with_the_answers(tmp_path: Path) -> None:
    source = a_source(settings=WaveSettings(population=600), wave=a_wave(population=600))
    found = analysed(written(write_answers, source), tmp_path)
    assert [line["low"] for line in found if line["item"] is None] == [
        result.low for result in source.report.commitments
    ]


def test_the_results_for_excel_carry_words_and_unrounded_shares() -> None:
    source = a_source()
    header, first, *_ = lines(written(write_french_results, source), ";")
    row = dict(zip(header, first, strict=True))
    result = source.report.commitments[0]
    assert float(row["Taux"].replace(",", ".")) == result.rate
    assert row["Ce qu’on peut dire"].startswith("▲")


def french(number: str) -> float:
    return float(number.replace(",", "."))


@pytest.mark.parametrize("population", [None, 600])
def test_a_stranger_recomputes_the_intervals_of_the_results_from_their_own_columns(
    population: int | None,
) -> None:
    settings = WaveSettings(threshold=Fraction(4, 5), confidence=0.9, population=population, minimum_base=40)
    source = a_source(settings=settings, wave=a_wave(last_day=date(2026, 11, 15)))
    header, *rows = lines(written(write_french_results, source), ";")
    for row in (dict(zip(header, cells, strict=True)) for cells in rows):
        share, people = int(row["Favorables"]) / int(row["Base"]), int(row["Personnes"])
        if population is None:
            base = french(row["Base efficace"])
            bounds = wilson(share, base, french(row["Niveau de confiance"]))
        elif row["Code de la question"] or row["Code de l’engagement"] != "attente":  # one question
            counts = int(row["Favorables"]), int(row["Base"]), int(row["Population"])
            low, high = hypergeometric(*counts, french(row["Niveau de confiance"]))
            bounds = (low / population, high / population)
        else:
            base = french(row["Base efficace"]) * (population - 1) / (population - people)
            bounds = wilson(share, base, french(row["Niveau de confiance"]))
        assert bounds == pytest.approx((french(row["Borne basse"]), french(row["Borne haute"])))
        assert french(row["Seuil"]) == 0.8
        assert row["Base minimale"] == "40"
        assert (row["Du"], row["Au"], row["Limité à"]) == ("01/10/2026", "15/11/2026", "")


def test_the_results_of_a_part_say_which() -> None:
    filters = {"site": "Accueil général", "période": "2026-11"}
    header, first, *_ = lines(written(write_french_results, a_source(filters=filters)), ";")
    assert first[header.index("Limité à")] == "site\u00a0: Accueil général, période\u00a0: 2026-11"


@pytest.mark.parametrize("name", [n for n in EXPORTS if n not in ("recalculer", "comptes")])
def test_python_m_analysis_says_which_export_it_was_given_and_which_one_to_take(name: str) -> None:
    content = written(EXPORTS[name].write, a_source())
    with pytest.raises(CsvError) as told:
        results_from_csv(content, Reading())
    (fault,) = told.value.faults
    kinds = {
        ".xlsx": "un classeur Excel",
        ".json": "un fichier JSON",
        ".csv": f"l’export «\u202f{EXPORTS[name].title}\u202f»",
    }
    assert f"c’est {kinds[EXPORTS[name].suffix]}" in fault.message
    for right in ("recalculer", "comptes"):
        assert f"«\u202f{EXPORTS[right].title.removesuffix(' (CSV)')}\u202f»" in fault.message
        assert results_from_csv(written(EXPORTS[right].write, a_source()), Reading())


def test_the_codebook_explains_every_code_of_the_answers() -> None:
    rows = lines(written(write_codebook, a_source()), ",")
    codes = {row[3] for row in rows[1:]}
    assert {"good", "bad", "not_concerned", "off_path", "unknown_code"} <= codes
    assert {row[0] for row in rows[1:]} >= {"courtesy", "minutes", "comment"}


def test_the_path_is_found_once_for_all_who_answered_alike() -> None:
    asked = AskedItems(a_questionnaire())
    assert "minutes" in asked.of("tablet", "accueil", {"waiting_time": ["bad"]})
    assert "minutes" not in asked.of("tablet", "accueil", {"waiting_time": ["good"]})
    assert asked.of("tablet", "accueil", {"comment": "a"}) is asked.of("tablet", "accueil", {"comment": "b"})
