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
    TableColumn("Base", 9, WHOLE),
    TableColumn("Taux", 9, PERCENT),
    TableColumn("Borne basse", 9, PERCENT),
    TableColumn("Borne haute", 9, PERCENT),
)
VERDICTS = (TableColumn("Axe d’amélioration", 14), TableColumn("Ce qu’on peut dire", 31))

COMMITMENT_COLUMNS = (
    TableColumn("Engagement", 46, wrap=True),
    TableColumn("Code", 19),
    TableColumn("Module", 20, wrap=True),
    TableColumn("Service", 16, wrap=True),
    *COUNTS,
    TableColumn("Personnes", 10, WHOLE),
    TableColumn("Base efficace", 10, DECIMAL),
    *VERDICTS,
    TableColumn("Règle", 26, wrap=True),
    TableColumn("Intervalle", 22, wrap=True),
    TableColumn("Remarques", 30, wrap=True),
)
ITEM_COLUMNS = (
    TableColumn("Question", 54, wrap=True),
    TableColumn("Code", 24),
    TableColumn("Engagement", 20),
    *COUNTS,
    TableColumn("Non concerné", 11, WHOLE),
    TableColumn("Sans avis", 9, WHOLE),
    TableColumn("Sans réponse", 10, WHOLE),
    TableColumn("Non posée", 9, WHOLE),
    *VERDICTS,
    TableColumn("Remarques", 30, wrap=True),
)


def commitment_rows(source: ReportSource, styles: Styles) -> Iterator[Row]:
    """One row per engagement, in the order of the questionnaire."""
    known = {commitment.code: commitment for commitment in source.questionnaire.commitments}
    for result in source.shown.commitments:
        commitment = known[result.commitment]
        yield [
            commitment.title,
            commitment.code,
            commitment.module,
            commitment.service,
            *count_cells(result),
            None if result.withheld else result.respondents,
            result.effective_base,
            *verdict_cells(result, source, styles),
            RULES[result.rule],
            method_label(result.method),
            result.withheld or flag_words(result.flags),
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
        return [Styled(HIDDEN, styles.verdict(None)), Styled(HIDDEN, styles.verdict(None))]
    words = verdict_label(result.verdict, percent(source.report.settings.threshold))
    return [official_cell(result, styles), Styled(words, styles.verdict(result.verdict))]


def official_cell(result: Result, styles: Styles) -> Styled:
    """« Oui » where the rate is strictly below the threshold, by the counts alone."""
    if result.rate is None:
        return Styled("–", styles.cell(align="center"))
    if result.improvement_axis:
        return Styled("Oui", styles.verdict("below", align="center"))
    return Styled("Non", styles.cell(align="center"))
