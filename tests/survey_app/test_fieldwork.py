"""The follow-up of a wave by personal link: AAPOR's rates, and small counts for the referent alone."""

from __future__ import annotations

import csv
import io
import re

import pytest

from survey_app import waves
from survey_app.access import ASSISTANT, CONTRIBUTOR, DIRECTOR, READER, TECHNICIAN
from survey_app.database import db
from survey_app.fieldwork import FollowUp, Participation, follow_up
from survey_app.models import Wave
from survey_app.strata import frame_of
from tests.survey_app.officials_site import (
    BRESSUIRE,
    NIORT,
    PARTHENAY,
    WAVE,
    seed_officials,
    send_mails,
    set_states,
)
from tests.survey_app.staff_site import StaffSite, a_plan

PAGE = f"/gestion/editions/{WAVE}/suivi"


@pytest.fixture
def asked(site: StaffSite) -> StaffSite:
    """256 communes; some answered, three refused, two could not be reached, two mails came back."""
    with site.database():
        seed_officials()
        send_mails(["bounced", "refused"])
        set_states(NIORT, {"answered": 60, "declined": 2, "objected": 1, "unreachable": 2, "withdrawn": 1})
        set_states(PARTHENAY, {"answered": 40, "wrong_person": 6})
        set_states(BRESSUIRE, {"answered": 20, "declined": 7})
    return site


def found(site: StaffSite) -> FollowUp:
    with site.database():
        frame = frame_of(WAVE)
        assert frame is not None
        return follow_up(frame)


def table(site: StaffSite, role: str | None) -> dict[str, dict[str, str]]:
    client = site.client(role) if role else site.client()
    answer = client.get(f"{PAGE}.csv")
    assert answer.status_code == 200
    rows = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";")
    return {row["Territoire"]: row for row in rows}


def test_everybody_in_the_list_has_one_disposition(asked: StaffSite) -> None:
    niort, parthenay, bressuire = found(asked).strata
    assert niort == Participation(
        complete=60,
        refused=3,
        unreachable=2,
        ineligible=1,
        unknown=55,
        by_letter=0,
        delivered=119,
        started=60,
    )
    assert (parthenay.unreachable, bressuire.refused) == (6, 7)
    assert found(asked).whole.invited == 256


def test_s7_the_rates_are_aapors_by_name(asked: StaffSite) -> None:
    rows = table(asked, None)
    assert rows["Niort"]["Taux de réponse (RR1)"] == repr(60 / 120).replace(".", ",")
    assert rows["Niort"]["Taux de coopération (COOP1)"] == repr(60 / 63).replace(".", ",")
    assert rows["Ensemble"]["Taux de refus (REF1)"] == repr(10 / 255).replace(".", ",")


def test_only_who_answered_may_tell_that_a_mail_was_read(asked: StaffSite) -> None:
    with asked.database():
        set_states(BRESSUIRE, {}, started=False)
    assert found(asked).whole.started == 120


def test_mails_of_the_results_do_not_count_as_delivered_invitations(site: StaffSite) -> None:
    with site.database():
        seed_officials({NIORT: 30, PARTHENAY: 30})
        send_mails(kind="results")
    assert found(site).whole.delivered == 0


@pytest.mark.abuse("AC-26")
def test_small_counts_are_for_the_referent_alone(asked: StaffSite) -> None:
    referent, assistant = table(asked, None), table(asked, ASSISTANT)
    assert referent["Niort"]["Refus"] == "3"
    assert assistant["Niort"]["Refus"] == "masqué"
    assert assistant["Niort"]["Ont répondu"] == "60"
    page = asked.client(DIRECTOR).get(PAGE).text
    assert "masqué" in page
    assert "masqué" not in asked.client().get(PAGE).text


@pytest.mark.abuse("AC-23")
def test_no_hidden_count_follows_from_its_neighbours(asked: StaffSite) -> None:
    rows = table(asked, ASSISTANT)
    ends = ["Ont répondu", "Refus", "Injoignables", "Hors champ", "Sans nouvelle"]
    for name in ("Niort", "Parthenay", "Bressuire"):
        hidden = [end for end in ends if rows[name][end] == "masqué"]
        assert len(hidden) != 1, (name, hidden)
        left = int(rows[name]["Invités"]) - sum(int(rows[name][end]) for end in ends if end not in hidden)
        assert not hidden or left >= 5
    for end in ends:
        column = [rows[name][end] for name in rows]
        assert column.count("masqué") != 1, (end, column)


@pytest.mark.abuse("AC-26")
def test_a_rate_does_not_give_a_hidden_count_away(asked: StaffSite) -> None:
    assistant = table(asked, ASSISTANT)["Niort"]
    assert assistant["Hors champ"] == "masqué"
    assert assistant["Taux de réponse (RR1)"] == ""
    assert assistant["Taux de refus (REF1)"] == ""


@pytest.mark.abuse("AC-26")
@pytest.mark.parametrize(
    "role, status", [(ASSISTANT, 200), (DIRECTOR, 200), (READER, 403), (CONTRIBUTOR, 403), (TECHNICIAN, 403)]
)
def test_who_may_read_the_follow_up(asked: StaffSite, role: str, status: int) -> None:
    assert asked.client(role).get(PAGE).status_code == status


@pytest.mark.abuse("AC-22")
def test_the_page_knows_no_time_and_nobody_by_name(asked: StaffSite) -> None:
    text = re.sub(r"<head>.*?</head>", "", asked.client().get(PAGE).text, flags=re.S)
    assert not re.search(r"\d\d:\d\d|Martin|Commune \d", text)


def test_the_referent_sees_how_many_answers_miss_for_six_points(asked: StaffSite) -> None:
    missing = found(asked).missing()
    assert set(missing) == {"Niort", "Parthenay", "Bressuire"}
    page = asked.client().get(PAGE).text
    assert re.search(
        rf"<th scope=\"row\">Bressuire</th>(<td.*?</td>)+<td[^>]*>{missing['Bressuire']}</td></tr>", page
    )
    assert "à obtenir encore" not in asked.client(ASSISTANT).get(PAGE).text


def test_where_every_answer_is_needed_the_page_says_all(site: StaffSite) -> None:
    """Of fifteen people, six points ask for everybody: the number alone would look like a joke."""
    with site.database():
        seed_officials({NIORT: 121, BRESSUIRE: 15})
    page = site.client().get(PAGE).text
    assert re.search(r"<th scope=\"row\">Bressuire</th>(<td.*?</td>)+<td[^>]*>toutes</td></tr>", page)


def test_the_first_page_says_how_many_answered_and_none_of_their_answers(asked: StaffSite) -> None:
    home = asked.client().get("/gestion/").text
    assert "120 réponses sur 256 invitations" in home
    assert "pour ±6 points" not in home
    assert "120 réponses" not in asked.client(READER).get("/gestion/").text


def test_a_wave_without_links_has_no_follow_up(site: StaffSite, open_edition: None) -> None:
    assert site.client().get("/gestion/editions/essai-2026/suivi").status_code == 404


def test_the_edition_leads_to_its_follow_up(asked: StaffSite) -> None:
    assert PAGE in asked.client().get(f"/gestion/editions/{WAVE}").text


def test_the_first_page_says_in_whole_words_what_the_director_may_know(site: StaffSite) -> None:
    with site.database():
        seed_officials()
        set_states(NIORT, {"answered": 3})
    home = site.client(DIRECTOR).get("/gestion/").text
    assert "Élus 2026\u00a0: 256 invitations." in home


def test_an_edition_that_cannot_open_beside_another_is_not_told_to(asked: StaffSite) -> None:
    with asked.database():
        digest = db.session.get_one(Wave, WAVE).questionnaire_digest
        modes = ("personal_link",)
        sites = ("a_distance",)
        late = a_plan(
            digest,
            id="retard",
            title="Élus bis",
            modes=modes,
            headline_modes=modes,
            sites=sites,
            headline_sites=sites,
        )
        waves.create_wave(late, actor="test")
    home = asked.client().get("/gestion/").text
    assert "Élus bis devait ouvrir le" in home
    assert "«\u202fÉlus 2026\u202f» est encore ouverte\u00a0: fermez-la d’abord." in home
    assert "Ouvrez-la" not in home


def test_after_the_closing_nothing_changes_a_published_rate(asked: StaffSite) -> None:
    with asked.database():
        waves.close_wave(WAVE, actor="test")
    before = found(asked)
    with asked.database():
        set_states(NIORT, {"objected": 5})
        set_states(PARTHENAY, {"unreachable": 7})
        send_mails(["bounced"] * 9, kind="invitation")
    assert found(asked) == before
    assert before.whole.complete == 120


def test_the_frozen_counts_follow_the_merging_of_strata(asked: StaffSite) -> None:
    with asked.database():
        waves.close_wave(WAVE, actor="test")
        frame = frame_of(WAVE)
        assert frame is not None
        frame.strata = [
            {**one, "merged_into": NIORT if one["code"] == BRESSUIRE else None} for one in frame.strata
        ]
        db.session.commit()
    niort, parthenay = found(asked).strata
    assert (niort.invited, niort.complete, parthenay.complete) == (121 + 57, 80, 40)
