"""Rule S6: differences and named sites say nothing of an item that is withheld."""

from __future__ import annotations

from datetime import date

import pytest

from analysis.disclosure import UNDECIDED, ShownReport
from analysis.tally import CellLayout
from analysis.wave_report import Cell, WaveSettings, build_wave_report
from form_definitions.model import CommitmentRule
from tests.analysis.builders import a_response, two_commitments

NOT_ASKED = "not_concerned"
EVERYTHING = ("good",) * 4
TWO_ITEMS = ("good", "good", NOT_ASKED, NOT_ASKED)
THIRD_TOO = ("good", "good", "bad", NOT_ASKED)


def shown(rule: CommitmentRule, *groups: tuple[int, str, str, tuple[str, ...]]) -> ShownReport:
    """People, site, mode and answers → what staff see."""
    questionnaire = two_commitments(rules={"accueil": rule})
    layout = CellLayout(questionnaire)
    cells = [
        Cell(site, mode, "fr", date(2026, 11, 2), layout.vector(a_response(questionnaire, *codes)) * people)
        for people, site, mode, codes in groups
    ]
    return ShownReport(build_wave_report(questionnaire, cells, WaveSettings(), layout=layout), "staff")


def test_s6_no_difference_between_modes_tells_of_a_withheld_item() -> None:
    seen = shown(
        "every_item",
        (40, "accueil", "tablet", EVERYTHING),
        (20, "accueil", "paper", TWO_ITEMS),
        (3, "accueil", "paper", THIRD_TOO),
    )
    assert "welcome_3" in {found.item for found in seen.report.mode_differences}
    assert "welcome_3" not in {found.item for found in seen.mode_differences}
    assert seen.mode_differences


def test_s6_a_site_that_a_total_hides_keeps_its_withheld_items_to_itself() -> None:
    seen = shown(
        "pooled",
        (400, "accueil", "tablet", EVERYTHING),
        (20, "immigration", "tablet", ("bad", *TWO_ITEMS[1:])),
        (3, "immigration", "tablet", ("bad", *THIRD_TOO[1:])),
    )
    (axis,) = seen.hidden_axes
    third = axis.result.items[2]
    assert (third.base, bool(third.withheld)) == (0, True)


def test_s6_a_withheld_item_is_no_reason_to_say_that_modes_differ() -> None:
    seen = shown(
        "every_item",
        (400, "accueil", "tablet", EVERYTHING),
        (4, "accueil", "paper", ("bad", "good", "bad", NOT_ASKED)),
        (400, "accueil", "paper", ("bad", "good", NOT_ASKED, NOT_ASKED)),
    )
    assert {found.item for found in seen.report.mode_differences if found.sure} == {"welcome_1"}
    assert "modes_differ" in {flag.code for flag in seen.report.flags}
    assert "modes_differ" not in {flag.code for flag in seen.flags}
    assert {found.adjusted_p for found in seen.mode_differences} == {1.0}


@pytest.mark.parametrize(
    ("hidden", "shown_item", "said"),
    [("bad", "good", ""), ("good", "good", ""), ("bad", "bad", "axis"), ("good", "bad", "axis")],
)
def test_s6_a_withheld_item_decides_for_no_commitment(hidden: str, shown_item: str, said: str) -> None:
    everyone = (200, "accueil", "tablet", (hidden, shown_item, NOT_ASKED, NOT_ASKED))
    seen = shown("every_item", everyone, (3, "accueil", "tablet", (hidden, shown_item, hidden, NOT_ASKED)))
    (result, *_) = seen.commitments
    assert [bool(item.withheld) for item in result.items].count(True) == 2
    assert (result.withheld == UNDECIDED, result.improvement_axis) == (said == "", said == "axis")


def test_s6_no_site_is_named_below_the_threshold_for_a_withheld_item() -> None:
    seen = shown(
        "every_item",
        (400, "accueil", "tablet", EVERYTHING),
        (20, "immigration", "tablet", TWO_ITEMS),
        (3, "immigration", "tablet", THIRD_TOO),
    )
    assert [axis.site for axis in seen.report.hidden_axes] == ["immigration"]
    assert not seen.hidden_axes


def test_s6_a_wave_without_answers_hides_nothing() -> None:
    assert not any(result.withheld for result in shown("pooled").commitments)
