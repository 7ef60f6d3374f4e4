"""Figures of one to four people: no file and no page gives them away, whatever the filter (rule S6)."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from analysis.wave_report import build_wave_report
from survey_app.disclosure import for_staff
from survey_app.exports import EXPORTS, ReportSource
from survey_app.exports.results_json import results
from tests.survey_app.exported_waves import Answered, a_source
from tests.survey_app.staff_site import StaffSite, some_commitment
from tests.survey_app.test_results_page import text_of
from tests.survey_app.test_shown_figures import RESULTS, a_wave_of

FEW = {"site": "immigration", "mode": "paper", "language": "ar", "period": "2026-12"}
MANY = {"site": "accueil", "mode": "tablet", "language": "fr", "period": "2026-11"}
FILTERS: tuple[dict[str, str], ...] = (
    *({name: value} for name, value in FEW.items()),
    {"site": "immigration", "mode": "paper"},
    {"mode": "paper", "period": "2026-T4", "site": "immigration"},
    {"period": "2026-S50"},
    FEW,
)


def a_wave(few: int, answer: str, **chosen: Any) -> ReportSource:
    """Forty people in November, and in December a few of another site, mode and language who said this."""
    given = {"courtesy": [answer], "waiting_time": [answer]}
    responses = [
        *([Answered({"courtesy": ["good"], "waiting_time": ["bad"]})] * 40),
        *([Answered(given, "immigration", "paper", "ar", date(2026, 12, 9))] * few),
    ]
    source = a_source(responses, rows=False, verbatims=False)
    whole = source.report
    report = build_wave_report(whole.questionnaire, whole.wave_cells, whole.settings, **chosen)
    return replace(source, report=report)


def content(source: ReportSource, name: str) -> object:
    """What a file says, however it is packed."""
    stream = io.BytesIO()
    EXPORTS[name].write(source, stream)
    if not EXPORTS[name].suffix.endswith("xlsx"):
        return stream.getvalue()
    book = openpyxl.load_workbook(stream)
    return [[cell.value for cell in row] for sheet in book for row in sheet.iter_rows()]


@pytest.mark.parametrize("chosen", FILTERS, ids=str)
@pytest.mark.parametrize("name", [name for name, export in EXPORTS.items() if not export.rows])
def test_s6_what_a_few_people_said_changes_no_file(name: str, chosen: dict[str, str]) -> None:
    for few in (1, 4):
        praise, blame = (content(a_wave(few, answer, **chosen), name) for answer in ("good", "bad"))
        assert praise == blame, few


@pytest.mark.parametrize("chosen", FILTERS, ids=str)
def test_s6_five_people_are_enough(chosen: dict[str, str]) -> None:
    assert content(a_wave(5, "good", **chosen), "json") != content(a_wave(5, "bad", **chosen), "json")


@pytest.mark.parametrize("dimension", MANY)
def test_s6_the_total_less_a_filtered_figure_gives_no_small_one(dimension: str) -> None:
    """The whole of 43 less the forty under the filter would be the three."""
    total = results(a_wave(3, "bad"))["results"][0]
    assert total["base"] == 43
    filtered = results(a_wave(3, "bad", **{dimension: MANY[dimension]}))["results"][0]
    assert filtered["base"] is None
    assert filtered["withheld"]


def test_s6_two_filters_do_not_give_what_one_hides() -> None:
    """Site × mode with three people in one corner: no line of the table shows all but one cell."""
    corners = {
        ("accueil", "tablet"): 50,
        ("accueil", "paper"): 40,
        ("immigration", "tablet"): 30,
        ("immigration", "paper"): 3,
    }
    responses = [
        Answered({"courtesy": ["good"]}, site, mode) for (site, mode), n in corners.items() for _ in range(n)
    ]
    whole = a_source(responses).report

    def hidden(**chosen: Any) -> bool:
        part = build_wave_report(whole.questionnaire, whole.wave_cells, whole.settings, **chosen)
        return bool(for_staff(part).commitments[0].withheld)

    assert all(hidden(site=site, mode=mode) for site, mode in corners)
    assert not hidden(site="immigration")
    assert not hidden(mode="paper")


def test_s6_an_item_of_a_few_people_is_not_the_rest_of_its_commitment() -> None:
    responses = [
        *([Answered({"waiting_time": ["good"]})] * 20),
        *([Answered({"waiting_time": ["good"], "waiting_comfort": ["bad"]})] * 3),
    ]
    shown = {result.commitment: result for result in a_source(responses).shown.commitments}["attente"]
    assert shown.base == 26
    assert [bool(item.withheld) for item in shown.items] == [True, True]


def test_s6_the_page_hides_the_neighbour_of_a_small_site_and_its_axis(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    with site.database():
        a_wave_of({("accueil_general", "tablet"): (40, 0), ("point_numerique", "tablet"): (1, 2)})
    client = site.client("reader")
    page = text_of(client.get(RESULTS).text)
    assert "41 / 43" in page or "95,3\u202f%" in page
    assert "33,3" not in page
    breakdown = text_of(client.get(f"{RESULTS}/engagement/{some_commitment()}").text)
    for address in ("?site=accueil_general", "?site=point_numerique", "?site=point_numerique&mode=tablet"):
        assert "100,0" not in text_of(client.get(RESULTS + address).text), address
        assert "33,3" not in text_of(client.get(RESULTS + address).text), address
    assert "100,0" not in breakdown
    assert "Masqué avec un chiffre trop petit" in breakdown


def test_s6_hidden_lines_stay_in_the_results_without_their_figures() -> None:
    lines = results(a_wave(2, "good", mode="paper"))["results"]
    assert {line["commitment"] for line in lines} == {"courtoisie", "attente", "rare"}
    assert all(line["favourable"] is None for line in lines if line["commitment"] != "rare")
