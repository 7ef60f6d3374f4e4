"""The figures of a wave as CSV: one line per engagement and one per question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from analysis.axes import Result
from survey_app.exports.csv_writing import FRENCH, OPEN, CsvCell, write_csv
from survey_app.exports.source import ReportSource
from survey_app.exports.words import HIDDEN, method_label, percent, verdict_label

FRENCH_HEADINGS = (
    "Engagement",
    "Code de l’engagement",
    "Question",
    "Code de la question",
    "Favorables",
    "Base",
    "Taux",
    "Borne basse",
    "Borne haute",
    "Axe d’amélioration",
    "Ce qu’on peut dire",
    "Personnes",
    "Base efficace",
    "Méthode de l’intervalle",
    "Niveau de confiance",
    "Seuil",
    "Base minimale",
    "Population",
    "Du",
    "Au",
    "Limité à",
)
"""The figures, then all that a stranger needs to compute them again."""


def write_french_results(source: ReportSource, stream: BinaryIO) -> None:
    """For a French Excel: words, decimal commas, shares of 1 unrounded."""
    threshold = percent(source.report.settings.threshold)
    declared = _declared(source)
    titles = {result.commitment: result.title for result in source.shown.commitments}
    write_csv(
        stream,
        FRENCH,
        FRENCH_HEADINGS,
        (
            (
                titles[result.commitment],
                result.commitment,
                source.item_label(result.item) if result.item else None,
                result.item,
                *_figures(result, threshold),
                *_behind(result),
                *declared,
            )
            for result in _lines(source)
        ),
    )


def _figures(result: Result, threshold: str) -> tuple[CsvCell, ...]:
    if result.withheld:
        return (None, None, None, None, None, HIDDEN, HIDDEN)
    return (
        result.favourable,
        result.base,
        result.rate,
        result.low,
        result.high,
        "oui" if result.improvement_axis else "non",
        verdict_label(result.verdict, threshold),
    )


def _behind(result: Result) -> tuple[CsvCell, ...]:
    """What the interval was made from."""
    if result.withheld:
        return (None, None, None)
    return (result.respondents, result.effective_base, method_label(result.method))


def _declared(source: ReportSource) -> tuple[CsvCell, ...]:
    """What is the same for every line: how figures are read, and what they are about."""
    settings, wave = source.report.settings, source.wave
    limits = ", ".join(f"{name}\u00a0: {value}" for name, value in source.filters.items())
    return (
        settings.confidence,
        settings.threshold,
        settings.minimum_base,
        source.report.headline.population,
        wave.opens_on,
        wave.last_day,
        limits or None,
    )


def write_counts(source: ReportSource, stream: BinaryIO) -> None:
    """`commitment,item,favourable,base` for `python -m analysis`, which says that it assumes independence."""
    population = source.report.headline.population
    headings = ["commitment", "item", "favourable", "base", "rule"]
    rows: Iterator[list[CsvCell]] = (
        [result.commitment, item.item, item.favourable, item.base, result.rule]
        for result in source.shown.commitments
        for item in result.items
        if not item.withheld
    )
    if population is not None:
        headings.append("population")
        rows = ([*row, population] for row in rows)
    write_csv(stream, OPEN, headings, rows)


def _lines(source: ReportSource) -> Iterator[Result]:
    for result in source.shown.commitments:
        yield result
        yield from result.items
