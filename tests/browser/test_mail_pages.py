"""The mails to officials, from draft to uncertain message, in Chromium with JavaScript and without.

Every page passes axe and the validator, and fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from survey_app.clock import PARIS, utc_now
from tests.browser.test_staff_pages import signed_in, violations
from tests.browsers import served
from tests.page_checks import assert_good_pages
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay, listening
from tests.survey_app.mailing.test_mailing_pages import LIST, send_all
from tests.survey_app.mailing.test_sending import Clock
from tests.survey_app.staff_site import StaffSite

pytestmark = pytest.mark.browser
MAYORS = 30
PATIENCE = 30_000
"""Milliseconds, for what waits for the relay."""


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with listening() as found:
        yield found


@pytest.fixture
def site(tmp_path: Path, relay: ScriptedRelay) -> StaffSite:
    """An open list on the whole application, with a relay."""
    made = StaffSite(tmp_path)
    made.add("referent")
    with made.database():
        field.equip(made.app, relay.port, tmp_path)
        field.open_a_list([*field.PEOPLE, *field.many(MAYORS)])
    return made


@pytest.fixture
def address(site: StaffSite, pages_closed_first: ExitStack) -> Iterator[str]:
    with served(site.app) as url, pages_closed_first:
        yield url


class Looked:
    """Pages that were looked at, where scripts run: each fits, passes axe and, at the end, the validator."""

    def __init__(self, page: Page, *, scripted: bool) -> None:
        self._page, self._scripted = page, scripted
        self._pages: dict[str, tuple[str, str]] = {}

    def at(self, name: str) -> None:
        """The page as it stands now."""
        expect(self._page.get_by_role("heading", level=1)).to_be_visible()
        if self._scripted:
            assert violations(self._page) == [], name
            width = self._page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert width <= 0, name
            self._pages[name] = (self._page.evaluate("fetch(location.href).then(r => r.text())"), "fr")

    def all_are_valid(self) -> None:
        if self._scripted:
            assert_good_pages(self._pages)


@pytest.mark.parametrize("width, scripted", [(320, True), (1280, True), (360, False)])
def test_a_mailing_goes_from_its_draft_to_the_decision_about_an_uncertain_message(
    browser: Browser, site: StaffSite, address: str, relay: ScriptedRelay, width: int, scripted: bool
) -> None:
    options = {"viewport": {"width": width, "height": 800}, "bypass_csp": True}
    page = signed_in(browser, site, address, java_script_enabled=scripted, **options)
    looked = Looked(page, scripted=scripted)
    page.goto(address + LIST)
    looked.at("mailings")
    page.get_by_role("button", name="Invitation").click()
    page.get_by_label("Objet").fill("Votre avis, Monsieur le Maire ?")
    looked.at("text")
    page.get_by_role("button", name="Enregistrer et voir l’aperçu").click()
    page.get_by_label("Destinataire").select_option(label="Saint-Aubin-le-Cloud, Jean-Noël Être")
    page.get_by_role("button", name="Voir", exact=True).click()
    expect(page.locator("pre.mail-text")).to_contain_text("Monsieur le Maire,")
    expect(
        page.frame_locator("iframe.mail-page").get_by_text("Monsieur le Maire,", exact=True)
    ).to_be_visible()
    looked.at("preview")
    # By keyboard: on a busy machine Chromium loses clicks beside a frame that has a process of its own.
    page.get_by_role("button", name="M’envoyer l’essai").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("referent@prefecture.test.fr", timeout=PATIENCE)
    assert [one.recipients for one in relay.accepted] == [["referent@prefecture.test.fr"]]

    page.get_by_role("link", name="Qui reçoit quoi, quand").press("Enter")
    page.get_by_label("Premier départ").fill(utc_now().astimezone(PARIS).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Messages par minute").fill("6000")
    page.get_by_role("button", name="Recalculer").click()
    page.get_by_text("Leurs noms").click()
    expect(page.get_by_role("link", name="L’Absie")).to_be_visible()
    expect(page.get_by_text(f"{MAYORS + 3} élus recevraient ce message")).to_be_visible()
    looked.at("plan")
    page.get_by_role("button", name="Programmer l’envoi").click()
    looked.at("planned")
    page.get_by_role("button", name="Arrêter l’envoi").click()
    page.get_by_role("button", name="Reprendre l’envoi").click()

    relay.hang_up_after_data = 1
    relay.rcpt_replies = ["250 OK", "550 5.1.1 User unknown"]
    send_all(site, Clock())
    page.reload()
    expect(page.get_by_role("heading", name="Incertains, à décider")).to_be_visible()
    expect(page.get_by_role("heading", name="Refusés par le relais")).to_be_visible()
    looked.at("uncertain")
    page.get_by_role("button", name="Il est arrivé").click()
    expect(page.get_by_role("status")).to_contain_text("Le message compte comme arrivé.")
    expect(page.get_by_role("heading", name="Incertains, à décider")).to_have_count(0)
    page.get_by_role("region", name="Liste, refusés par le relais").get_by_role("link").click()
    looked.at("recipient")
    page.get_by_role("button", name="Ne plus jamais lui écrire").click()
    page.get_by_role("link", name="Voir les oppositions").click()
    page.get_by_role("combobox").select_option("mistake")
    looked.at("objections")
    page.get_by_role("button", name="Lever").click()
    expect(page.get_by_text("Aucune opposition.")).to_be_visible()
    looked.all_are_valid()
