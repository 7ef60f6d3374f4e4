"""The sheets that split the figures: by site, by mode, language and month; and the list of axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis.axes import CommitmentResult
from analysis.disclosure import ShownFigures
from survey_app.exports.figure_rows import COUNTS, VERDICTS, Row, count_cells, verdict_cells
from survey_app.exports.source import ReportSource
from survey_app.exports.words import mode_label
from survey_app.exports.workbook_styles import WHOLE, Styles
from survey_app.exports.workbook_table import TableColumn

TOO_SMALL = "masqué\u00a0: trop peu de personnes"

SITE_COLUMNS = (
    TableColumn("Site", 24, wrap=True),
    TableColumn("Réponses du site", 10, WHOLE),
    TableColumn("Manquent pour ± 6 points", 11, WHOLE),
    TableColumn("Engagement", 46, wrap=True),
    *COUNTS,
    *VERDICTS,
    TableColumn("Remarque", 18, wrap=True),
)
OTHER_COLUMNS = (
    TableColumn("Ventilation", 16),
    TableColumn("Part", 18, wrap=True),
    TableColumn("Réponses", 10, WHOLE),
    TableColumn("Engagement", 46, wrap=True),
    *COUNTS,
    *VERDICTS,
    TableColumn("Remarque", 18, wrap=True),
)
AXIS_COLUMNS = (
    TableColumn("Où", 24, wrap=True),
    TableColumn("Engagement", 46, wrap=True),
    TableColumn("Module", 18, wrap=True),
    TableColumn("Service", 20, wrap=True),
    *COUNTS,
    *VERDICTS,
)


def site_rows(source: ReportSource, styles: Styles) -> Iterator[Row]:
    """One row per site and engagement."""
    groups = source.shown.by_site
    missing = source.report.missing_for_margin
    for site, figures in groups.items():
        name = source.wave.sites.get(site, site)
        for result in figures.commitments:
            head: Row = [name, figures.responses, missing.get(site)]
            yield [*head, *_figures(result, source, styles)]


def other_rows(source: ReportSource, styles: Styles) -> Iterator[Row]:
    """One row per mode, language or month, and engagement."""
    report = source.shown
    modes = {mode: mode_label(mode) for mode in report.by_mode}
    yield from _part_rows("Mode de recueil", report.by_mode, modes, source, styles)
    yield from _part_rows("Langue", report.by_language, source.wave.languages, source, styles)
    yield from _part_rows("Mois", report.by_period, {}, source, styles)


def _part_rows(
    dimension: str,
    groups: Mapping[str, ShownFigures],
    names: Mapping[str, str],
    source: ReportSource,
    styles: Styles,
) -> Iterator[Row]:
    for part, figures in groups.items():
        for result in figures.commitments:
            head: Row = [dimension, names.get(part, part), figures.responses]
            yield [*head, *_figures(result, source, styles)]


def _figures(result: CommitmentResult, source: ReportSource, styles: Styles) -> Row:
    if result.withheld:
        return [result.title, *[None] * (len(COUNTS) + len(VERDICTS)), TOO_SMALL]
    return [result.title, *count_cells(result), *verdict_cells(result, source, styles), None]


def axis_rows(source: ReportSource, styles: Styles) -> Iterator[Row]:
    """The official axes, worst first; then the sites below the threshold that the total hides."""
    for result in sorted(source.shown.axes, key=lambda axis: axis.rate or 0):
        yield _axis_row("Ensemble", result, source, styles)
    for hidden in source.shown.hidden_axes:
        name = source.wave.sites.get(hidden.site, hidden.site)
        yield _axis_row(f"{name} (caché par le total)", hidden.result, source, styles)


def _axis_row(where: str, result: CommitmentResult, source: ReportSource, styles: Styles) -> Row:
    known = {commitment.code: commitment for commitment in source.questionnaire.commitments}
    commitment = known[result.commitment]
    head: Row = [where, commitment.title, commitment.module, commitment.service]
    return [*head, *count_cells(result), *verdict_cells(result, source, styles)]
