"""All about one wave in one value: selections, breakdowns, axes that a total hides."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from analysis.assistance import Assistance
from analysis.dispositions import Dispositions
from analysis.packed import PackedColumns, tally_columns
from analysis.planning import answers_needed
from analysis.tally import CellLayout
from analysis.wave_report import Cell, WaveReport, WaveSettings, build_wave_report
from tests.analysis.builders import a_questionnaire, a_response, a_scale_item, two_commitments

QUESTIONNAIRE = two_commitments()
LAYOUT = CellLayout(QUESTIONNAIRE)
GOOD = ("good",) * 4
BAD = ("bad",) * 4


def a_cell(
    count: int,
    codes: tuple[str | None, ...] = GOOD,
    *,
    site: str = "accueil",
    mode: str = "tablet",
    language: str = "fr",
    day: date = date(2026, 11, 23),
    complete: bool = True,
    assisted: bool | None = None,
) -> Cell:
    response = replace(a_response(QUESTIONNAIRE, *codes, complete=complete), assisted=assisted)
    vector = LAYOUT.vector(response) * count
    return Cell(site, mode, language, day, vector)


def report(*cells: Cell, settings: WaveSettings | None = None, **selection: Any) -> WaveReport:
    return build_wave_report(QUESTIONNAIRE, cells, settings or WaveSettings(), **selection)


def test_an_empty_wave_has_a_report_without_figures() -> None:
    empty = report()
    assert (empty.responses, empty.complete, empty.axes, empty.flags) == (0, 0, (), ())
    assert [(result.rate, result.verdict) for result in empty.commitments] == [(None, None)] * 2
    assert empty.on_tablets == {}


def test_responses_commitments_and_items_are_those_of_all_cells() -> None:
    wave = report(a_cell(60), a_cell(40, BAD, mode="website"), a_cell(10, (None,) * 4, complete=False))
    assert (wave.responses, wave.complete, wave.fieldwork.dispositions.partial) == (110, 100, 10)
    welcome, waiting = wave.commitments
    assert (welcome.favourable, welcome.base, welcome.respondents) == (180, 300, 100)
    assert (waiting.favourable, waiting.base) == (60, 100)
    assert waiting.items[0].tally is not None
    assert waiting.items[0].tally.unanswered == 10
    assert [axis.commitment for axis in wave.axes] == ["accueil", "delai"]
    assert welcome.title == "Engagement accueil"


def test_s7_who_was_helped_is_counted_on_the_tablets_alone_and_of_the_whole_wave_only() -> None:
    wave = [a_cell(20, assisted=True), a_cell(30, assisted=False, site="immigration"), a_cell(7)]
    wave.append(a_cell(9, mode="website", assisted=True))
    assert report(*wave).assistance == Assistance(20, 30, 7)
    assert report(*wave, site="accueil").assistance is None


def test_s7_completion_is_that_of_the_tablets_site_by_site() -> None:
    """The website sends finished questionnaires only: counted, it would say that nobody gave up."""
    wave = report(
        a_cell(60),
        a_cell(20, complete=False),
        a_cell(5, site="immigration"),
        a_cell(40, BAD, mode="website"),
        a_cell(9, mode="paper", complete=False),
    )
    assert wave.on_tablets == {
        "accueil": Dispositions(complete=60, partial=20),
        "immigration": Dispositions(complete=5),
    }
    assert wave.on_tablets["accueil"].completion_rate == 0.75


@pytest.mark.parametrize(
    "selection, responses",
    [
        ({"site": "immigration"}, 20),
        ({"mode": "website"}, 5),
        ({"language": "ar"}, 3),
        ({"period": "2026-11"}, 30),
        ({"period": "2026-T4"}, 38),
        ({"period": "2026-S48"}, 30),
        ({"site": "nulle_part"}, 0),
        ({"mode": "tablet", "period": "2026-12"}, 3),
    ],
)
def test_a_selection_keeps_its_cells(selection: dict[str, Any], responses: int) -> None:
    december = date(2026, 12, 7)
    cells = (
        a_cell(10),
        a_cell(20, site="immigration"),
        a_cell(5, mode="website", day=december),
        a_cell(3, language="ar", day=december),
    )
    wave = build_wave_report(QUESTIONNAIRE, cells, WaveSettings(), **selection)
    assert wave.responses == responses


def test_breakdowns_add_up_to_the_total() -> None:
    wave = report(
        a_cell(10), a_cell(20, BAD, site="immigration"), a_cell(5, mode="website", day=date(2026, 12, 7))
    )
    for breakdown in (
        wave.by_site,
        wave.by_mode,
        wave.by_language,
        wave.by_period,
        wave.by_period_of("week"),
    ):
        assert sum(figures.responses for figures in breakdown.values()) == 35
        assert sum(figures.commitments[1].base for figures in breakdown.values()) == wave.commitments[1].base
    assert list(wave.by_period) == ["2026-11", "2026-12"]


def test_the_headline_counts_what_the_wave_declared_and_shows_the_rest_apart() -> None:
    settings = WaveSettings(headline_modes=("tablet",), headline_sites=("accueil",))
    wave = report(
        a_cell(10), a_cell(7, BAD, mode="website"), a_cell(5, BAD, site="immigration"), settings=settings
    )
    assert wave.responses == 22
    assert wave.commitments[1].base == 10
    assert {mode: figures.responses for mode, figures in wave.by_mode.items()} == {"tablet": 10, "website": 7}
    assert {site: figures.responses for site, figures in wave.by_site.items()} == {
        "accueil": 10,
        "immigration": 5,
    }


def test_what_is_selected_by_name_counts_even_outside_the_headline() -> None:
    settings = WaveSettings(headline_modes=("tablet",))
    wave = report(a_cell(10), a_cell(7, mode="website"), settings=settings, mode="website")
    assert wave.commitments[1].base == 7


def test_s4_sites_below_the_threshold_that_a_total_hides_are_named() -> None:
    wave = report(a_cell(900), a_cell(60, site="immigration"), a_cell(40, BAD, site="immigration"))
    assert wave.axes == ()
    assert [(hidden.site, hidden.result.commitment) for hidden in wave.hidden_axes] == [
        ("immigration", "accueil"),
        ("immigration", "delai"),
    ]


def test_an_axis_of_the_total_is_not_hidden() -> None:
    wave = report(a_cell(10), a_cell(100, BAD, site="immigration"))
    assert len(wave.axes) == 2
    assert wave.hidden_axes == ()


def test_s5_collection_modes_that_differ_are_never_pooled_silently() -> None:
    apart = report(
        a_cell(180), a_cell(20, BAD), a_cell(100, mode="website"), a_cell(100, BAD, mode="website")
    )
    assert [(found.first, found.second, found.sure) for found in apart.mode_differences] == [
        ("tablet", "website", True),
        ("tablet", "website", True),
    ]
    assert "modes_differ" in {flag.code for flag in apart.flags}
    alike = report(a_cell(80), a_cell(20, BAD), a_cell(80, mode="website"), a_cell(20, BAD, mode="website"))
    assert not any(found.sure for found in alike.mode_differences)
    assert "modes_differ" not in {flag.code for flag in alike.flags}


def test_s5_a_mode_of_few_answers_is_never_surely_different() -> None:
    cells = (a_cell(40), a_cell(5, BAD, mode="website"))
    assert not any(found.sure for found in report(*cells).mode_differences)
    enough = report(*cells, settings=WaveSettings(minimum_base=5))
    assert any(found.sure for found in enough.mode_differences)


def test_s3_the_population_serves_the_whole_wave_and_none_of_its_parts() -> None:
    settings = WaveSettings(population=256)
    cells = (a_cell(140), a_cell(40, BAD, site="immigration"))
    whole = report(*cells, settings=settings)
    assert whole.commitments[1].method == "hypergeometric"
    assert {figures.commitments[1].method for figures in whole.by_site.values()} == {"wilson"}
    assert report(*cells, settings=settings, site="accueil").commitments[1].method == "wilson"


def test_s3_an_outgrown_population_is_said_and_not_used() -> None:
    wave = report(a_cell(140), settings=WaveSettings(population=100))
    assert wave.commitments[1].method == "wilson"
    (flag,) = wave.flags
    assert flag.code == "population_outgrown"
    assert "140" in flag.reason
    assert "100" in flag.reason


def test_answers_still_missing_are_told_per_site() -> None:
    settings = WaveSettings(expected_visits={"accueil": None, "immigration": 60, "point_numerique": None})
    wave = report(a_cell(150), a_cell(50, site="immigration"), settings=settings)
    assert wave.missing_for_margin == {"accueil": 48, "immigration": 0, "point_numerique": 198}


def test_a_known_population_makes_fewer_answers_miss_also_for_a_filtered_site() -> None:
    settings = WaveSettings(population=256)
    needed = answers_needed(population=256)
    for chosen in (None, "accueil"):
        wave = report(a_cell(40), settings=settings, site=chosen)
        assert wave.missing_for_margin == {"accueil": needed - 40}
    outgrown = report(a_cell(140), settings=WaveSettings(population=100))
    assert outgrown.missing_for_margin == {"accueil": answers_needed() - 140}, "it says nothing any more"


def test_a_site_that_gives_nearly_all_answers_is_flagged() -> None:
    wave = report(a_cell(90), a_cell(10, site="immigration"))
    assert [flag.code for flag in wave.flags] == ["dominance"]


def test_s5_a_report_carries_what_it_does_not_measure() -> None:
    assert any("ni les refus" in notice for notice in report().notices)
    officials = QUESTIONNAIRE.model_copy(update={"audience": "elected_officials"})
    notices = build_wave_report(officials, (), WaveSettings()).notices
    assert any("non-réponse" in notice for notice in notices)


def test_a_vector_of_another_layout_is_refused() -> None:
    with pytest.raises(ValueError, match="compteurs"):
        report(Cell("accueil", "tablet", "fr", date(2026, 1, 1), np.zeros(3, dtype=np.int64)))


def test_a_report_names_its_questionnaire() -> None:
    assert len(report().questionnaire_digest) == 64


def test_s9_a_thousand_cells_take_milliseconds() -> None:
    items = (a_scale_item(f"item_{number}", f"commitment_{number // 4}") for number in range(20))
    questionnaire = a_questionnaire(*items)
    layout = CellLayout(questionnaire)
    random = np.random.default_rng(3)
    columns = {name: random.integers(0, 8, 50_000, dtype=np.uint8) for name in layout.items}
    vectors = tally_columns(layout, PackedColumns(columns, cells=random.integers(0, 1000, 50_000)), 1000)
    cells = [
        Cell(site, mode, "fr", date(2026, 1, 1) + timedelta(day), vectors[day * 8 + number])
        for day in range(125)
        for number, (site, mode) in enumerate((s, m) for s in "abcd" for m in ("tablet", "website"))
    ]
    durations = []
    for _ in range(5):
        start = time.process_time()
        wave = build_wave_report(questionnaire, cells, WaveSettings())
        assert len(wave.commitments) == 5
        assert len(wave.by_site) == 4
        durations.append(time.process_time() - start)
    assert min(durations) < 0.02


ARRONDISSEMENTS = {"niort": 121, "parthenay": 78, "bressuire": 57}
"""The 256 communes of Deux-Sèvres."""


def officials(**changes: Any) -> WaveSettings:
    strata: dict[str, Any] = {
        "population": 256,
        "strata": ARRONDISSEMENTS,
        "sites": tuple(ARRONDISSEMENTS),
        "modes": ("personal_link",),
        "headline_modes": ("personal_link",),
    }
    return WaveSettings(**{**strata, **changes})


def by_link(count: int, site: str, codes: tuple[str | None, ...] = GOOD) -> Cell:
    return a_cell(count, codes, site=site, mode="personal_link")


def answered_by_a_part() -> tuple[Cell, ...]:
    return (
        by_link(68, "niort"),
        by_link(22, "niort", BAD),
        by_link(40, "parthenay"),
        by_link(10, "parthenay", BAD),
        by_link(32, "bressuire"),
        by_link(8, "bressuire", BAD),
    )


def test_s3_a_stratum_takes_its_own_population_and_the_whole_takes_all() -> None:
    """140 of 180 among 256 communes, as STATISTICS.md S4 gives it: 190 to 207 communes."""
    wave = report(*answered_by_a_part(), settings=officials())
    whole = wave.commitments[1]
    assert (whole.favourable, whole.base, whole.interval.people) == (140, 180, (190, 207))
    parts = {site: figures.commitments[1] for site, figures in wave.by_site.items()}
    assert {site: result.method for site, result in parts.items()} == dict.fromkeys(
        ARRONDISSEMENTS, "hypergeometric"
    )
    assert {site: result.interval.population for site, result in parts.items()} == ARRONDISSEMENTS


@pytest.mark.parametrize(
    "site, people",
    # By math.comb: the M in k…N−n+k whose both tails, of k or more and of k or fewer, exceed 2.5 %.
    [("niort", (85, 96)), ("parthenay", (56, 67)), ("bressuire", (41, 49))],
)
def test_s3_the_interval_of_a_stratum_is_counted_in_its_people(site: str, people: tuple[int, int]) -> None:
    wave = report(*answered_by_a_part(), settings=officials(), site=site)
    alone = wave.commitments[1]
    assert alone.interval.people == people
    assert (
        alone.interval
        == report(*answered_by_a_part(), settings=officials()).by_site[site].commitments[1].interval
    )
    assert wave.flags == ()


def test_s3_a_stratum_where_all_answered_is_a_census_without_interval() -> None:
    wave = report(
        by_link(43, "bressuire"), by_link(14, "bressuire", BAD), by_link(60, "niort"), settings=officials()
    )
    census = wave.by_site["bressuire"].commitments[1]
    assert (census.method, census.low, census.high) == ("census", None, None)
    assert census.verdict == "above"
    assert wave.by_site["niort"].commitments[1].low is not None


def test_s3_when_every_stratum_answered_the_whole_is_a_census() -> None:
    cells = [by_link(people, site) for site, people in ARRONDISSEMENTS.items()]
    assert {result.method for result in report(*cells, settings=officials()).commitments} == {"census"}


def test_s3_a_population_serves_no_part_of_a_stratum() -> None:
    cells = (*answered_by_a_part(), a_cell(5, site="niort", mode="paper"))
    for chosen in ({"mode": "personal_link"}, {"site": "niort", "period": "2026-11"}):
        assert report(*cells, settings=officials(), **chosen).commitments[1].method == "wilson"
    partial = officials(modes=("personal_link", "paper"))
    wave = report(*cells, settings=partial)
    assert wave.commitments[1].method == "wilson"
    assert {figures.commitments[1].method for figures in wave.by_site.values()} == {"wilson"}


def test_s3_an_outgrown_stratum_is_said_and_not_used() -> None:
    wave = report(by_link(60, "bressuire"), by_link(60, "niort"), settings=officials(), site="bressuire")
    assert wave.commitments[1].method == "wilson"
    assert [flag.code for flag in wave.flags] == ["population_outgrown"]


def test_s5_no_weights_so_strata_that_answered_more_are_told() -> None:
    uneven = report(
        by_link(90, "niort"), by_link(20, "bressuire"), by_link(30, "parthenay"), settings=officials()
    )
    assert "unequal_strata" in {flag.code for flag in uneven.flags}
    assert uneven.commitments[1].base == 140
    even = report(
        by_link(61, "niort"), by_link(29, "bressuire"), by_link(39, "parthenay"), settings=officials()
    )
    assert "unequal_strata" not in {flag.code for flag in even.flags}
    assert any("sans pondération" in notice for notice in even.notices)
