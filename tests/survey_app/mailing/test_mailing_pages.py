"""The staff pages of the mails: written, previewed, tried, planned, followed, decided."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask.testing import FlaskClient

from survey_app.audit import latest
from survey_app.clock import PARIS, utc_now
from survey_app.database import db
from survey_app.invitation_models import Invitation
from survey_app.invitations import links
from survey_app.mailing import planning
from survey_app.mailing.sender import Sender
from survey_app.mailing.texts import INVITATION, REMINDER
from survey_app.models import Wave
from tests.page_checks import assert_good_pages
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay
from tests.survey_app.mailing.test_messages import part
from tests.survey_app.mailing.test_sending import Clock, drain
from tests.survey_app.staff_site import StaffSite, post

LIST = f"/gestion/editions/{field.WAVE}/envois"


def draft(site: StaffSite, kind: str = INVITATION) -> str:
    """The address of a new draft."""
    with site.database():
        return f"/gestion/envois/{planning.create_mailing(field.WAVE, kind, actor='test').id}"


def send_all(site: StaffSite, clock: Clock | None = None) -> None:
    with site.database():
        drain(Sender(site.app.extensions["survey_settings"], clock or Clock()), clock)


def plan_now(client: FlaskClient, page: str, cadence: str = "6000") -> str:
    now = utc_now().astimezone(PARIS).strftime("%Y-%m-%dT%H:%M")
    answer = post(client, f"{page}/programmer", {"quand": now, "cadence": cadence})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_mailing_is_written_previewed_planned_sent_and_followed(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client = site.client()
    page = post(client, LIST, {"kind": INVITATION}).headers["Location"]
    body = re.sub("[\n]", "\r\n", client.get(page).text.partition("<textarea")[2].partition(">\n")[2])
    body = body.partition("</textarea>")[0].replace("Je vous remercie", "Mes services vous remercient")
    saved = post(client, page, {"subject": "L'avis des élus : à vous !", "body": body})
    assert saved.headers["Location"] == f"{page}/apercu"
    shown = client.get(f"{page}/apercu").text
    assert "L’avis des élus\u00a0: à vous\u202f!" in shown
    assert "Mes services vous remercient" in shown
    plan = client.get(f"{page}/programmer?quand=2026-12-01T09:00&cadence=2").text
    assert "3 élus recevraient ce message" in plan
    send_page = plan_now(client, page)
    send_all(site)
    followed = client.get(send_page).text
    assert "Remis au relais" in followed
    assert "Terminé" in followed
    assert len(relay.accepted) == 3
    with site.database():
        acts = [entry.action for entry in latest(10)]
    assert acts[:3] == ["mailing-scheduled", "mailing-changed", "mailing-created"]


def test_the_faults_of_a_text_are_named_and_what_was_typed_stays(site: StaffSite, listed: list[str]) -> None:
    client = site.client()
    page = draft(site)
    answer = post(client, page, {"subject": "Bonjour {nome}", "body": "Cher {maire}"})
    assert answer.status_code == 422
    for told in ("Vouliez-vous dire {nom}", "{maire}", "Il manque {lien}", "Cher {maire}</textarea>"):
        assert told in answer.text


def test_the_preview_is_exactly_what_leaves_but_for_its_links(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client = site.client()
    page = draft(site)
    shown = client.get(f"{page}/apercu?destinataire={listed[0]}").text
    framed = client.get(f"{page}/apercu/page?destinataire={listed[0]}")
    plan_now(client, page)
    send_all(site)
    message = next(one.message for one in relay.accepted if one.recipients == ["mairie2@commune.test"])
    with site.database():
        invitation = db.session.get_one(Invitation, listed[0])
        real = [links.link_address(invitation), links.unsubscribe_address(invitation)]
    dead = [f"{field.PUBLIC}/r/exemple-sans-effet", f"{field.PUBLIC}/r/desinscription/exemple-sans-effet"]
    text, html = part(message, "plain"), part(message, "html")
    for one, other in zip(real, dead, strict=True):
        assert one not in shown + framed.text
        text, html = text.replace(one, other), html.replace(one, other)
    assert html == framed.text.replace("\r\n", "\n")
    assert all(line in shown.replace("&#39;", "'") for line in text.splitlines())


@pytest.mark.abuse("AC-14")
def test_the_dead_link_of_a_preview_opens_nothing(site: StaffSite, listed: list[str]) -> None:
    assert "Rien n’a changé" in site.app.test_client().post("/r/desinscription/exemple-sans-effet").text


def test_a_mail_in_its_frame_can_do_nothing(site: StaffSite, listed: list[str]) -> None:
    client, page = site.client(), draft(site)
    framing, framed = client.get(f"{page}/apercu"), client.get(f"{page}/apercu/page")
    assert framing.headers.getlist("Content-Security-Policy")[0].endswith("; frame-src 'self'")
    policy = framed.headers.getlist("Content-Security-Policy")
    assert len(policy) == 1
    assert policy[0].startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'")
    assert '<iframe class="mail-page" sandbox ' in framing.text
    assert framed.headers["Cache-Control"] == "no-store"


def test_a_trial_goes_to_oneself_through_the_real_relay(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client, page = site.client("director"), draft(site)
    answer = post(client, f"{page}/essai", page=f"{page}/apercu")
    assert answer.status_code == 303
    one = relay.accepted[0]
    assert one.recipients == ["director@prefecture.test.fr"]
    assert one.message["Subject"].startswith("[Essai] Enquête annuelle")
    assert "exemple-sans-effet" in part(one.message, "plain")
    with site.database():
        assert field.states() == []


def test_a_trial_that_the_relay_refuses_says_why(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client, page = site.client(), draft(site)
    relay.rcpt_replies = ["550 5.7.1 Relay access denied"]
    answer = post(client, f"{page}/essai", page=f"{page}/apercu")
    assert answer.status_code == 422
    assert "550 5.7.1 Relay access denied" in answer.text


def test_the_plan_says_who_gets_what_and_when(site: StaffSite, listed: list[str]) -> None:
    with site.database():
        field.change_invitation(listed[0], state="answered")
        field.change_invitation(listed[1], email="mairie4@commune.test")
    client, page = site.client(), draft(site, REMINDER)
    day = (utc_now() + dt.timedelta(days=1)).astimezone(PARIS)
    plan = client.get(f"{page}/programmer?quand={day:%Y-%m-%d}T09:00&cadence=1").text
    assert "2 élus recevraient ce message" in plan
    assert "dans 1 boîte aux lettres" in plan
    assert re.search(r"<li>1\s*: a déjà répondu</li>", plan.replace("\u00a0", " "))
    assert "à 09:00" in plan
    assert "à 09:01" in plan
    assert "Saint-Aubin-le-Cloud" in plan
    assert "L’Absie</a>" not in plan


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"quand": "", "cadence": "30"}, "Donnez un jour"),
        ({"quand": "hier", "cadence": "30"}, "Donnez un jour"),
        ({"quand": "2026-12-01T09:00", "cadence": "beaucoup"}, "Donnez un jour"),
        ({"quand": "2026-12-01T09:00", "cadence": "0"}, "entre 1 et"),
        ({"quand": "2126-12-01T09:00", "cadence": "30"}, "hors des dates de l’édition"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_the_remedy(
    site: StaffSite, listed: list[str], form: dict[str, str], told: str
) -> None:
    client, page = site.client(), draft(site)
    answer = post(client, f"{page}/programmer", form)
    assert answer.status_code == 422
    assert told in answer.text
    with site.database():
        assert field.states() == []


def test_a_draft_is_deleted_and_a_planned_one_is_not(site: StaffSite, listed: list[str]) -> None:
    client, page, other = site.client(), draft(site), draft(site)
    assert post(client, f"{page}/supprimer", page=page).headers["Location"] == LIST
    assert client.get(page).status_code == 404
    plan_now(client, other)
    assert post(client, f"{other}/supprimer", page=other).status_code == 422


@pytest.mark.abuse("AC-66")
def test_a_forged_host_changes_no_link(site: StaffSite, listed: list[str]) -> None:
    client, page = site.client(), draft(site)
    assert client.get(f"{page}/apercu", headers={"Host": "evil.test"}).status_code == 400
    forged = client.get(f"{page}/apercu/page", headers={"X-Forwarded-Host": "evil.test"}).text
    assert "evil.test" not in forged
    assert f"{field.PUBLIC}/r/" in forged


def test_the_pages_are_good_pages_in_every_state(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client, page, other = site.client(), draft(site), draft(site, REMINDER)
    pages = {
        "faulty": post(client, page, {"subject": "", "body": "{x}"}).text,
        "preview": client.get(f"{page}/apercu?destinataire={listed[0]}").text,
        "plan": client.get(f"{page}/programmer").text,
    }
    plan_now(client, page)
    relay.hang_up_after_data, relay.rcpt_replies = 1, ["250 OK", "550 5.1.1 nobody"]
    clock = Clock()
    send_all(site, clock)
    pages["progress"] = client.get(page).text
    pages["list"] = client.get(LIST).text
    plan_now(client, other)
    pages["planned"] = client.get(other).text
    assert_good_pages({name: (html, "fr") for name, html in pages.items()})


def test_before_the_opening_the_plan_already_says_who_would_get_the_invitation(
    site: StaffSite, listed: list[str]
) -> None:
    with site.database():
        db.session.get_one(Wave, field.WAVE).state = "draft"
        db.session.commit()
    page = draft(site)
    plan = site.client().get(f"{page}/programmer").text
    assert "3 élus recevraient ce message" in plan
    assert "l’édition n’est pas encore ouverte. Ouvrez d’abord l’édition." in plan
    with site.database(), pytest.raises(planning.MailingError, match="pas encore ouverte"):
        planning.schedule(planning.mailings_of(field.WAVE)[0].id, utc_now(), 30, actor="test")


def test_the_list_shows_each_subject_as_it_is_read(site: StaffSite, listed: list[str]) -> None:
    draft(site, REMINDER)
    shown = site.client("director").get(LIST).text
    assert "{date_cloture}" not in shown
    assert re.search(r"jusqu’au \d+\S* \w+ \d{4}</small>", shown)
