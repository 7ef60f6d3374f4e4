"""The answers as CSV: for a French Excel, for programs, and for `python -m analysis`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import BinaryIO

from analysis.outcomes import ItemReader, Outcome, item_reader
from analysis.tally import CellLayout
from form_definitions.model import Questionnaire
from survey_app.exports.csv_writing import FRENCH, OPEN, CsvCell, write_csv
from survey_app.exports.response_table import Cell, CollectedResponse, ResponseTable
from survey_app.exports.source import ReportSource


def write_french(source: ReportSource, stream: BinaryIO) -> None:
    """One line per response, codes and labels under the questions; free texts where the requester may."""
    table = source.table(labels=True)
    headings = [f"{column.label} [{column.code}]" for column in table.columns]
    write_csv(stream, FRENCH, headings, (table.cells(response) for response in source.responses()))


def write_open(source: ReportSource, stream: BinaryIO) -> None:
    """One line per response, codes only, never a free text; the day is widened to its week's Monday.

    For staff: combinations of answers can single a person out, whatever the file leaves away (README.md).
    """
    table = source.table(labels=False, verbatims=False)
    headings = ["week_of" if column.kind == "day" else column.code for column in table.columns]
    rows = (_by_week(table, response) for response in source.responses())
    write_csv(stream, OPEN, headings, rows)


def _by_week(table: ResponseTable, response: CollectedResponse) -> list[Cell]:
    return [_monday(cell) if isinstance(cell, date) else cell for cell in table.cells(response)]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def write_answers(source: ReportSource, stream: BinaryIO) -> None:
    """`respondent,commitment,item,favourable` for `python -m analysis`: 1, 0, or empty for an absence.

    The number of a respondent means nothing outside this file.
    """
    headings = ["respondent", "commitment", "item", "favourable", "rule"]
    if source.report.headline.population is not None:
        headings.append("population")
    write_csv(stream, OPEN, headings, _answer_rows(source))


def _answer_rows(source: ReportSource) -> Iterator[list[CsvCell]]:
    layout = source.report.layout
    measured = {digest: _measured(version, layout) for digest, version in source.versions.items()}
    rules = {commitment.code: commitment.rule for commitment in source.questionnaire.commitments}
    people = source.report.headline.population
    population = [] if people is None else [people]
    table = source.table(labels=False)
    for number, response in enumerate(source.headline_responses(), start=1):
        asked = table.asked(response)
        for commitment, reader in measured[response.questionnaire_digest]:
            if reader.name in asked:
                outcome = reader.read(response.answers.get(reader.name)).outcome
                favourable = FAVOURABLE.get(outcome)
                yield [number, commitment, reader.name, favourable, rules.get(commitment), *population]


FAVOURABLE: Mapping[Outcome, int] = {Outcome.FAVOURABLE: 1, Outcome.UNFAVOURABLE: 0}
"""What counts in the base; every kind of absence is an empty cell."""


def _measured(version: Questionnaire, layout: CellLayout) -> list[tuple[str, ItemReader]]:
    """The commitment and the reader of a version's items that count in the report, in order."""
    counted = layout.continued_items(CellLayout(version))
    readers = [
        (item.commitment, item_reader(item)) for item in version.items if item.rate and item.name in counted
    ]
    return [(commitment, reader) for commitment, reader in readers if commitment and reader]
