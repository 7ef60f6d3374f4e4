"""Rule S6, on small waves: whatever the filters, nothing that is shown adds up to a figure of a few people.

Only the named examples are run: in waves of many small parts, several sums solved together still tell some.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from analysis import hidden_cells
from analysis.axes import CommitmentResult, Result
from analysis.disclosure import ShownReport
from analysis.publication import FLOORS
from analysis.tally import CellLayout
from analysis.wave_report import Cell, Selection, WaveReport, WaveSettings, build_wave_report
from form_definitions.model import CommitmentRule, Questionnaire
from tests.analysis.builders import a_questionnaire, a_response, a_scale_item

MONTHS = (date(2026, 11, 2), date(2026, 12, 7), date(2027, 1, 4), date(2027, 2, 1))
COMMITMENT = "accueil"
HELD_BACK = "not_concerned"

Atom = tuple[str, str, date, str]
"""One site, mode, month and item: what a reader would like to know."""
Equation = dict[Atom, Fraction]


@dataclass(frozen=True)
class Group:
    """So many people of one site, mode and month who answered these items."""

    people: int
    site: str = "A"
    mode: str = "tablet"
    month: date = MONTHS[0]
    items: tuple[bool, ...] = (True,)


def a_wave(found: Iterable[Group], declared: WaveSettings, rule: CommitmentRule = "pooled") -> WaveReport:
    """The report of these groups: one commitment, and one item for each place of a group."""
    given_groups = list(found)
    names = [f"item_{number}" for number in range(len(given_groups[0].items))]
    questionnaire = a_questionnaire(
        *(a_scale_item(name, COMMITMENT) for name in names), rules={COMMITMENT: rule}
    )
    layout = CellLayout(questionnaire)
    cells = [_cell(group, questionnaire, layout) for group in given_groups]
    return build_wave_report(questionnaire, cells, declared, layout=layout)


def _cell(group: Group, questionnaire: Questionnaire, layout: CellLayout) -> Cell:
    codes = ("good" if answered else HELD_BACK for answered in group.items)
    vector = layout.vector(a_response(questionnaire, *codes)) * group.people
    return Cell(group.site, group.mode, "fr", group.month, vector)


def pages(report: WaveReport) -> Iterator[Selection]:
    """Every filter that a page offers."""
    yield Selection()
    yield from (Selection(site=site) for site in sorted({cell.site for cell in report.wave_cells}))
    yield from (Selection(mode=mode) for mode in sorted({cell.mode for cell in report.wave_cells}))
    days = {cell.day for cell in report.wave_cells}
    yield from (Selection(period=f"{day:%Y-%m}") for day in sorted(days))
    yield from (Selection(period=quarter) for quarter in ("2026-T4", "2027-T1"))


def filtered(report: WaveReport, chosen: Selection) -> ShownReport:
    """What staff see under a filter."""
    part: dict[str, Any] = {name: getattr(chosen, name) for name in ("site", "mode", "language", "period")}
    return ShownReport(
        build_wave_report(report.questionnaire, report.wave_cells, report.settings, **part), "staff"
    )


def lines(shown: ShownReport) -> Iterator[tuple[Selection, Result, Result]]:
    """Every line of a page: which part it is of, as it is shown, and as it was counted."""
    chosen, report = shown.report.selection, shown.report
    yield from _of_part(chosen, shown.commitments, report.commitments)
    for dimension, parts, counted in (
        ("site", shown.by_site, report.by_site),
        ("mode", shown.by_mode, report.by_mode),
        ("period", shown.by_period, report.by_period),
    ):
        for name, figures in parts.items():
            part = Selection(**{**_filters(chosen), dimension: name})
            yield from _of_part(part, figures.commitments, counted[name].commitments)


def _filters(chosen: Selection) -> dict[str, str | None]:
    return {name: getattr(chosen, name) for name in ("site", "mode", "language", "period")}


def _of_part(
    part: Selection, shown: tuple[CommitmentResult, ...], counted: tuple[CommitmentResult, ...]
) -> Iterator[tuple[Selection, Result, Result]]:
    for result, whole in zip(shown, counted, strict=True):
        yield part, result, whole
        yield from ((part, item, own) for item, own in zip(result.items, whole.items, strict=True))


def equation(report: WaveReport, part: Selection, line: Result) -> Equation:
    """The atoms that a line adds up; who is absent altogether is known."""
    sites = None if part.site else report.settings.headline_sites
    modes = None if part.mode else report.settings.headline_modes
    counted = [
        cell
        for cell in report.wave_cells
        if part.holds(cell)
        and (sites is None or cell.site in sites)
        and (modes is None or cell.mode in modes)
    ]
    items = report.layout.commitments[COMMITMENT].items if line.item is None else (line.item,)
    return {
        (cell.site, cell.mode, cell.day, item): Fraction(1)
        for cell in counted
        for item in items
        if report.layout.tally(cell.vector, item).base
    }


class Reader:
    """Somebody who adds and subtracts all that is shown, exactly."""

    def __init__(self) -> None:
        self._rows: dict[Atom, Equation] = {}

    def learn(self, told: Mapping[Atom, Fraction]) -> None:
        """Read one more figure."""
        left = self._reduced(told)
        if left:
            pivot, factor = next(iter(left.items()))
            self._rows[pivot] = {atom: value / factor for atom, value in left.items()}

    def knows(self, wanted: Mapping[Atom, Fraction]) -> bool:
        """Whether this sum follows from the figures read."""
        return not self._reduced(wanted)

    def _reduced(self, told: Mapping[Atom, Fraction]) -> Equation:
        left = dict(told)
        for pivot, row in self._rows.items():
            factor = left.get(pivot)
            if factor:
                for atom, value in row.items():
                    left[atom] = left.get(atom, Fraction(0)) - factor * value
        return {atom: value for atom, value in left.items() if value}


def given_away(report: WaveReport) -> list[tuple[Selection, str | None, int]]:
    """The figures of fewer people than the floor that what is shown adds up to."""
    reader, small = Reader(), []
    for chosen in pages(report):
        for part, line, counted in lines(filtered(report, chosen)):
            if not line.withheld:
                reader.learn(equation(report, part, counted))
            if 0 < counted.respondents < FLOORS["staff"]:
                small.append((part, counted))
    return [
        (part, counted.item, counted.base)
        for part, counted in small
        if reader.knows(equation(report, part, counted))
    ]


@pytest.mark.parametrize(
    ("found", "declared"),
    [
        pytest.param(
            [Group(3), Group(50, "C"), Group(60, "D"), Group(5, "B")],
            WaveSettings(headline_sites=("A", "C", "D")),
            id="a site outside the headline",
        ),
        pytest.param(
            [Group(3, month=MONTHS[1]), Group(40, month=MONTHS[2]), Group(40, month=MONTHS[3])],
            WaveSettings(),
            id="a month alone in its quarter",
        ),
    ],
)
def test_s6_no_figure_of_a_few_people_follows_from_what_all_pages_show(
    found: list[Group], declared: WaveSettings
) -> None:
    assert given_away(a_wave(found, declared)) == []


def test_control_without_mending_a_small_site_follows_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hidden_cells, "_mend", lambda *_: None)
    monkeypatch.setattr(hidden_cells, "_hidden", hidden_cells._hidden.__wrapped__)  # nothing of it is kept
    assert given_away(a_wave([Group(3), Group(50, "C"), Group(60, "D")], WaveSettings())) != []
