"""« Réponses à revoir »: what was set aside, by whom and why; one response found by its reference."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from survey_app import waves
from survey_app.database import db, write_connection
from survey_app.form_records import reference_of
from survey_app.models import Response
from survey_app.responses import counting, counts, set_aside, tallies
from survey_app.staff import responses as page_of_responses
from tests.page_checks import assert_good_pages
from tests.survey_app.staff_site import WAVE, StaffSite, another_edition, post
from tests.survey_app.test_results_page import text_of

PAGE = f"/gestion/reponses/{WAVE}"
pytestmark = pytest.mark.usefixtures("open_edition")


def record_ids(site: StaffSite) -> list[str]:
    with site.database():
        return list(db.session.scalars(sa.select(Response.record_id).order_by(Response.record_id)))


def reference(site: StaffSite, record_id: str) -> str:
    return reference_of(record_id, site.app.config["SECRET_KEY"])


def part(page: str, name: str) -> str:
    """The words of the table with this name."""
    found = re.search(rf'aria-label="{name}".*?</section>', page, re.DOTALL)
    return text_of(found[0]) if found else ""


def found_in(client: FlaskClient, searched: str) -> str:
    return part(client.get(PAGE, query_string={"reference": searched}).text, "Réponse trouvée")


def test_what_was_set_aside_is_listed_with_its_reason_who_and_when(site: StaffSite) -> None:
    one, other, back, *_ = record_ids(site)
    at = dt.datetime(2026, 3, 10, 9, 30, tzinfo=dt.UTC)
    with site.database():
        set_aside.set_aside(one, reason="abuse", note="Insultes", by="a@test.fr", now=at, wave_id=WAVE)
        set_aside.set_aside(other, reason="test", by="b@test.fr", wave_id=WAVE)
        set_aside.set_aside(back, reason="test", by="c@test.fr", wave_id=WAVE)
        set_aside.reinstate(back, reason="reviewed", by="c@test.fr", wave_id=WAVE)
    listed = part(site.client().get(PAGE).text, "Réponses écartées")
    for words in (one[:8], "Abus", "Insultes", "a@test.fr", "10 mars 2026 à 10:30", other[:8], "b@test.fr"):
        assert words in listed, words
    assert "c@test.fr" not in listed
    assert listed.index(other[:8]) < listed.index(one[:8])


def test_what_the_intake_replaced_by_itself_is_not_in_the_list(site: StaffSite) -> None:
    with site.database(), write_connection() as connection:
        response = connection.execute(sa.select(*Response.__table__.columns)).first()
        now = dt.datetime.now(dt.UTC)
        set_aside.decide(connection, response, counting.SET_ASIDE, set_aside.SUPERSEDED, "", "intake", now)
    assert "intake" not in part(site.client().get(PAGE).text, "Réponses écartées")


def test_the_lists_are_cut_into_pages(site: StaffSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_of_responses, "PER_PAGE", 5)
    ids = record_ids(site)
    with site.database():
        for record_id in ids[:12]:
            set_aside.set_aside(record_id, reason="test", by="a@test.fr", wave_id=WAVE)
    client, seen = site.client(), []
    for number in (1, 2, 3):
        page = client.get(PAGE, query_string={"ecartees": number}).text
        seen.append([x for x in ids if x[:8] in part(page, "Réponses écartées")])
        assert ("Page suivante" in page) == (number < 3)
        assert ("Page précédente" in page) == (number > 1)
    assert [len(page) for page in seen] == [5, 5, 2]
    assert sorted(one for page in seen for one in page) == ids[:12]
    for odd in ("0", "-3", "x", "9" * 30):
        assert client.get(PAGE, query_string={"ecartees": odd, "signalees": odd}).status_code == 200


@pytest.mark.parametrize(
    "written",
    [str, str.lower, lambda r: r.replace("-", " "), lambda r: r.replace("O", "0").replace("I", "1")],
)
def test_the_reference_of_the_last_page_finds_its_response(site: StaffSite, written: object) -> None:
    assert callable(written)
    client = site.client()
    ids = record_ids(site)
    for record_id in ids:
        found = found_in(client, written(reference(site, record_id)))
        assert [one for one in ids if one[:8] in found] == [record_id]


def test_the_page_of_a_found_response_and_of_one_set_aside_is_a_good_page(site: StaffSite) -> None:
    record_id = record_ids(site)[0]
    with site.database():
        set_aside.set_aside(record_id, reason="abuse", note="<b>Mot</b>", by="a@test.fr", wave_id=WAVE)
    page = site.client().get(PAGE, query_string={"reference": reference(site, record_id)}).text
    assert "&lt;b&gt;Mot" in page
    assert_good_pages({"found": (page, "fr")})


def test_a_response_found_by_its_reference_is_set_aside_and_counted_again(site: StaffSite) -> None:
    record_id = record_ids(site)[3]
    client, asked = site.client(), reference(site, record_id)
    page = client.get(PAGE, query_string={"reference": asked}).text
    assert f'name="reponse" value="{record_id}"' in page
    form = {"reponse": record_id, "reason": "withdrawn"}
    assert post(client, PAGE, {**form, "decision": "set_aside"}).status_code == 303
    found = found_in(client, asked)
    assert "Retirée à la demande de la personne" in found
    assert "referent@prefecture.test.fr" in found
    with site.database():
        assert counts.fieldwork(WAVE).counted == 15
    assert post(client, PAGE, {**form, "decision": "count"}).status_code == 303
    assert " oui " in found_in(client, asked)
    assert record_id[:8] not in part(client.get(PAGE).text, "Réponses écartées")
    with site.database():
        assert counts.fieldwork(WAVE).counted == 16


def test_the_decision_stands_with_its_line_and_leads_back_to_its_list(
    site: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_responses, "PER_PAGE", 2)
    ids = record_ids(site)[:4]
    with site.database():
        for record_id in ids:
            set_aside.set_aside(record_id, reason="test", by="a@test.fr", wave_id=WAVE)
    client, page = site.client(), f"{PAGE}?ecartees=2"
    form = re.search(
        rf'action="([^"]+)">(?:(?!</form>).)*value="{ids[0]}"(?:(?!</form>).)*</form>',
        client.get(page).text,
        re.DOTALL,
    )
    assert form is not None
    assert form[1] == page
    sent = dict(re.findall(r'(?:type="hidden"|class="second") name="(\w+)" value="([^"]*)"', form[0]))
    assert sent["decision"] == "count"
    answer = client.post(form[1], data={**sent, "reason": "reviewed"})
    assert answer.location == f"{page}#ecartees"
    after = client.get(page).text
    beside = after.index(f"La réponse {ids[0][:8]} est comptée à nouveau.")
    assert after.index('id="ecartees"') < beside < after.index('aria-label="Réponses écartées"')
    elsewhere = post(client, PAGE, {"reponse": ids[1], "reason": "test", "retour": "//ailleurs"})
    assert elsewhere.location == PAGE


def test_a_line_says_what_was_answered_in_the_words_of_the_questionnaire(site: StaffSite) -> None:
    record_id = record_ids(site)[0]
    with site.database(), write_connection() as connection:
        row = connection.execute(sa.select(*Response.__table__.columns)).first()
        assert row is not None
        odd = {**row._mapping, "record_id": "f" * 8 + record_id[8:], "flags": ["unknown_answer"]}
        odd |= {"answers": {"courtesy": ["very_satisfied"]}, "other_answers": {"bus": ["<b>"]}}
        connection.execute(sa.insert(Response).values(odd))
    listed = part(site.client().get(PAGE).text, "Réponses signalées")
    assert re.search(r"La courtoisie\s+Très bien", listed)
    assert re.search(r"bus\s+gardée à part, non comptée\s+&lt;b&gt;", listed)
    assert "very_satisfied" not in listed


def test_nothing_is_offered_that_cannot_be_decided(site: StaffSite) -> None:
    record_id = record_ids(site)[0]
    asked = {"reference": reference(site, record_id)}
    assert "Écarter cette réponse" in site.client().get(PAGE, query_string=asked).text
    with site.database():
        waves.close_wave(WAVE, actor="test")
        waves.seal_wave(WAVE, actor="test")
    page = site.client().get(PAGE, query_string=asked).text
    assert "rien ne se décide plus ici" in page
    assert 'name="reponse"' not in page


@pytest.mark.parametrize("searched", ["AAAA-AAAA", "x", "é" * 500, "%", "'; --"])
def test_a_reference_of_nothing_finds_nothing_and_says_so(site: StaffSite, searched: str) -> None:
    page = site.client().get(PAGE, query_string={"reference": searched})
    assert page.status_code == 200
    assert "Aucune réponse de cette édition ne porte cette référence." in page.text


def test_a_reference_finds_nothing_in_another_edition(site: StaffSite) -> None:
    record_id = record_ids(site)[0]
    with site.database():
        another_edition()
    page = site.client().get(
        "/gestion/reponses/autre-2026", query_string={"reference": reference(site, record_id)}
    )
    assert record_id not in page.text


def test_only_the_referent_searches(site: StaffSite) -> None:
    asked = reference(site, record_ids(site)[0])
    for role in ("assistant", "director", "reader", "contributor", "technician"):
        assert site.client(role).get(PAGE, query_string={"reference": asked}).status_code == 403


def test_a_response_found_by_its_reference_can_be_erased_once_confirmed(site: StaffSite) -> None:
    one, *others = record_ids(site)
    client = site.client()
    assert "Effacer cette réponse" not in client.get(PAGE).text
    assert "Effacer cette réponse" in found_in(client, reference(site, one))
    refused = post(client, f"{PAGE}/effacer", {"numero": one}, page=PAGE)
    assert "Cochez la case" in refused.text
    assert record_ids(site) == [one, *others]
    post(client, f"{PAGE}/effacer", {"numero": one, "confirme": "1"}, page=PAGE)
    assert record_ids(site) == others
    assert "est effacée" in client.get(PAGE).text


def arrive(*flags: str, practice: bool = False) -> str:
    """One more response of the edition, with these flags; gives its number."""
    with write_connection() as connection:
        row = dict(connection.execute(sa.select(*Response.__table__.columns)).mappings().first() or {})
        own = {"record_id": str(uuid.uuid4()), "flags": list(flags), "practice": practice}
        connection.execute(sa.insert(Response), [row | own])
        tallies.rebuild(connection, WAVE)
    return str(own["record_id"])


def flagged_on_the_home_page(site: StaffSite, role: str) -> str:
    found = re.search(r'<a href="([^"]*)">[^<]*signalées? ne', site.client(role).get("/gestion/").text)
    return found[1] if found else ""


def test_the_home_page_leads_to_flagged_responses_until_somebody_decides(site: StaffSite) -> None:
    assert flagged_on_the_home_page(site, "referent") == ""
    with site.database():
        first, second = arrive("burst"), arrive("late", "revoked_device")
        arrive("late")
        arrive("unknown_digest")
        arrive("burst", practice=True)
        assert counts.undecided(WAVE) == 2, "not what counts all the same, nor what never can"
    page = site.client().get("/gestion/").text
    assert "2 réponses signalées ne comptent pas. À revoir avant de sceller l’édition." in page
    assert flagged_on_the_home_page(site, "referent") == f"{PAGE}#signalees"
    assert flagged_on_the_home_page(site, "assistant") == "", "who cannot decide is not asked to"
    with site.database():
        set_aside.reinstate(first, reason="reviewed", by="a@test.fr", wave_id=WAVE)
    client, form = site.client(), {"reponse": second, "reason": "abuse", "decision": "set_aside"}
    assert "Laisser hors des chiffres" in client.get(PAGE).text
    assert post(client, PAGE, form).status_code == 303
    with site.database():
        assert counts.undecided(WAVE) == 0
        assert set_aside.set_aside(second, reason="test", by="a@test.fr", wave_id=WAVE) is False
        assert counts.fieldwork(WAVE).counted == 18, "16, the one that is late, and the one reinstated"
        with write_connection() as connection:
            assert tallies.differences(connection, WAVE) == []
    assert second[:8] in part(client.get(PAGE).text, "Réponses écartées")
    assert flagged_on_the_home_page(site, "referent") == ""


def test_a_closed_edition_still_asks_about_flagged_responses_and_a_sealed_one_no_more(
    site: StaffSite,
) -> None:
    with site.database():
        arrive("closed_wave")
        waves.close_wave(WAVE, actor="test")
    assert flagged_on_the_home_page(site, "referent") == f"{PAGE}#signalees"
    with site.database():
        waves.seal_wave(WAVE, actor="test")
    assert flagged_on_the_home_page(site, "referent") == ""
