"""The year before beside this one (rule S5): what is compared, what is not, and why (rule S6)."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient

from survey_app import past_results, questionnaires, waves
from survey_app.clock import today_in_paris
from tests.page_checks import assert_good_pages
from tests.survey_app.staff_site import (
    WAVE,
    StaffSite,
    a_plan,
    a_source,
    add_responses,
    some_commitment,
)
from tests.survey_app.test_results_page import text_of

RESULTS = f"/gestion/resultats/{WAVE}"
TODAY = today_in_paris()
YEAR = (TODAY - dt.timedelta(days=20)).year
LAST_YEAR = dt.date(YEAR - 1, 6, 1)
UNSURE = "pas assez de réponses pour le dire"
TWO_QUESTIONS = a_source().replace(
    "      - {item: comment",
    f"      - {{item: clarity, type: satisfaction, scale: satisfaction_4, label: La clarté, "
    f"commitment: {some_commitment()}}}\n      - {{item: comment",
)
BROKEN = a_source(courtoisie="courtoisie des agents")


def a_wave(
    good: int, bad: int, *, source: str = "", at: str = "accueil_general", then: str = "", **plan: Any
) -> None:
    """A wave of this year with so many answers; `then` is what becomes of it."""
    digest = questionnaires.publish_source(source or a_source(), {}, actor="test").digest
    declared = a_plan(digest, **plan)
    wave_id = waves.create_wave(declared, actor="test").id
    waves.open_wave(wave_id, actor="test", today=declared.opens_on)
    add_responses(digest, good, bad, site=at, wave_id=wave_id)
    if then:
        waves.close_wave(wave_id, actor="test")
    if then == "sealed":
        waves.seal_wave(wave_id, actor="test")


def a_wave_before(good: int, bad: int, *, then: str = "closed", **plan: Any) -> None:
    """A wave of last year."""
    dates = {"opens_on": LAST_YEAR, "closes_on": LAST_YEAR + dt.timedelta(days=40)}
    a_wave(good, bad, then=then, **{"id": "avant", "title": "Essai d’avant", **dates, **plan})


def imported(*lines: str, year: int = YEAR - 1) -> None:
    """Figures of an earlier year; `C` stands for the engagement."""
    text = "\n".join(["commitment,item,favourable,base", *lines]).replace("C,", f"{some_commitment()},")
    past_results.import_counts("essai", year, str(year), text, source="x.csv", actor="test")


def words(client: FlaskClient, address: str = RESULTS) -> str:
    return text_of(client.get(address).text)


@pytest.mark.parametrize("then", ["closed", "sealed"])
def test_s5_the_rate_of_the_year_before_stands_beside_with_its_base_and_a_sure_difference(
    site: StaffSite, then: str
) -> None:
    with site.database():
        a_wave_before(120, 60, then=then)
        a_wave(240, 60)
    page = words(site.client("reader"))
    for part in (
        f"l’écart avec {YEAR - 1}",
        "66,7\u202f%",
        "base 180",
        "+13,3\u00a0points, sûr",
        "de +5,2 à +21,6\u00a0points",
        "«\u202fEssai d’avant\u202f»",
        "1 comparaison faite",
    ):
        assert part in page, part
    assert "+13,3\u00a0points, sûr" in words(site.client(), f"{RESULTS}/engagement/{some_commitment()}")


def test_the_pages_with_a_year_before_are_good_pages(site: StaffSite) -> None:
    with site.database():
        a_wave_before(120, 60, headline_sites=("accueil_general",))
        a_wave(240, 60)
    client = site.client()
    addresses = (RESULTS, f"{RESULTS}/engagement/{some_commitment()}", f"{RESULTS}?periode={TODAY:%Y-%m}")
    assert_good_pages({str(n): (client.get(address).text, "fr") for n, address in enumerate(addresses)})


def test_s5_a_difference_that_chance_could_make_is_said_not_to_be_sure(site: StaffSite) -> None:
    with site.database():
        a_wave_before(60, 40)
        a_wave(66, 34)
    assert f"+6,0\u00a0points, {UNSURE}" in words(site.client())


def test_s5_a_few_answers_make_no_sure_difference(site: StaffSite) -> None:
    with site.database():
        a_wave_before(2, 18)
        a_wave(20, 0)
    assert f"+90,0\u00a0points, {UNSURE}" in words(site.client())


@pytest.mark.parametrize("state", ["draft", "open", "later", "invented"])
def test_only_an_edition_that_has_ended_before_and_is_as_real_is_compared_with(
    site: StaffSite, state: str
) -> None:
    with site.database():
        if state == "later":
            a_wave_before(120, 60, opens_on=TODAY, closes_on=TODAY)
        elif state == "invented":
            a_wave_before(120, 60, synthetic=True)
        elif state == "draft":
            digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
            waves.create_wave(a_plan(digest, id="avant", opens_on=LAST_YEAR), actor="test")
        if state != "open":
            a_wave(240, 60)
        else:
            a_wave(240, 60, then="closed")
            a_wave_before(120, 60, then="")
    assert "l’écart avec" not in words(site.client())


def test_s5_a_broken_series_is_not_compared_and_the_page_says_why(site: StaffSite) -> None:
    with site.database():
        a_wave_before(120, 60)
        a_wave(240, 60, source=BROKEN)
    for address in (RESULTS, f"{RESULTS}/engagement/{some_commitment()}"):
        page = words(site.client(), address)
        assert "Pas de comparaison." in page
        assert "est reformulée" in page
        assert "66,7" not in page
        assert "+13,3" not in page


def test_a_version_that_nobody_answered_breaks_no_series(site: StaffSite) -> None:
    with site.database():
        a_wave_before(120, 60)
        first = questionnaires.publish_source(BROKEN, {}, actor="test").digest
        waves.create_wave(a_plan(first), actor="test")
        again = questionnaires.publish_source(a_source(), {}, actor="test").digest
        waves.change_wave(WAVE, a_plan(again), actor="test")
        waves.open_wave(WAVE, actor="test")
        add_responses(again, 240, 60, site="accueil_general")
    assert "+13,3\u00a0points, sûr" in words(site.client())


def test_s6_a_small_figure_of_the_year_before_stays_hidden(site: StaffSite) -> None:
    with site.database():
        a_wave_before(3, 1)
        a_wave(24, 6)
    page = words(site.client())
    assert f"Le chiffre de {YEAR - 1} est masqué." in page
    assert "75,0" not in page
    assert "points," not in page


def test_s6_a_small_figure_of_this_year_is_not_told_by_its_difference(site: StaffSite) -> None:
    with site.database():
        a_wave_before(120, 60)
        a_wave(3, 1)
    page = words(site.client())
    assert "Le chiffre de cette édition est masqué." in page
    assert "points," not in page


def test_a_filter_by_site_compares_the_site_and_a_filter_by_period_nothing(site: StaffSite) -> None:
    with site.database():
        a_wave_before(120, 60)
        add_responses(questionnaires.versions()[0].digest, 10, 30, site="point_numerique", wave_id="avant")
        a_wave(240, 60)
        add_responses(questionnaires.versions()[0].digest, 30, 10, site="point_numerique")
    client = site.client()
    assert "+50,0\u00a0points, sûr" in words(client, f"{RESULTS}?site=point_numerique")
    page = words(client, f"{RESULTS}?periode={TODAY:%Y-%m}")
    assert "retirez le filtre de période" in page
    assert "l’écart avec" not in page


def test_a_headline_of_other_sites_is_said_beside_the_comparison(site: StaffSite) -> None:
    with site.database():
        a_wave_before(120, 60, headline_sites=("accueil_general",))
        a_wave(240, 60)
    client = site.client()
    assert "comptait d’autres sites" in words(client)
    assert "comptait d’autres" not in words(client, f"{RESULTS}?site=accueil_general")


def test_s5_an_imported_year_is_compared_with_the_whole_edition(site: StaffSite) -> None:
    with site.database():
        a_wave(240, 60)
        imported("C,,120,180")
    client = site.client()
    page = words(client)
    assert "66,7\u202f%" in page
    assert "+13,3\u00a0points, sûr" in page
    assert "Vérifiez qu’ils n’ont pas changé." in page
    assert "retirez les filtres" in words(client, f"{RESULTS}?site=accueil_general")


def test_the_latest_year_is_taken_and_an_edition_of_ours_before_an_import_of_its_year(
    site: StaffSite,
) -> None:
    with site.database():
        a_wave(240, 60)
        imported("C,,100,180", year=YEAR - 3)
        imported("C,,120,180", year=YEAR - 2)
        imported("C,,1,180", year=YEAR)
    client = site.client()
    assert f"l’écart avec {YEAR - 2}" in words(client)
    with site.database():
        waves.close_wave(WAVE, actor="test")
        imported("C,,170,180")
        a_wave_before(150, 30)
    page = words(client)
    assert "83,3\u202f%" in page
    assert "94,4" not in page


def test_s5_an_imported_total_of_several_questions_counts_as_few_people(site: StaffSite) -> None:
    """Sixty answers to two questions may be those of thirty people."""
    with site.database():
        a_wave(240, 60, source=TWO_QUESTIONS)
        imported("C,,40,60")
    assert f"+13,3\u00a0points, {UNSURE}" in words(site.client())


def test_s5_the_questions_of_an_engagement_are_compared_one_by_one(site: StaffSite) -> None:
    with site.database():
        a_wave(240, 60, source=TWO_QUESTIONS)
        imported("C,courtesy,120,180", "C,clarity,90,180")
    page = words(site.client(), f"{RESULTS}/engagement/{some_commitment()}")
    assert "66,7\u202f%" in page
    assert "58,3\u202f%" in page
    assert "+13,3\u00a0points, sûr" in page
    assert "inventées" not in page
    assert "Aucune réponse à comparer." in page


def test_s6_an_imported_question_of_a_few_people_is_not_the_rest_of_its_engagement(site: StaffSite) -> None:
    with site.database():
        a_wave(240, 60, source=TWO_QUESTIONS)
        imported("C,courtesy,120,180", "C,clarity,1,3", "C,,121,183")
    page = words(site.client(), f"{RESULTS}/engagement/{some_commitment()}")
    assert "66,1\u202f%" in page
    assert "66,7" not in page
    assert "33,3" not in page


def test_imported_figures_beside_invented_answers_carry_a_word(site: StaffSite) -> None:
    warning = "Les réponses de cette édition sont inventées\u00a0: l’écart ne dit rien de réel."
    with site.database():
        a_wave(240, 60, synthetic=True)
        imported("C,,120,180")
    assert warning in words(site.client())


def test_an_engagement_without_figure_then_is_not_compared(site: StaffSite) -> None:
    with site.database():
        a_wave(240, 60, source=TWO_QUESTIONS)
        imported("C,courtesy,120,180")
    assert f"Pas de chiffre pour {YEAR - 1}." in words(site.client())


def test_the_workbook_has_a_sheet_of_the_comparison_where_there_is_one(site: StaffSite) -> None:
    with site.database():
        a_wave(240, 60)
    client, address = site.client("director"), f"/gestion/exports/{WAVE}/classeur"
    with client.get(address) as answer:
        assert "Comparaison" not in openpyxl.load_workbook(io.BytesIO(answer.data)).sheetnames
    with site.database():
        imported("C,,120,180")
    with client.get(address) as answer:
        sheet = openpyxl.load_workbook(io.BytesIO(answer.data))["Comparaison"]
    line = [cell.value for cell in sheet[2]]
    assert line[2:6] == [0.8, 300, pytest.approx(2 / 3), 180]
    assert line[6] == pytest.approx(40 / 3)
    assert line[9] == "+13,3\u00a0points, sûr"
