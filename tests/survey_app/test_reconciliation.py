"""The reconciliation of a wave, on the page and as a file; a wave with an unexplained gap is not sealed."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from survey_app import waves
from survey_app.clock import PARIS
from survey_app.database import db, write_transaction
from survey_app.device_models import Device, GapExplanation
from survey_app.responses.intake import judge_waiting
from survey_app.waves import WaveError
from tests.page_checks import assert_good_pages
from tests.survey_app.staff_site import WAVE, StaffSite, post, seed_wave
from tests.survey_app.tablet_chains import a_device, chained, receive

PAGE = f"/gestion/editions/{WAVE}/rapprochement"
SEAL = f"/gestion/editions/{WAVE}/sceller"


@pytest.fixture
def site(tmp_path: Path) -> StaffSite:
    made = StaffSite(tmp_path)
    with made.database():
        seed_wave(1, 0)
    return made


def a_tablet(site: StaffSite, arrived: list[int], *, saved: int = 12, **facts: Any) -> str:
    """A tablet that saved so many interviews, of which these numbers arrived and were judged."""
    with site.database():
        device = a_device(high_seq=saved, **facts)
        texts = chained(device, range(1, saved + 1))
        receive(device, [texts[number - 1] for number in arrived])
        judge_waiting(now=datetime.now(tz=UTC) + timedelta(days=1))
    return device


def close(site: StaffSite) -> None:
    with site.database():
        waves.close_wave(WAVE, actor="test")


def heard(site: StaffSite, device: str, at: datetime | None = None, **said: Any) -> None:
    """The tablet calls, now or at that moment."""
    with site.database(), write_transaction() as transaction:
        for name, value in {"last_contact_at": at or datetime.now(tz=UTC), **said}.items():
            setattr(transaction.get_one(Device, device), name, value)


def why_not_seal(site: StaffSite) -> str:
    with site.database():
        wave = waves.find_wave(WAVE)
        assert wave is not None
        return waves.why_not("seal", wave)


def explanation(
    device: str, first: int, last: int, reason: str = "Tablette volée le 12 mars"
) -> dict[str, str]:
    return {"device": device, "first": str(first), "last": str(last), "reason": reason}


def lines(client: FlaskClient) -> list[dict[str, str]]:
    answer = client.get(f"{PAGE}.csv")
    assert answer.headers["Content-Disposition"] == f"attachment; filename=rapprochement-{WAVE}.csv"
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))


def test_the_page_says_how_many_were_saved_arrived_and_miss(site: StaffSite) -> None:
    a_tablet(site, list(range(1, 13)))
    a_tablet(site, [1, 2, 4, 8], saved=8, name="Accueil-3")
    a_tablet(site, [], saved=0, name="Accueil-4")
    page = site.client("technician").get(PAGE).text
    assert "Accueil-2\u00a0: 12 passés, 12 reçus, 0 manquant." in page
    assert "Accueil-3\u00a0: 8 passés, 4 reçus, 4 manquants." in page
    assert "5 à 7" in page
    assert page.index("Accueil-3") < page.index("Accueil-2")
    assert "Sans questionnaire dans cette édition\u00a0: Accueil-4" in page
    assert "Expliquer ce manque" not in page  # the referent alone
    assert "Expliquer ce manque" in site.client().get(PAGE).text


def test_the_file_says_the_same(site: StaffSite) -> None:
    device = a_tablet(site, [1, 2, 4, 8], saved=8)
    client = site.client()
    assert post(client, PAGE, explanation(device, 5, 7)).status_code == 303
    (line,) = lines(client)
    counted = ("Passés", "Reçus", "Manquants", "Manquants sans explication", "Numéros manquants")
    assert [line[name] for name in counted] == ["8", "4", "4", "1", "3, 5 à 7"]
    assert line["Explications"] == "5 à 7\u00a0: Tablette volée le 12 mars"


def test_a_cloned_tablet_is_shown_and_both_records_are_counted(site: StaffSite) -> None:
    device = a_tablet(site, [1, 2, 3], saved=3)
    with site.database():
        receive(device, chained(device, [3], prev="e" * 64))
    client = site.client()
    page = client.get(PAGE).text
    assert "deux tablettes, une inscription" in page
    assert "est venu plusieurs fois" in page
    assert "Accueil-2\u00a0: 4 passés, 4 reçus, 0 manquant." in page, "questionnaires, as everywhere else"
    assert lines(client)[0]["Numéros venus de deux tablettes"] == "3"
    assert lines(client)[0]["Reçus"] == "4"
    assert "Deux tablettes se servent de la même inscription" in client.get("/gestion/tablettes").text


def test_a_wave_with_an_unexplained_gap_is_not_sealed_until_the_referent_answers_for_it(
    site: StaffSite,
) -> None:
    device = a_tablet(site, [1, 2, 4], saved=4)
    close(site)
    heard(site, device)
    client = site.client()
    answer = client.get(SEAL)
    assert answer.status_code == 422
    assert "«\u202fAccueil-2\u202f» (3)" in answer.text
    with site.database(), pytest.raises(WaveError, match="jamais arrivés"):
        waves.seal_wave(WAVE, actor="test")
    assert post(client, PAGE, explanation(device, 3, 3)).status_code == 303
    assert "Numéros manquants expliqués" in client.get("/gestion/journal").text
    page = client.get(PAGE).text
    assert "Tablette volée le 12 mars" in page
    assert "referent@prefecture.test.fr" in page
    assert post(client, SEAL).status_code == 303
    with site.database():
        wave = waves.find_wave(WAVE)
        assert wave is not None
        assert wave.state == "sealed"


def test_a_gap_that_arrives_late_needs_no_explanation(site: StaffSite) -> None:
    with site.database():
        device = a_device(high_seq=2)
        texts = chained(device, [1, 2])
        receive(device, texts[1:])
    close(site)
    heard(site, device)
    with site.database():
        judge_waiting(now=datetime.now(tz=UTC) + timedelta(days=1))
        with pytest.raises(WaveError, match="jamais arrivés"):
            waves.seal_wave(WAVE, actor="test")
        receive(device, texts)
        judge_waiting(now=datetime.now(tz=UTC) + timedelta(days=1))
        waves.seal_wave(WAVE, actor="test")


def test_a_tablet_of_another_site_holds_nothing_up_unless_it_sent_for_the_wave(site: StaffSite) -> None:
    with site.database():
        elsewhere = a_device(high_seq=3, site="immigration")
    close(site)
    with site.database():
        wave = waves.find_wave(WAVE)
        assert wave is not None
        assert waves.why_not("seal", wave) == ""
        receive(elsewhere, chained(elsewhere, [1]))
        judge_waiting(now=datetime.now(tz=UTC) + timedelta(days=1))
        db.session.rollback()
        assert "2 à 3" in waves.why_not("seal", wave)


@pytest.mark.parametrize(
    "change", [{"reason": " "}, {"reason": "perdue"}, {"first": "1"}, {"last": "9"}, {"first": "x"}]
)
def test_an_explanation_of_something_else_is_refused_and_told(
    site: StaffSite, change: dict[str, str]
) -> None:
    device = a_tablet(site, [1, 2, 4], saved=4)
    client = site.client()
    assert post(client, PAGE, {**explanation(device, 3, 3), **change}).status_code == 422
    assert post(client, PAGE, explanation("unknown", 3, 3)).status_code == 404
    with site.database():
        assert db.session.query(GapExplanation).count() == 0


def test_the_tablets_are_shown_the_worst_first_with_the_reason_in_words(site: StaffSite) -> None:
    fresh = {"last_contact_at": datetime.now(tz=UTC), "waiting": 0}
    a_tablet(site, [1], saved=1, name="Bien", **fresh)
    a_tablet(site, [1], saved=1, name="Pleine", **{**fresh, "waiting": 3})
    a_tablet(site, [1], saved=3, name="Perdue", **fresh)
    a_tablet(site, [1], saved=1, name="Rendue", state="revoked", revoked_at=datetime.now(tz=UTC), **fresh)
    page = site.client().get("/gestion/tablettes").text
    places = [page.index(f"<h2>{name}") for name in ("Perdue", "Pleine", "Bien", "Rendue")]
    assert places == sorted(places)
    for words in ("✖ à traiter", "▲ à surveiller", "✔ tout va bien", "○ hors service"):
        assert words in page
    assert "2 questionnaires ne sont jamais arrivés (numéros manquants\u00a0: 2 à 3)" in page
    assert "Ce qu’elle envoie encore est gardé à part" in page


def test_the_first_page_names_the_tablets_that_are_not_well(site: StaffSite) -> None:
    fresh = {"last_contact_at": datetime.now(tz=UTC), "waiting": 0}
    a_tablet(site, [1], saved=1, name="Bien", **fresh)
    a_tablet(site, [1], saved=2, name="Perdue", **fresh)
    page = site.client("technician").get("/gestion/").text
    assert "«\u202fPerdue\u202f» (Accueil général)\u00a0: 1 questionnaire n’est jamais arrivé" in page
    assert "Bien" not in page


def test_both_pages_are_good_pages(site: StaffSite) -> None:
    device = a_tablet(site, [1, 2, 4, 8], saved=9, battery_percent=12, waiting=3, languages=["fr", "ar"])
    with site.database():
        receive(device, chained(device, [8], prev="e" * 64))
    client = site.client()
    post(client, PAGE, explanation(device, 5, 6))
    addresses = {"reconciliation": PAGE, "tablets": "/gestion/tablettes", "wave": f"/gestion/editions/{WAVE}"}
    assert_good_pages({name: (client.get(address).text, "fr") for name, address in addresses.items()})


def test_a_tablet_not_heard_since_the_wave_ended_may_hold_more_and_holds_the_seal_up(site: StaffSite) -> None:
    device = a_tablet(site, [1, 2], saved=2)
    heard(site, device)
    assert "n’a eu de ses nouvelles" not in site.client().get(PAGE).text  # nobody expects its last word yet
    close(site)
    assert "Sans nouvelles depuis la fin de l’édition\u00a0: «\u202fAccueil-2\u202f»" in why_not_seal(site)
    page = site.client().get(PAGE).text
    assert "Accueil-2\u00a0: 2 passés, 2 reçus, 0 manquant." in page
    assert "n’a eu de ses nouvelles" in page
    heard(site, device)
    assert why_not_seal(site) == ""


def test_the_referent_answers_for_a_tablet_that_will_not_be_heard_again(site: StaffSite) -> None:
    device = a_tablet(site, [1, 2], saved=2)
    close(site)
    client, words = site.client(), {"device": device, "kind": "silent", "reason": "Volée le 12 mars"}
    assert post(client, PAGE, {**words, "kind": "forked"}).status_code == 422
    assert post(client, PAGE, {**words, "reason": " "}).status_code == 422
    assert post(client, PAGE, words).status_code == 303
    assert post(client, PAGE, words).status_code == 422, "said once"
    assert "Volée le 12 mars" in client.get(PAGE).text
    assert "Tablette douteuse expliquée" in client.get("/gestion/journal").text
    (line,) = lines(client)
    assert (line["Sans nouvelles depuis la fin"], line["Explications"]) == (
        "oui",
        "sans nouvelles\u00a0: Volée le 12 mars",
    )
    assert why_not_seal(site) == ""


def test_one_that_never_gave_news_is_no_tablet_without_a_questionnaire(site: StaffSite) -> None:
    a_tablet(site, [], saved=0)
    close(site)
    page = site.client().get(PAGE).text
    assert "N’a jamais donné de nouvelles" in page
    assert "Sans questionnaire dans cette édition" not in page


def test_the_last_word_of_a_revoked_tablet_is_what_it_said_after_that(site: StaffSite) -> None:
    device, at = a_tablet(site, [1, 2], saved=2), datetime.now(tz=UTC)
    heard(site, device, at, state="revoked", revoked_at=at)
    close(site)
    assert why_not_seal(site) == ""
    heard(site, device, at - timedelta(hours=2))
    assert "Sans nouvelles" in why_not_seal(site)


def test_a_tablet_enrolled_after_the_wave_holds_nothing_of_it(site: StaffSite) -> None:
    close(site)
    a_tablet(site, [], saved=0)
    assert why_not_seal(site) == ""


def test_two_tablets_under_one_identity_hold_the_seal_up_until_somebody_looked(site: StaffSite) -> None:
    device = a_tablet(site, [1, 2], saved=2)
    with site.database():
        receive(device, chained(device, [2], prev="e" * 64))
        judge_waiting(now=datetime.now(tz=UTC) + timedelta(days=1))
    close(site)
    heard(site, device)
    assert "Deux tablettes sous une même inscription\u00a0: «\u202fAccueil-2\u202f»" in why_not_seal(site)
    words = {"device": device, "kind": "forked", "reason": "Les deux sont ici, vides."}
    assert post(site.client(), PAGE, words).status_code == 303
    assert why_not_seal(site) == ""


def test_a_fork_of_an_earlier_wave_holds_no_later_one_up(site: StaffSite) -> None:
    device = a_tablet(site, [1, 2], saved=4)
    with site.database():
        receive(device, chained(device, [3, 3], prev="e" * 64, wave="une-autre"))
        receive(device, chained(device, [4]))
        judge_waiting(now=datetime.now(tz=UTC) + timedelta(days=1))
    assert "est venu plusieurs fois" not in site.client().get(PAGE).text


def test_what_waits_on_a_tablet_follows_what_came_since_it_spoke(site: StaffSite) -> None:
    device = a_tablet(site, [1, 2], saved=4)
    heard(site, device, waiting=2, drafts=0, held=[[3, 4]])
    client = site.client()
    page = client.get(PAGE).text
    assert "2 envois attendent encore sur la tablette." in page
    assert "jamais arrivé" not in client.get("/gestion/tablettes").text
    with site.database():
        receive(device, chained(device, [3]))
    assert "1 envoi attend encore sur la tablette." in client.get(PAGE).text
    with site.database():
        receive(device, chained(device, [4]))
    assert "encore sur la tablette" not in client.get(PAGE).text
    assert lines(client)[0]["Encore sur la tablette"] == "0"
    assert "attend" not in client.get("/gestion/tablettes").text.split("<h2>Codes")[0].split("<dl")[0]


def test_an_older_application_s_count_follows_what_came_since_too(site: StaffSite) -> None:
    device = a_tablet(site, [1, 2], saved=4)
    heard(site, device, waiting=2)
    with site.database():
        receive(device, chained(device, [3, 4]))
    assert "encore sur la tablette" not in site.client().get(PAGE).text


def test_what_the_tablet_still_holds_is_explained_only_by_whoever_says_that_it_is_lost(
    site: StaffSite,
) -> None:
    device = a_tablet(site, [1], saved=3)
    close(site)
    heard(site, device, waiting=2, held=[[2, 3]])
    assert "encore sur ces tablettes\u00a0: «\u202fAccueil-2\u202f» (2 à 3)" in why_not_seal(site)
    client = site.client()
    page = client.get(PAGE).text
    assert "la tablette dit qu’elle les garde" in page
    assert "jamais arrivé" not in page
    answer = post(client, PAGE, explanation(device, 2, 3))
    assert answer.status_code == 422
    assert "garde encore ces questionnaires" in answer.text
    assert post(client, PAGE, {**explanation(device, 2, 3), "confirmed": "1"}).status_code == 303
    assert why_not_seal(site) == ""


def test_the_total_says_whether_all_some_or_none_of_what_is_missing_is_explained(site: StaffSite) -> None:
    device = a_tablet(site, [1, 3, 5], saved=5)
    client = site.client()
    assert "aucun n’est expliqué" in client.get(PAGE).text
    post(client, PAGE, explanation(device, 2, 2))
    assert "dont certains sans explication" in client.get(PAGE).text
    post(client, PAGE, explanation(device, 4, 4))
    assert "tous expliqués" in client.get(PAGE).text


def test_a_closed_wave_says_when_what_waits_will_be_read_at_the_latest(site: StaffSite) -> None:
    with site.database():
        device = a_device(high_seq=1)
        receive(device, chained(device, [1]))
    close(site)
    heard(site, device)
    latest = (datetime.now(tz=PARIS) + timedelta(minutes=2)).strftime("%H:%M")
    before = (datetime.now(tz=PARIS) + timedelta(minutes=1)).strftime("%H:%M")
    said = why_not_seal(site)
    assert f"au plus tard à {latest}." in said or f"au plus tard à {before}." in said
    assert said in unescape(site.client().get("/gestion/").text), "the first page does not say « scellez-la »"
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(minutes=10)):
        assert "voyez «\u202fRéponses à revoir\u202f»" in why_not_seal(site)


def test_the_first_page_says_one_reason_once_for_all_its_tablets(site: StaffSite) -> None:
    told = {"last_contact_at": datetime.now(tz=UTC), "persisted": False}
    for name in ("Accueil-2", "Accueil-3"):
        a_tablet(site, [1], saved=1, name=name, **told)
    page = site.client().get("/gestion/").text
    assert page.count("peut effacer ce qu’elle garde") == 1
    assert (
        "«\u202fAccueil-2\u202f» (Accueil général), «\u202fAccueil-3\u202f» (Accueil général)\u00a0:" in page
    )
