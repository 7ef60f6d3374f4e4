"""The sheet « Comparaison »: each engagement beside the year before, where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis.axes import CommitmentResult, Result
from analysis.comparisons import Difference, Subject
from survey_app.earlier_years import Comparison, EarlierYear, compare
from survey_app.exports.figure_rows import Row
from survey_app.exports.source import ReportSource
from survey_app.exports.words import counted, difference_label, percent, risk_words
from survey_app.exports.workbook_styles import PERCENT, WHOLE
from survey_app.exports.workbook_table import TableColumn

SHEET = "Comparaison"
POINTS = "+0.0;−0.0;0.0"


def year_columns(earlier: EarlierYear) -> tuple[TableColumn, ...]:
    """The columns, named by the year."""
    return (
        TableColumn("Engagement", 54, wrap=True),
        TableColumn("Question", 40, wrap=True),
        TableColumn("Taux", 9, PERCENT),
        TableColumn("Base", 9, WHOLE),
        TableColumn(f"Taux {earlier.name}", 11, PERCENT),
        TableColumn(f"Base {earlier.name}", 11, WHOLE),
        TableColumn("Écart en points", 10, POINTS),
        TableColumn("De", 9, POINTS),
        TableColumn("À", 9, POINTS),
        TableColumn("Ce qu’on peut dire", 46, wrap=True),
    )


def year_rows(source: ReportSource, earlier: EarlierYear) -> Iterator[Row]:
    """One row per engagement, or per question where each one counts; then what to know about them all."""
    settings = source.report.settings
    found = compare(source.shown.commitments, earlier, settings)
    for result in source.shown.commitments:
        yield from _rows(result, found, earlier)
    for sentence in (_family(found, earlier, settings.confidence), *earlier.cautions):
        yield [sentence, *[None] * (len(year_columns(earlier)) - 1)]


def _rows(
    result: CommitmentResult, found: Mapping[Subject, Comparison], earlier: EarlierYear
) -> Iterator[Row]:
    comparison = found[result.commitment, None]
    if not comparison.differences:
        then = (None, None) if comparison.before is None else _figures(comparison.before)
        yield [result.title, None, *_figures(result), *then, None, None, None, comparison.why_not]
    lines: dict[str | None, Result] = {None: result, **{item.item: item for item in result.items}}
    for difference in comparison.differences:
        yield _row(result.title, lines[difference.item], difference, earlier)


def _row(title: str, now: Result, difference: Difference, earlier: EarlierYear) -> Row:
    before = earlier.line(now)
    then = (None, None) if before is None else _figures(before)
    bounds = (100 * value for value in (difference.difference, difference.low, difference.high))
    question = now.title if now.item else None
    return [title, question, *_figures(now), *then, *bounds, difference_label(difference)]


def _figures(result: Result) -> tuple[float | None, int | None]:
    return result.rate, None if result.withheld else result.base


def _family(found: Mapping[Subject, Comparison], earlier: EarlierYear, confidence: float) -> str:
    number = sum(len(one.differences) for one in found.values())
    made = counted(number, "comparaison faite", "comparaisons faites")
    return (
        f"«\u202f{earlier.title}\u202f»\u00a0: {made}\u202f; le risque d’annoncer un écart sûr par hasard "
        f"est tenu à {risk_words(confidence)} pour l’ensemble. "
        "«\u202fDe\u202f» et «\u202fÀ\u202f»\u00a0: l’intervalle de chaque écart, pris seul, à "
        f"{percent(confidence)}."
    )
