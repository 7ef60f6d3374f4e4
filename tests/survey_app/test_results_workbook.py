"""The workbook as openpyxl and calamine find it: figures as numbers, texts as texts, nothing that runs."""

from __future__ import annotations

import io
import tempfile
import tracemalloc
import zipfile
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from analysis.rates import Interval
from analysis.wave_report import WaveSettings
from form_definitions.bundle import questionnaire_digest
from survey_app.exports.results_workbook import write_workbook
from survey_app.exports.source import ReportSource
from survey_app.exports.words import method_label, outward, percent, verdict_label
from survey_app.exports.workbook_answers import EXTRACT, HOW_TO_READ, PRINTED_ROWS, write_answers_sheets
from survey_app.exports.workbook_chart import RATE
from survey_app.exports.workbook_styles import Styles
from survey_app.exports.workbook_summary import HEADER_ROW
from survey_app.exports.workbook_table import LAST_ROW, columns_on_paper, header_height
from tests.survey_app.exported_waves import Answered, a_questionnaire, a_source, a_wave, some_responses

DIGEST = questionnaire_digest(a_questionnaire())
PAYLOADS = (
    "=1+1",
    '=HYPERLINK("http://x")',
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "{=1}",
    "http://example.org",
    "<r><t>x</t></r>",
    "<r></w:r></r>",
    "_x0041_",
    "a\x00b\x1fc",
    "\ud800",
    "1e5",
    "007",
    "TRUE",
    " leading",
    "a" * 40_000,
)


def written(source: ReportSource) -> bytes:
    stream = io.BytesIO()
    write_workbook(source, stream)
    return stream.getvalue()


def opened(source: ReportSource) -> Any:
    return load_workbook(io.BytesIO(written(source)))


def column(sheet: Any, heading: str) -> list[Any]:
    """The cells under the heading that starts so."""
    position = next(n for n, cell in enumerate(sheet[1]) if str(cell.value).startswith(heading))
    return [row[position] for row in sheet.iter_rows(min_row=2)]


def test_the_sheets_come_in_the_order_in_which_a_meeting_reads_them() -> None:
    names = opened(a_source()).sheetnames
    assert names == [
        "Synthèse",
        "Engagements",
        "Questions",
        "Axes",
        "Sites",
        "Modes et périodes",
        "Réponses",
        "Codes",
        "Méthode",
    ]
    assert all(len(name) <= 20 for name in names)


def test_a_rate_is_a_number_with_its_base_and_interval_beside_it() -> None:
    source = a_source()
    sheet = opened(source)["Engagements"]
    for cell, result in zip(column(sheet, "Taux"), source.report.commitments, strict=True):
        assert cell.value == result.rate
        assert cell.number_format == "0.0 %"
    bases = [cell.value for cell in column(sheet, "Base")]
    assert bases == [result.base for result in source.report.commitments]
    lows = [cell.value for cell in column(sheet, "Borne basse")]
    assert lows == [outward(result.interval)[0] for result in source.report.commitments]


def test_the_first_sheet_lists_the_worst_engagement_first_with_verdicts_in_words() -> None:
    source = a_source()
    sheet = opened(source)["Synthèse"]
    rows = [row for row in sheet.iter_rows(min_row=8, max_row=10, min_col=2, max_col=8)]
    rates = [row[1].value for row in rows]
    assert rates == sorted(rates)
    threshold = percent(source.report.settings.threshold)
    known = {verdict_label(result.verdict, threshold) for result in source.report.commitments}
    assert {row[6].value for row in rows} == known
    assert {row[5].value for row in rows} <= {"Oui", "Non"}


def test_the_first_sheet_prints_on_one_page_with_a_native_chart() -> None:
    sheet = opened(a_source())["Synthèse"]
    assert len(sheet._charts) == 1
    assert sheet.page_setup.orientation == "landscape"
    assert str(sheet.page_setup.paperSize) == "9"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage is True
    assert sheet.page_setup.fitToHeight is None  # one page high, the default
    assert sheet.sheet_view.showGridLines is False


def test_the_chart_has_intervals_as_error_bars_and_stands_on_the_threshold() -> None:
    with zipfile.ZipFile(io.BytesIO(written(a_source()))) as package:
        chart = package.read("xl/charts/chart1.xml").decode()
    assert "<c:errBars>" in chart
    assert '<c:crossesAt val="0.75"/>' in chart


def test_an_engagement_without_answers_draws_no_bar_and_is_counted_apart() -> None:
    only_courtesy = [Answered({"courtesy": ["good"]})] * 40
    sheet = opened(a_source(only_courtesy))["Synthèse"]
    bars = [sheet.cell(row, RATE + 1).value for row in range(HEADER_ROW + 2, HEADER_ROW + 5)]
    assert bars == [1, None, None]
    assert "0 axe d’amélioration sur 1 engagement mesuré, 2 sans réponse" in sheet["B4"].value
    assert "sans réponse" not in opened(a_source())["Synthèse"]["B4"].value


@pytest.mark.parametrize(
    "name", ["Engagements", "Questions", "Axes", "Sites", "Modes et périodes", "Réponses", "Codes"]
)
def test_every_table_has_a_frozen_header_a_filter_and_prints_no_letter_under_7_points(name: str) -> None:
    sheet = opened(a_source())[name]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref is not None
    assert sheet.print_title_rows == "$1:$1"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) in (
        ("landscape", 0),
        ("landscape", None),
    )
    assert printed_points(sheet) >= 7


def printed_points(sheet: Any) -> float:
    """The size of the table's letters on A4 lying down, by the width of its columns."""
    if not sheet.sheet_properties.pageSetUpPr.fitToPage:
        return 11 * int(sheet.page_setup.scale) / 100
    *_, last, _ = range_boundaries(sheet.print_area.partition("!")[2].replace("$", ""))
    columns = [d for d in sheet.column_dimensions.values() if d.min and d.min <= last]
    width: float = sum((d.width * 1.85 + 1.3) * (min(d.max, last) - d.min + 1) for d in columns)
    return min(11.0, 11 * (297 - 2 * 12.7) / width)


def test_a_table_too_wide_for_one_sheet_of_paper_goes_on_on_a_second_with_its_first_column() -> None:
    sheet = opened(a_source())["Engagements"]
    assert sheet.sheet_properties.pageSetUpPr.fitToPage is not True
    assert sheet.print_title_cols == "$A:$A"
    headings = [str(cell.value) for cell in sheet[1]]
    assert headings[:8] == [
        "Engagement",
        "Favorables",
        "Base",
        "Taux",
        "Borne basse",
        "Borne haute",
        "Axe d’amélioration",
        "Ce qu’on peut dire",
    ]


def test_of_the_answers_one_sheet_of_paper_is_printed_and_says_that_it_is_an_extract() -> None:
    sheet = opened(a_source(some_responses(2000)))["Réponses"]
    *_, last_column, last_row = range_boundaries(sheet.print_area.partition("!")[2].replace("$", ""))
    assert (sheet.max_row, last_row) == (2001, PRINTED_ROWS + 1)
    assert last_column < sheet.max_column
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (None, 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert EXTRACT in (sheet.oddHeader.left.text or "")


def test_a_few_narrow_columns_of_answers_print_whole() -> None:
    assert columns_on_paper([11.0] * 3) == 3
    assert columns_on_paper([22.0] * 40) == 9


def test_a_header_is_high_enough_for_its_longest_heading() -> None:
    assert header_height([("Base", 8)]) == 33
    assert header_height([("Base", 8), ("Manquent pour ± 6 points", 11)]) == 47.5
    assert header_height([("Comment cela s’est-il passé\u202f? " * 9, 12)]) == 130


@pytest.mark.abuse("AC-86")
def test_no_text_anywhere_becomes_a_formula_a_link_or_broken_xml() -> None:
    poisoned = [Answered({"courtesy": ["good"], "comment": text}) for text in PAYLOADS]
    form = a_questionnaire(title="=1+1")
    wave = a_wave(title="=2+2", survey_title="@SUM(1)", organisation="<r>&</r>", sites={"accueil": "=3"})
    source = a_source(poisoned, questionnaire=form, wave=wave, set_aside={"=4": 1})
    content = written(source)
    book = load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert not [cell for cell in cells if cell.hyperlink]
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("Réponses").to_python()
    comments = [row[-1] for row in rows[1:]]
    assert "=1+1" in comments
    assert "007" in comments
    assert any(str(text).startswith("<r><t>x") for text in comments)
    assert all(isinstance(text, str) for text in comments)


@pytest.mark.abuse("AC-86")
def test_a_long_text_is_cut_at_the_limit_of_a_cell_and_says_so() -> None:
    sheet = opened(a_source([Answered({"comment": "é" * 40_000})]))["Réponses"]
    text = column(sheet, "Un mot")[0].value
    assert len(text) == 32_767
    assert text.endswith("… [texte coupé]")


def test_negative_numbers_stay_numbers() -> None:
    sheet = opened(a_source([Answered({"waiting_time": ["bad"], "minutes": -5})]))["Réponses"]
    assert column(sheet, "Minutes d’attente")[0].value == -5


def test_texts_are_absent_for_whoever_may_not_read_them() -> None:
    content = written(replace(a_source(), verbatims=False))
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        everything = b"".join(package.read(name) for name in package.namelist())
    assert b"Remarque" in everything  # the heading of a column
    assert b"Remarque 1" not in everything


def test_answers_person_by_person_are_absent_for_whoever_may_not_read_them() -> None:
    assert "Réponses" not in opened(replace(a_source(), rows=False)).sheetnames


def test_no_column_leads_back_to_a_person_or_a_device() -> None:
    sheet = opened(a_source())["Réponses"]
    codes = {str(cell.value).rpartition("\n")[2] for cell in sheet[1]}
    assert not codes & {"record_id", "device", "seq", "received_at", "started_at", "finished_at"}
    days = [cell.value for cell in column(sheet, "Jour")]
    assert all((day.hour, day.minute) == (0, 0) for day in days)


def test_the_method_sheet_names_digest_rules_exclusions_and_the_command_to_recompute() -> None:
    source = a_source()
    sheet = opened(source)["Méthode"]
    text = "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None)
    for expected in (
        source.report.questionnaire_digest,
        "Écartées\u00a0: test",
        "Réponses d’essai, jamais comptées",
        "python -m analysis",
        "--threshold 3/4",
        *source.report.notices,
    ):
        assert expected in text


def test_a_synthetic_wave_says_so_on_its_first_sheet() -> None:
    source = a_source(wave=a_wave(synthetic=True))
    assert "synthétiques" in opened(source)["Synthèse"]["B5"].value


def test_parts_of_fewer_than_five_people_are_hidden_with_a_second_part() -> None:
    answers = [Answered({"courtesy": ["good"]}, site="accueil")] * 40
    answers += [Answered({"courtesy": ["bad"]}, site="immigration")] * 3
    sheet = opened(a_source(answers))["Sites"]
    shown = {
        (row[0].value, row[3].value): row[5].value
        for row in sheet.iter_rows(min_row=2)
        if row[3].value == "Accueillir avec courtoisie"
    }
    assert set(shown.values()) == {None}


def test_a_wave_without_answers_still_makes_a_workbook() -> None:
    book = opened(a_source([]))
    assert book["Réponses"].max_row == 1
    assert "Aucune" not in (book["Synthèse"]["B4"].value or "")


def test_every_item_rules_give_no_pooled_interval() -> None:
    form = a_questionnaire()
    strict = tuple(
        commitment.model_copy(update={"rule": "every_item"}) if commitment.code == "attente" else commitment
        for commitment in form.commitments
    )
    source = a_source(questionnaire=form.model_copy(update={"commitments": strict}))
    sheet = opened(source)["Engagements"]
    position = [cell.value for cell in column(sheet, "Code")].index("attente")
    assert column(sheet, "Borne basse")[position].value is None


def test_every_wave_holds_the_code_of_an_answer_and_beside_it_its_label() -> None:
    sheet = opened(a_source([Answered({"courtesy": ["not_concerned"]}, site="immigration")]))["Réponses"]
    headings = [str(cell.value) for cell in sheet[1]]
    place = headings.index("Courtoisie de l’agent\ncourtesy")
    assert headings[place + 1] == "Courtoisie de l’agent (libellé)\ncourtesy.label"
    first = [cell.value for cell in sheet[2]]
    assert first[place : place + 2] == ["not_concerned", "Non concerné"]
    asked_elsewhere = headings.index("le confort\nwaiting_comfort")
    assert first[asked_elsewhere : asked_elsewhere + 2] == ["off_path", "Non posée"]
    assert first[1:3] == ["immigration", "Bureau de l’immigration"]


def test_the_method_sheet_says_how_many_finished_on_the_tablets() -> None:
    good = {"courtesy": ["good"]}
    answers = [Answered(good)] * 3 + [Answered(good, complete=False)] + [Answered(good, mode="paper")] * 9
    facts = {row[0].value: row[1].value for row in opened(a_source(answers))["Méthode"].iter_rows()}
    assert facts["Commencées sur tablette\u00a0: Accueil général"] == 4
    assert facts["dont menées à leur terme (75\u202f%)"] == 3


def test_the_method_sheet_says_how_many_were_helped_on_the_tablets_and_hides_a_few() -> None:
    good = {"courtesy": ["good"]}
    answers = [Answered(good, assisted=True)] * 8 + [Answered(good)] * 20 + [Answered(good, mode="paper")] * 9
    for few, found in ((0, [8, 0, 20]), (2, ["masqué", "masqué", 20])):
        rows = opened(a_source([*answers, *[Answered(good, assisted=False)] * few]))["Méthode"].iter_rows()
        facts = {row[0].value: row[1].value for row in rows}
        told = ("avec l’aide d’un agent", "sans aide", "sans indication de l’agent")
        assert [facts[f"Sur tablette, {name}"] for name in told] == found


def test_the_method_sheet_says_how_to_read_codes_and_labels() -> None:
    texts = {cell.value for row in opened(a_source())["Méthode"].iter_rows() for cell in row}
    assert HOW_TO_READ in texts
    without_rows = opened(replace(a_source(), rows=False))["Méthode"]
    assert HOW_TO_READ not in {cell.value for row in without_rows.iter_rows() for cell in row}


@pytest.mark.parametrize("responses, sheets", [(0, [0]), (4, [4]), (5, [4, 1]), (8, [4, 4]), (9, [4, 4, 1])])
def test_answers_go_on_on_a_further_sheet_past_the_last_row(responses: int, sheets: list[int]) -> None:
    source = a_source(some_responses(responses))
    stream = io.BytesIO()
    with Workbook(stream, {"constant_memory": True}) as workbook:
        write_answers_sheets(workbook, Styles(workbook), source, footer="", rows_per_sheet=4)
    book = load_workbook(stream)
    assert book.sheetnames == ["Réponses", "Réponses 2", "Réponses 3"][: len(sheets)]
    assert [sheet.max_row - 1 for sheet in book] == sheets
    assert len({tuple(cell.value for cell in sheet[1]) for sheet in book}) == 1
    texts = [cell.value for sheet in book for cell in column(sheet, "Un mot")]
    assert texts == [f"Remarque {number}" for number in range(responses)]


def test_the_last_row_of_a_sheet_is_the_one_of_excel() -> None:
    assert LAST_ROW + 1 == 2**20


def test_memory_does_not_grow_with_the_number_of_responses() -> None:
    few, many = (peak_memory(count) for count in (300, 3000))
    assert many < few + 300_000


def peak_memory(responses: int) -> int:
    """The most that Python holds while the sheet of answers is written, in bytes."""
    source = replace(a_source([]), responses=lambda: (poll(number) for number in range(responses)))
    with tempfile.TemporaryFile() as stream:
        workbook = Workbook(stream, {"constant_memory": True})
        tracemalloc.start()
        write_answers_sheets(workbook, Styles(workbook), source, footer="")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        workbook.close()
    return peak


def poll(number: int) -> Answered:
    return Answered({"courtesy": ["good"], "comment": f"{number} " * 50}, questionnaire_digest=DIGEST)


@pytest.mark.parametrize("low, high, printed", [(0.7499, 0.7501, (0.749, 0.751)), (0.75, 0.75, (0.75, 0.75))])
def test_a_bound_never_prints_beyond_what_it_is(
    low: float, high: float, printed: tuple[float, float]
) -> None:
    assert outward(Interval(low, high, "wilson", 0.95, 100.0)) == printed


def test_bounds_in_whole_people_are_rounded_from_the_exact_share() -> None:
    exact = Interval(7 / 1000, 29 / 1000, "hypergeometric", 0.95, 90.0, people=(7, 29), population=1000)
    assert Fraction(29 / 1000) > Fraction(29, 1000)  # the float alone would round up to 3.0 %
    assert outward(exact) == (0.007, 0.029)


def test_no_interval_has_no_bounds() -> None:
    assert outward(Interval(None, None, None, 0.95, 0.0)) == (None, None)


def test_the_method_of_an_interval_says_what_was_assumed() -> None:
    assert method_label("wilson, independence assumed") == "Wilson, indépendance supposée"
    assert method_label("wilson") == "Wilson"
    assert method_label(None) is None


def test_the_population_and_headline_are_told() -> None:
    settings = WaveSettings(headline_modes=("tablet",), population=None)
    source = a_source(settings=settings, wave=a_wave(headline_modes=("tablet",)))
    sheet = opened(source)["Méthode"]
    facts = {row[0].value: row[1].value for row in sheet.iter_rows()}
    assert facts["Modes du chiffre principal"] == "Tablette"
    assert facts["Réponses du chiffre principal"] == source.report.headline.responses
    assert facts["Réponses comptées"] == 400


def test_the_workbook_of_an_edition_closed_early_states_its_real_last_day() -> None:
    book = opened(a_source(wave=a_wave(last_day=date(2026, 11, 15))))
    assert "du 1er octobre 2026 au 15 novembre 2026" in book["Synthèse"]["B3"].value
    facts = {row[0].value: row[1].value for row in book["Méthode"].iter_rows(max_col=2)}
    assert facts["Au"] == "15 novembre 2026"
    assert facts["Fin prévue"] == "30 novembre 2026\u00a0: l’édition a été close avant."
    usual = [row[0].value for row in opened(a_source())["Méthode"].iter_rows(max_col=1)]
    assert "Fin prévue" not in usual
