"""The figures of a report as table rows: counts, rate and bounds as numbers, verdicts as shape and words."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.axes import CommitmentResult, ItemResult, Result
from analysis.notices import RULES
from survey_app.exports.source import ReportSource
from survey_app.exports.words import (
    HIDDEN,
    flag_words,
    method_label,
    outward,
    percent,
    verdict_label,
)
from survey_app.exports.workbook_styles import DECIMAL, PERCENT, WHOLE, Styles
from survey_app.exports.workbook_table import Styled, TableCell, TableColumn

Row = list[TableCell | Styled]

COUNTS = (
    TableColumn("Favorables", 11, WHOLE),
    TableColumn("Base", 8, WHOLE),
    TableColumn("Taux", 8, PERCENT),
    TableColumn("Borne basse", 8, PERCENT),
    TableColumn("Borne haute", 8, PERCENT),
)
VERDICTS = (TableColumn("Axe d’amélioration", 15), TableColumn("Ce qu’on peut dire", 21, wrap=True))

COMMITMENT_COLUMNS = (
    TableColumn("Engagement", 44, wrap=True),
    *COUNTS,
    *VERDICTS,
    TableColumn("Personnes", 10, WHOLE),
    TableColumn("Base efficace", 9, DECIMAL),
    TableColumn("Code", 18, wrap=True),
    TableColumn("Remarques", 19, wrap=True),
    TableColumn("Règle", 36, wrap=True),
    TableColumn("Intervalle", 17, wrap=True),
    TableColumn("Module", 25, wrap=True),
    TableColumn("Service", 17, wrap=True),
)
"""The figures on the first sheet of paper; on the second what they are about."""
ITEM_COLUMNS = (
    TableColumn("Question", 36, wrap=True),
    TableColumn("Code", 19, wrap=True),
    TableColumn("Engagement", 17, wrap=True),
    *COUNTS,
    TableColumn("Non concerné", 9.5, WHOLE),
    TableColumn("Sans avis", 7, WHOLE),
    TableColumn("Sans réponse", 9, WHOLE),
    TableColumn("Non posée", 7, WHOLE),
    *VERDICTS,
    TableColumn("Remarques", 14, wrap=True),
)


def commitment_rows(source: ReportSource, styles: Styles) -> Iterator[Row]:
    """One row per engagement, in the order of the questionnaire."""
    known = {commitment.code: commitment for commitment in source.questionnaire.commitments}
    for result in source.shown.commitments:
        commitment = known[result.commitment]
        yield [
            commitment.title,
            *count_cells(result),
            *verdict_cells(result, source, styles),
            None if result.withheld else result.respondents,
            result.effective_base,
            commitment.code,
            result.withheld or flag_words(result.flags),
            RULES[result.rule],
            method_label(result.method),
            commitment.module,
            commitment.service,
        ]


def item_rows(source: ReportSource, styles: Styles) -> Iterator[Row]:
    """One row per question that measures an engagement."""
    for commitment in source.shown.commitments:
        for item in commitment.items:
            yield _item_row(commitment, item, source, styles)


def _item_row(commitment: CommitmentResult, item: ItemResult, source: ReportSource, styles: Styles) -> Row:
    tally = item.tally
    absences = (
        [tally.not_applicable, tally.no_opinion, tally.unanswered, tally.off_path] if tally else [None] * 4
    )
    return [
        source.item_label(item.item or ""),
        item.item,
        commitment.commitment,
        *count_cells(item),
        *absences,
        *verdict_cells(item, source, styles),
        item.withheld or flag_words(item.flags),
    ]


def count_cells(result: Result) -> list[TableCell]:
    """Favourable, base, rate, low, high: whole numbers and unrounded rate; bounds rounded outward."""
    if result.withheld:
        return [None] * len(COUNTS)
    return [result.favourable, result.base, result.rate, *outward(result.interval)]


def verdict_cells(result: Result, source: ReportSource, styles: Styles) -> list[Styled]:
    """The official verdict, then what can be said, each in its colours and in words."""
    if result.withheld:
        return [Styled(HIDDEN, styles.verdict(None))] * 2
    words = verdict_label(result.verdict, percent(source.report.settings.threshold))
    return [
        official_cell(result, styles),
        Styled(words, styles.verdict(result.verdict, text_wrap=True, indent=1)),
    ]


def official_cell(result: Result, styles: Styles) -> Styled:
    """« Oui » where the rate is strictly below the threshold, by the counts alone."""
    if result.rate is None:
        return Styled("–", styles.cell(align="center"))
    if result.improvement_axis:
        return Styled("Oui", styles.verdict("below", align="center"))
    return Styled("Non", styles.cell(align="center"))
