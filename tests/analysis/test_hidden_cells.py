"""Rule S6: whatever the filters, nothing that is shown adds up to a figure of a few people.

The reader of these tests solves all figures of all pages together, in fractions; the code that is tested does
so with orthogonal directions, and knows nothing of pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analysis import hidden_cells
from analysis.axes import CommitmentResult, Result
from analysis.disclosure import ShownReport
from analysis.periods import PERIOD_KINDS, period_of
from analysis.publication import FLOORS
from analysis.tally import CellLayout
from analysis.wave_report import Cell, Selection, WaveReport, WaveSettings, build_wave_report
from form_definitions.model import CommitmentRule, Questionnaire
from tests.analysis.builders import a_questionnaire, a_response, a_scale_item

SITES, MODES = ("A", "B", "C", "D"), ("tablet", "website", "paper")
MONTHS = (date(2026, 11, 2), date(2026, 12, 7), date(2027, 1, 4), date(2027, 2, 1))
WEEKS = (date(2026, 11, 2), date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 7))
"""One of these weeks lies in two months."""
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


@st.composite
def groups(draw: st.DrawFn) -> list[Group]:
    """A wave in which nearly every site, mode and month has answers, often those of a few people."""
    sites, modes = SITES[: draw(st.integers(3, 4))], MODES[: draw(st.integers(2, 3))]
    days, items = draw(st.sampled_from([MONTHS, WEEKS]))[: draw(st.integers(1, 4))], draw(st.integers(1, 2))
    people = st.sampled_from([0, 0, 0, 1, 2, 4, 7, 15, 30, 60])
    answered = st.tuples(*[st.sampled_from([True, True, False])] * items)
    found = [
        Group(number, *part, draw(answered))
        for part in product(sites, modes, days)
        if (number := draw(people))
    ]
    return found or [Group(3, items=(True,) * items)]


HEADLINES = st.builds(
    WaveSettings,
    headline_sites=st.sampled_from([None, ("A", "C", "D"), ("A", "B")]),
    headline_modes=st.sampled_from([None, ("tablet",), ("paper", "tablet")]),
)


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
    """Every page that filters lead to; those of several filters by their site and mode."""
    cells = report.wave_cells
    sites, modes = (sorted({getattr(cell, name) for cell in cells}) for name in ("site", "mode"))
    periods = sorted({period_of(cell.day, kind) for kind in PERIOD_KINDS for cell in cells})
    yield from (Selection(site=site, mode=mode) for site, mode in product([None, *sites], [None, *modes]))
    yield from (Selection(site=site, period=period) for site, period in product([None, *sites], periods))


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
    """What follows from all that is shown of fewer people than the floor: figures, and sums of them."""
    reader, small = Reader(), []
    for chosen in pages(report):
        shown = filtered(report, chosen)
        rests: dict[tuple[str, str | None], Rest] = defaultdict(Rest)
        for part, line, counted in lines(shown):
            told = equation(report, part, counted)
            if not line.withheld:
                reader.learn(told)
            else:
                small.append((part, counted.item, counted.respondents, told))
                rests[_dimension(part, chosen), counted.item].add(counted.respondents, told)
        small += [(chosen, item, rest.people, rest.told) for (_, item), rest in rests.items()]
    return [
        (part, item, people)
        for part, item, people, told in small
        if 0 < people < FLOORS["staff"] and reader.knows(told)
    ]


@dataclass
class Rest:
    """The hidden figures of one breakdown together."""

    people: int = 0
    told: Equation = field(default_factory=dict)

    def add(self, people: int, told: Equation) -> None:
        """One more of them."""
        self.people += people
        self.told = {
            atom: told.get(atom, 0) + self.told.get(atom, Fraction(0)) for atom in {*told, *self.told}
        }


def _dimension(part: Selection, chosen: Selection) -> str:
    """What a breakdown tells apart; empty for the figures of the page itself."""
    found = (name for name, value in _filters(part).items() if value != _filters(chosen)[name])
    return next(found, "")


ALONE_IN_ITS_QUARTER = [
    Group(3, month=MONTHS[1]),
    Group(40, month=MONTHS[2]),
    Group(40, month=MONTHS[3]),
]
OUTSIDE_THE_HEADLINE = [Group(3), Group(50, "C"), Group(60, "D"), Group(5, "B")]
FEW_TOGETHER = [Group(2), Group(2, "B"), Group(50, "C"), Group(60, "D")]
SOLVED_TOGETHER = [
    Group(people, site, mode)
    for mode, sites in (
        ("tablet", {"B": 21, "C": 20, "D": 56}),
        ("website", {"A": 17, "D": 58}),
        ("paper", {"A": 16, "B": 2, "D": 21}),
    )
    for site, people in sites.items()
]
"""Every site and every mode hides two figures at least, and yet those of B follow."""


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(groups(), HEADLINES, st.sampled_from(["pooled", "every_item"]))
@example(OUTSIDE_THE_HEADLINE, WaveSettings(headline_sites=("A", "C", "D")), "pooled")
@example(ALONE_IN_ITS_QUARTER, WaveSettings(), "pooled")
@example(FEW_TOGETHER, WaveSettings(), "pooled")
@example(SOLVED_TOGETHER, WaveSettings(), "pooled")
def test_s6_no_figure_of_a_few_people_follows_from_what_all_pages_show(
    found: list[Group], declared: WaveSettings, rule: CommitmentRule
) -> None:
    assert given_away(a_wave(found, declared, rule)) == []


@pytest.mark.parametrize(
    ("protection", "found"),
    [
        pytest.param("_mend_all", FEW_TOGETHER, id="sum by sum"),
        pytest.param("_hide_what_tells", SOLVED_TOGETHER, id="all sums together"),
    ],
)
def test_control_without_a_protection_a_small_figure_follows_from_the_others(
    protection: str, found: list[Group], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden_cells, protection, lambda *_: None)
    monkeypatch.setattr(hidden_cells, "_hidden", hidden_cells._hidden.__wrapped__)  # nothing of it is kept
    assert given_away(a_wave(found, WaveSettings())) != []


@settings(deadline=None, max_examples=30)
@given(groups())
def test_s6_the_judgement_is_the_same_whatever_was_judged_before(found: list[Group]) -> None:
    report = a_wave(found, WaveSettings())
    first = [result.withheld for result in ShownReport(report, "staff").commitments]
    again = a_wave(reversed(found), WaveSettings())
    assert [result.withheld for result in ShownReport(again, "staff").commitments] == first


def test_s6_what_counts_the_most_stays_shown() -> None:
    seen = ShownReport(a_wave(SOLVED_TOGETHER, WaveSettings()), "staff")
    bases = {site: figures.commitments[0].base for site, figures in seen.by_site.items()}
    assert seen.commitments[0].base == 211
    assert [figures.commitments[0].base for figures in seen.by_mode.values()] == [39, 97, 75]
    assert bases == {"A": 33, "B": 0, "C": 0, "D": 135}
