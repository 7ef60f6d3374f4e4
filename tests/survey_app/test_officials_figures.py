"""The figures of a wave by personal link: N of each stratum as frozen, nothing before the closing."""

from __future__ import annotations

import csv
import io

import pytest
from openpyxl import load_workbook

from survey_app.reports import report_of, settings_of, shown_before
from survey_app.strata import composition, frame_of, names_of, sites_of, strata_of
from survey_app.waves import find_wave
from tests.survey_app.officials_site import (
    BRESSUIRE,
    COMMUNES,
    NIORT,
    PARTHENAY,
    WAVE,
    add_answers,
    close,
    seed_officials,
)
from tests.survey_app.staff_site import StaffSite


@pytest.fixture
def answered(site: StaffSite) -> StaffSite:
    with site.database():
        seed_officials()
        add_answers(68, 22, NIORT)
        add_answers(40, 10, PARTHENAY)
        add_answers(32, 8, BRESSUIRE)
    return site


def test_every_stratum_takes_its_population_from_the_frozen_list(answered: StaffSite) -> None:
    with answered.database():
        close()
        wave = find_wave(WAVE)
        assert wave is not None
        assert settings_of(wave).strata == COMMUNES
        report = report_of(wave)
        assert report.commitments[0].interval.people == (190, 207)
        people = {site: figures.commitments[0].interval.people for site, figures in report.by_site.items()}
        # the same numbers as tests/analysis/test_wave_report.py
        assert people == {NIORT: (85, 96), PARTHENAY: (56, 67), BRESSUIRE: (41, 49)}


def test_a_merged_stratum_has_the_people_of_both(site: StaffSite) -> None:
    with site.database():
        wave = seed_officials(merged={BRESSUIRE: PARTHENAY})
        assert settings_of(wave).strata == {NIORT: 121, PARTHENAY: 135}
        names = names_of(WAVE)
        assert (names[NIORT], names[PARTHENAY]) == ("Niort", "Parthenay et Bressuire")
        assert sites_of(wave) == (NIORT, PARTHENAY)
        assert composition(WAVE)[PARTHENAY] == {PARTHENAY, BRESSUIRE}


def test_no_answer_of_a_personal_link_is_shown_before_the_closing(answered: StaffSite) -> None:
    page = f"/gestion/resultats/{WAVE}"
    referent = answered.client()
    with answered.database():
        wave = find_wave(WAVE)
        assert wave is not None
        assert report_of(wave, before=shown_before(wave, live=True)).responses == 0
    before = referent.get(page).text
    assert "scellées jusqu’à la clôture" in before
    assert "77,8" not in before
    with referent.get(f"/gestion/exports/{WAVE}/resultats") as answer:
        sheet = answer.data.decode("utf-8-sig")
    assert {row["Base"] for row in csv.DictReader(io.StringIO(sheet), delimiter=";")} == {"0"}
    with answered.database():
        close()
    after = referent.get(page).text
    assert "scellées" not in after
    assert "77,8" in after


def test_the_page_names_the_strata_and_says_that_the_population_is_finite(answered: StaffSite) -> None:
    with answered.database():
        close()
    referent = answered.client()
    page = referent.get(f"/gestion/resultats/{WAVE}").text
    assert '<option value="niort">Niort</option>' in page
    assert "La population est connue" in page
    assert "sans pondération" in page
    assert "encore" not in page.partition("<h2>")[0]
    chosen = referent.get(f"/gestion/resultats/{WAVE}?site=bressuire").text
    assert "71,9 – 86,0" in chosen.replace("\u00a0", " ")  # 41/57 and 49/57


def test_the_workbook_names_n_of_every_stratum(answered: StaffSite) -> None:
    with answered.database():
        close()
    with answered.client().get(f"/gestion/exports/{WAVE}/classeur") as answer:
        content = answer.data
    sheet = load_workbook(io.BytesIO(content))["Méthode"]
    facts = {row[0]: row[1] for row in sheet.iter_rows(values_only=True) if row[0]}
    assert str(facts["Population"]).startswith("256 (correction appliquée)")
    assert {facts[f"Population\u00a0: {name}"] for name in ("Niort", "Parthenay", "Bressuire")} == {
        121,
        78,
        57,
    }


def test_strata_come_in_the_order_in_which_they_were_frozen(site: StaffSite) -> None:
    with site.database():
        seed_officials(merged={NIORT: BRESSUIRE})
        frame = frame_of(WAVE)
        assert frame is not None
        assert [stratum.code for stratum in strata_of(frame)] == [PARTHENAY, BRESSUIRE]


@pytest.mark.abuse("AC-23")
def test_staff_read_no_figure_of_fewer_than_eleven_officials_either(site: StaffSite) -> None:
    """The official is promised it; from visitors at a desk, five are enough."""
    with site.database():
        seed_officials()
        add_answers(68, 22, NIORT)
        add_answers(40, 10, PARTHENAY)
        add_answers(6, 2, BRESSUIRE)
        close()
    page = site.client().get(f"/gestion/resultats/{WAVE}?site=bressuire").text
    assert "Moins de 11 personnes" in page
    assert "75,0" not in page


@pytest.mark.parametrize(("role", "rows"), [("referent", True), ("assistant", False), ("director", False)])
def test_the_answers_of_officials_one_by_one_are_for_the_referent_alone(
    answered: StaffSite, role: str, rows: bool
) -> None:
    """Their pages, mails and letters say so."""
    with answered.database():
        close()
    client, files = answered.client(role), f"/gestion/exports/{WAVE}"
    for name in ("reponses", "reponses-internes", "recalculer"):
        with client.get(f"{files}/{name}") as answer:
            assert answer.status_code == (200 if rows else 404)
    with client.get(f"{files}/classeur") as answer:
        assert ("Réponses" in load_workbook(io.BytesIO(answer.data)).sheetnames) is rows
    page = client.get(files).text
    assert ("vous seule lisez leurs réponses une par une" in page) is rows
    assert "le référent et son assistant" not in page
    assert "une à une" not in page or rows
