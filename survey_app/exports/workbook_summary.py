"""The first sheet, « Synthèse »: what a director reads standing up."""

from __future__ import annotations

from collections.abc import Iterator

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from analysis.axes import CommitmentResult
from analysis.notices import what_is_not_measured
from survey_app.exports.figure_rows import official_cell
from survey_app.exports.safe_text import workbook_text
from survey_app.exports.source import ReportSource
from survey_app.exports.words import (
    STATE_LABELS,
    counted,
    day_words,
    outward,
    percent,
    verdict_label,
)
from survey_app.exports.workbook_chart import NAME, PLUS, rate_chart, write_chart_data
from survey_app.exports.workbook_styles import ACCENT_DARK, INK_SOFT, PERCENT, WHOLE, Styles
from survey_app.exports.workbook_table import Styled, add_sheet, write_cell

SHEET = "Synthèse"
WIDTHS = (2, 66, 9, 9, 9, 9, 15, 30)
HEADINGS = ("Engagement", "Taux", "De", "À", "Base", "Axe d’amélioration", "Ce qu’on peut dire")
NUMBERS = HEADINGS[1:5]
HEADER_ROW = 6
ROW_HEIGHT = 21


def write_summary(workbook: Workbook, styles: Styles, source: ReportSource, *, footer: str) -> None:
    """Title, counts, the table of engagements worst first, and the chart: one page of A4."""
    sheet = add_sheet(workbook, SHEET, footer=footer)
    _set_up(sheet)
    _write_title(sheet, styles, source)
    results = worst_first(source)
    _write_table(sheet, styles, results, source)
    last = HEADER_ROW + len(results)
    for offset, sentence in enumerate(_cautions(source), start=1):
        sheet.write_string(last + offset, 1, workbook_text(sentence), styles.small)
    below = last + len(_cautions(source)) + 1
    if results:
        threshold = float(source.report.settings.threshold)
        chart = rate_chart(workbook, SHEET, HEADER_ROW + 1, results, threshold)
        chart_options = {
            "y_offset": 6,
            "description": "Taux et intervalle de chaque engagement, comme au-dessus.",
        }
        sheet.insert_chart(below, 1, chart, chart_options)
        below += 5 + 2 * len(results)
    sheet.print_area(0, 0, below, len(WIDTHS) - 1)


def worst_first(source: ReportSource) -> list[CommitmentResult]:
    """The engagements by rate, lowest first; those without a rate last."""
    return sorted(
        source.shown.commitments,
        key=lambda result: (result.rate is None, result.rate or 0, result.commitment),
    )


def _set_up(sheet: Worksheet) -> None:
    sheet.hide_gridlines(2)
    sheet.fit_to_pages(1, 1)
    sheet.center_horizontally()
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    sheet.set_column(NAME, PLUS, None, None, {"hidden": True})
    sheet.activate()


def _write_title(sheet: Worksheet, styles: Styles, source: ReportSource) -> None:
    wave = source.wave
    sheet.write_string(0, 1, workbook_text(wave.organisation), styles.make(font_color=INK_SOFT))
    sheet.set_row(1, 32)
    title = styles.make(font_size=22, bold=True, font_color=ACCENT_DARK)
    sheet.write_string(1, 1, workbook_text(wave.survey_title), title)
    edition = f"{wave.title} · du {day_words(wave.opens_on)} au {day_words(wave.last_day)}"
    state = STATE_LABELS.get(wave.state, wave.state)
    sheet.write_string(2, 1, workbook_text(f"{edition} · édition {state}"), styles.make(font_size=12))
    sheet.set_row(3, 20)
    sheet.write_string(3, 1, _counts(source), styles.make(font_size=13, bold=True))
    _write_notices(sheet, styles, list(_notices(source)))


def _write_notices(sheet: Worksheet, styles: Styles, notices: list[str]) -> None:
    if not notices:
        return
    warning = styles.make(bold=True, font_color="#7A5A00", bg_color="#F2EFE6")
    sheet.write_string(4, 1, workbook_text(" ".join(notices)), warning)
    for column in range(2, len(WIDTHS)):
        sheet.write_blank(4, column, None, warning)


def _counts(source: ReportSource) -> str:
    report = source.report
    axes = len(source.shown.axes)
    measured = sum(result.base > 0 for result in report.commitments)
    silent = len(report.commitments) - measured
    without = f", {silent} sans réponse" if silent else ""
    return " · ".join(
        (
            counted(report.responses, "réponse", "réponses"),
            f"{counted(report.complete, 'questionnaire terminé', 'questionnaires terminés')}",
            f"{counted(axes, 'axe d’amélioration', 'axes d’amélioration')}"
            f" sur {counted(measured, 'engagement mesuré', 'engagements mesurés')}{without}",
        )
    )


def _notices(source: ReportSource) -> Iterator[str]:
    if source.wave.synthetic:
        yield "Données synthétiques\u00a0: démonstration, aucune personne n’a répondu."
    if source.filters:
        yield "Chiffres limités à " + ", ".join(f"{k}\u00a0: {v}" for k, v in source.filters.items()) + "."


def _write_table(
    sheet: Worksheet, styles: Styles, results: list[CommitmentResult], source: ReportSource
) -> None:
    sheet.set_row(HEADER_ROW, 32)
    for column, heading in enumerate(HEADINGS, start=1):
        style = styles.number_heading if heading in NUMBERS else styles.heading
        sheet.write_string(HEADER_ROW, column, heading, style)
    formats = [styles.cell(indent=1, shrink=True), *[styles.cell(PERCENT)] * 3, styles.cell(WHOLE)]
    for row, result in enumerate(results, start=HEADER_ROW + 1):
        sheet.set_row(row, ROW_HEIGHT)
        base = None if result.withheld else result.base
        values = (result.title, result.rate, *outward(result.interval), base)
        for column, (value, style) in enumerate(zip(values, formats, strict=True), start=1):
            write_cell(sheet, row, column, value, style)
        for column, cell in enumerate(_verdicts(result, source, styles), start=6):
            write_cell(sheet, row, column, cell.value, cell.style)
        write_chart_data(sheet, row, result)


def _verdicts(result: CommitmentResult, source: ReportSource, styles: Styles) -> tuple[Styled, Styled]:
    if result.withheld:
        return official_cell(result, styles), Styled(result.withheld, styles.verdict(None))
    words = verdict_label(result.verdict, percent(source.report.settings.threshold))
    return official_cell(result, styles), Styled(words, styles.verdict(result.verdict))


def _cautions(source: ReportSource) -> list[str]:
    settings = source.report.settings
    reading = (
        f"«\u202fDe\u202f» et «\u202fÀ\u202f»\u00a0: intervalle à {percent(settings.confidence)}. "
        f"Axe d’amélioration\u00a0: taux strictement sous {percent(settings.threshold)}."
    )
    hidden = len(source.shown.hidden_axes)
    cases = counted(hidden, "cas caché", "cas cachés")
    more = (
        [f"{cases} par ces totaux\u00a0: un site est sous le seuil (feuille «\u202fAxes\u202f»)."]
        if hidden
        else []
    )
    return [reading, *what_is_not_measured(source.questionnaire.audience), *more]
