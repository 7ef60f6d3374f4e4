"""The yearly survey of the officials as one trip: from a list of 256 communes to the letter with the results.

Mails go through a real SMTP server on loopback, answers through Chromium by the links of those mails.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page
from werkzeug.test import TestResponse

from form_definitions import Questionnaire, from_canonical, load_translations
from survey_app import waves
from survey_app.access import DIRECTOR
from survey_app.clock import today_in_paris, utc_now
from survey_app.database import db
from survey_app.frames import import_frame
from survey_app.frames.letters import LETTER_CSS, laid_out
from survey_app.frames.synthetic import WITHOUT_EMAIL, synthetic_frame
from survey_app.invitation_models import (
    AnonymousText,
    Invitation,
    MailMessage,
    SampledUnit,
    SealedAnswer,
    WaveFrame,
)
from survey_app.invitations.links import token
from survey_app.invitations.mixing import finish
from survey_app.invitations.redemption import Holder, hand_in
from survey_app.mailing import planning
from survey_app.mailing.sender import Sender
from survey_app.models import QuestionnaireVersion, Response
from survey_app.questionnaires import publish_source
from survey_app.results_letter.by_post import without_mail
from tests.browsers import free_port, served
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import Accepted, ScriptedRelay, listening
from tests.survey_app.staff_site import StaffSite, a_plan, form_token, post
from tests.survey_app.website_site import QUESTIONNAIRES

pytestmark = pytest.mark.browser
WAVE = "elus-2026"
COMMUNES = 256
BY_MAIL = COMMUNES - WITHOUT_EMAIL
IN_CHROMIUM = 2
OTHERS = {"Niort": 28, "Bressuire": 16, "Parthenay": 14}
"""How many more answer with their links, by arrondissement."""
SAID = "Une phrase que personne ne doit relier à une commune"


@dataclass
class Year:
    """The application on a socket, the relay, and where they are."""

    site: StaffSite
    relay: ScriptedRelay
    address: str

    def send_all(self, mailing_id: int) -> list[Accepted]:
        """Plan a mailing for now and hand over all of it; what the relay took."""
        before = len(self.relay.accepted)
        with self.site.database():
            planning.schedule(mailing_id, utc_now(), field.FAST, actor="test")
            sender = Sender(self.site.app.extensions["survey_settings"])
            while (pause := sender.step()) is not None:
                assert pause < 5, "the relay cannot be reached"
            sender.close()
        return self.relay.accepted[before:]

    def mailing(self, kind: str) -> int:
        with self.site.database():
            return planning.create_mailing(WAVE, kind, actor="test").id


@pytest.fixture
def year(tmp_path: Path) -> Iterator[Year]:
    port = free_port()
    with listening() as relay:
        site = StaffSite(
            tmp_path,
            public_url=f"http://127.0.0.1:{port}",
            mail=field.mail_settings(relay.port),
            definitions_folder=field.definitions(tmp_path / "definitions"),
        )
        site.app.extensions["survey_rate_limits"].enabled = False
        with served(site.app, port) as address:
            yield Year(site, relay, address)


@pytest.mark.timeout(900)
def test_from_a_list_of_256_communes_to_the_letter_with_the_results(year: Year, browser: Browser) -> None:
    director = prepare(year)
    invitations = year.send_all(year.mailing("invitation"))
    assert len(invitations) == BY_MAIL
    assert len({link_in(one.message) for one in invitations}) == BY_MAIL

    for place, mail in enumerate(invitations[:IN_CHROMIUM]):
        answer_in_chromium(browser, link_in(mail.message), SAID if place == 0 else "")
    answered = IN_CHROMIUM + answer_with_links(year)
    follow_up = director.client(DIRECTOR).get(f"/gestion/editions/{WAVE}/suivi").text
    assert f"<dd>{answered}</dd>" in follow_up
    assert SAID not in follow_up

    reminders = year.send_all(year.mailing("reminder"))
    assert only_those_who_did_not_answer(year, len(reminders))

    close_and_mix(year, answered)
    letter = finish_the_letter(year)
    results = year.send_all(letter)
    assert len(results) == BY_MAIL
    assert all(pdf_of(one.message).startswith(b"%PDF-") for one in results)
    assert post_pages(year) == WITHOUT_EMAIL

    page = open_results(browser, link_in(results[0].message))
    assert re.search(r"^(Niort|Bressuire|Parthenay)\b", page, flags=re.M), page
    assert "Deux-Sèvres" in page
    assert f"{answered} réponses pour {COMMUNES} personnes interrogées." in page
    assert SAID not in page


def prepare(year: Year) -> StaffSite:
    """The questionnaire published, the list imported, its communes fixed for an edition, which opens."""
    site, today = year.site, today_in_paris()
    with site.database():
        source = (QUESTIONNAIRES / "elected_officials.yaml").read_text("utf-8")
        version = publish_source(source, load_translations(), actor="test")
        by_link = {"modes": ("personal_link",), "headline_modes": ("personal_link",)}
        places = {"sites": ("a_distance",), "headline_sites": ("a_distance",)}
        dates = {"opens_on": today - dt.timedelta(days=9), "closes_on": today + dt.timedelta(days=9)}
        plan = a_plan(version.digest, id=WAVE, title="Élus 2026", **by_link, **places, **dates)
        waves.create_wave(plan, actor="test")
        frame = import_frame(synthetic_frame(), actor="test").id
    client, page = site.client(DIRECTOR), f"/gestion/listes/{frame}"
    form = {"wave": WAVE, "unit": "authority", "kinds": ["commune"]}
    shown = post(client, f"{page}/destinataires", form, page=page)
    assert f"{COMMUNES} destinataires" in shown.text
    assert post(client, f"{page}/destinataires", {**form, "confirmed": "1"}, page=page).status_code == 303
    until, letter = today + dt.timedelta(days=200), f"/gestion/editions/{WAVE}/lettre"
    asked = post(client, f"/gestion/editions/{WAVE}/fin-des-resultats", {"until": str(until)}, page=letter)
    assert asked.status_code == 303
    with site.database():
        waves.open_wave(WAVE, actor="test")
    return site


def link_in(mail: EmailMessage) -> str:
    """The personal link of a mail, from its plain text; the HTML shows the same one."""
    text = mail.get_body(("plain",))
    html = mail.get_body(("html",))
    assert text is not None
    assert html is not None
    (link,) = re.findall(r"^(http://127\.0\.0\.1:\d+/r/[\w-]{32})\r?$", text.get_content(), flags=re.M)
    assert link in html.get_content()
    return str(link)


def a_page(browser: Browser) -> Page:
    page = browser.new_context(locale="fr-FR").new_page()
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    return page


def press(page: Page, button: str) -> None:
    """Press a button and wait for the page that comes in the place of this one."""
    page.evaluate("document.body.dataset.before = ''")
    page.locator(button).click()
    page.locator("body:not([data-before])").wait_for(state="attached")
    page.wait_for_load_state()


def answer_in_chromium(browser: Browser, link: str, comment: str) -> None:
    """Open the link, press « Commencer », go through the form and send it."""
    page = a_page(browser)
    page.goto(link)
    press(page, "form#link .button")
    for _step in range(20):
        if "/r/merci/" in page.url:
            break
        assert link.rpartition("/")[2] not in page.url
        if page.locator("[data-item=overall_opinion]").count():
            page.locator("[data-item=overall_opinion]").get_by_label("Plutôt bonne").check()
            page.locator("textarea").first.fill(comment)
        press(page, ".actions .button")
    assert "/r/merci/" in page.url
    assert "Merci, vos réponses sont enregistrées" in page.inner_text("h1")
    page.context.close()


def answer_with_links(year: Year) -> int:
    """So many of each arrondissement answer, most of them content; how many."""
    with year.site.database():
        version = db.session.scalars(sa.select(QuestionnaireVersion)).one()
        questionnaire = from_canonical(version.canonical)
        query = sa.select(Invitation.id, Invitation.generation, SampledUnit.arrondissement).join(SampledUnit)
        waiting = query.where(Invitation.wave_id == WAVE, Invitation.state == "waiting")
        people = db.session.execute(waiting.order_by(Invitation.id)).all()
        db.session.rollback()
        for arrondissement, number in OTHERS.items():
            mine = [(row[0], row[1]) for row in people if row[2] == arrondissement][:number]
            assert len(mine) == number
            for place, holder in enumerate(mine):
                _hand_in(Holder(*holder), place, questionnaire, version.digest)
    return sum(OTHERS.values())


def _hand_in(holder: Holder, place: int, asked: Questionnaire, digest: str) -> None:
    opinion = "dissatisfied" if place % 5 == 0 else "very_satisfied"
    answers = {"contact_frequency": ["never"], "acts_sending": [opinion], "overall_opinion": [opinion]}
    hand_in(holder, answers, questionnaire=asked, digest=digest, language="fr", today=today_in_paris())


def only_those_who_did_not_answer(year: Year, reminded: int) -> bool:
    """Nobody who answered was reminded, and everybody else who has an address was."""
    with year.site.database():
        query = sa.select(Invitation.state, Invitation.email.is_(None), sa.func.count(MailMessage.id))
        query = query.outerjoin(MailMessage).where(Invitation.wave_id == WAVE)
        found = db.session.execute(query.group_by(Invitation.id, Invitation.state, Invitation.email)).all()
    mails: Counter[tuple[str, int]] = Counter((row[0], row[2]) for row in found if not row[1])
    assert set(mails) == {("answered", 1), ("waiting", 2)}
    return mails["waiting", 2] == reminded


def close_and_mix(year: Year, answered: int) -> None:
    """Close, mix, seal and publish; nothing of the pool and no key is left."""
    with year.site.database():
        waves.close_wave(WAVE, actor="test")
        finish(WAVE, actor="test")
        waves.seal_wave(WAVE, actor="test")
        waves.publish_wave(WAVE, actor="test")
        frame = db.session.get_one(WaveFrame, WAVE)
        assert frame.mixed_at is not None
        assert frame.key_destroyed_at is not None
        assert db.session.scalar(sa.select(sa.func.count()).select_from(SealedAnswer)) == 0
        rows = db.session.scalars(sa.select(Response)).all()
        assert len(rows) == answered
        assert SAID not in str([row.answers for row in rows])
        assert db.session.scalars(sa.select(AnonymousText.text)).all() == [SAID]
        tokens = [token(one) for one in db.session.scalars(sa.select(Invitation))]
        assert not any(one in str([row.answers for row in rows]) for one in tokens)
        assert {row.site for row in rows} <= {str(entry["code"]) for entry in frame.strata}


def finish_the_letter(year: Year) -> int:
    """Download the letter, bring the signed PDF back; the mailing it goes with."""
    client, page = year.site.client(DIRECTOR), f"/gestion/editions/{WAVE}/lettre"
    assert client.get(f"{page}.docx").data.startswith(b"PK")
    assert client.get(f"{page}.pdf").data.startswith(b"%PDF-")
    signed = laid_out("<p>La lettre complétée, signée.</p>", LETTER_CSS).write_pdf()
    token_of_form = form_token(client.get(page).text)
    sent: TestResponse = client.post(
        page,
        data={"letter": (io.BytesIO(signed), "lettre.pdf"), "csrf_token": token_of_form},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303, sent.text
    with year.site.database():
        return next(one.id for one in planning.mailings_of(WAVE) if one.kind == "results")


def pdf_of(mail: EmailMessage) -> bytes:
    (attached,) = list(mail.iter_attachments())
    assert attached.get_content_type() == "application/pdf"
    content = attached.get_content()
    assert isinstance(content, bytes)
    return content


def post_pages(year: Year) -> int:
    """How many addressed pages there are for those without an address."""
    answer = year.site.client(DIRECTOR).get(f"/gestion/editions/{WAVE}/lettre-courrier.pdf")
    assert answer.data.startswith(b"%PDF-")
    with year.site.database():
        found: Sequence[Invitation] = without_mail(WAVE)
        return len(found)


def open_results(browser: Browser, link: str) -> str:
    """The same link opens the results after the button was pressed, and not before."""
    page = a_page(browser)
    page.goto(link)
    assert "réponses pour" not in page.inner_text("body")
    press(page, "form#link .button")
    text = page.inner_text("body")
    page.context.close()
    return text
