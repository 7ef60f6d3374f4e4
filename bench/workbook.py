"""The workbook of a large wave against XlsxWriter writing nothing but the same table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from xlsxwriter import Workbook

from analysis.tally import CellLayout, CountedResponse
from analysis.wave_report import Cell, WaveSettings, build_wave_report
from bench.measure import Section, rounds, slower_than
from bench.synthetic import DAY, Row, rows, twenty_questions
from form_definitions import Questionnaire, questionnaire_digest
from survey_app.exports.results_workbook import write_workbook
from survey_app.exports.source import ReportSource, WaveFacts

RESPONSES, ITEMS, ROUNDS = 100_000, 25, 2


def measure() -> Section:
    """10⁵ responses × 25 items: the whole workbook, and the bare table."""
    form = twenty_questions(ITEMS)
    source = _source(form, rows(form, questionnaire_digest(form), RESPONSES))

    def ours(stream: BinaryIO) -> None:
        write_workbook(source, stream)

    cells = _texts(source)

    def floor(stream: BinaryIO) -> None:
        _bare(cells, stream)

    own, bare = rounds(lambda: _to_file(ours), lambda: _to_file(floor), ROUNDS, warm_up=False)
    line = slower_than("XLSX of 10⁵ responses × 25 items", own, bare, at_most=1.5, unit="s")
    note = (
        "Ours: the whole workbook, codes and labels. Floor: XlsxWriter in constant memory, `write_string` "
        "of the same codes and labels on one sheet, worked out beforehand."
    )
    return Section("Workbook", note, [line])


def _to_file(write: Callable[[BinaryIO], None]) -> None:
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "w.xlsx").open("wb") as stream:
        write(stream)


def _texts(source: ReportSource) -> list[list[str | None]]:
    table = source.table(labels=True)
    return [
        [None if cell is None else str(cell) for cell in table.cells(response)]
        for response in source.responses()
    ]


def _bare(rows: list[list[str | None]], stream: BinaryIO) -> None:
    with Workbook(stream, {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate(rows):
            for position, text in enumerate(row):
                if text is not None:
                    sheet.write_string(number, position, text)


def _source(form: Questionnaire, responses: Sequence[Row]) -> ReportSource:
    layout, asked = CellLayout(form), frozenset(item.name for item in form.items)
    vector = layout.merge(layout.vector(CountedResponse(row.answers, asked)) for row in responses)
    cells = [Cell("accueil_general", "tablet", "fr", DAY, vector)]
    wave = WaveFacts(
        code="bench",
        title="Mesure",
        survey_title="Mesure",
        organisation="Préfecture",
        state="open",
        opens_on=DAY,
        planned_end=DAY,
        last_day=DAY,
        anonymity="anonymous",
        synthetic=True,
    )
    return ReportSource(
        wave=wave,
        versions={questionnaire_digest(form): form},
        report=build_wave_report(form, cells, WaveSettings()),
        responses=lambda: responses,
        set_aside={},
        practice=0,
        written_at=datetime(2026, 11, 4, tzinfo=UTC),
        software={},
    )
