"""The pages that no other browser test walks through: axe finds nothing, and a phone shows them whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.test_staff_pages import violations
from tests.browsers import served
from tests.survey_app.test_paper import PaperSite
from tests.survey_app.website_site import LANGUAGES, SMALL

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 320, "height": 640}
PUBLIC = {
    "the start": ("/?lang={}", 200),
    "a questionnaire that is not open": ("/q/rien/{}", 404),
    "a language that the form does not speak": ("/q/petit/xx?lang={}", 404),
    "thanks for nothing": ("/q/petit/{}/merci?recu=x", 200),
    "the notice of a form": ("/q/petit/{}/confidentialite", 200),
    "the notice": ("/confidentialite/{}", 200),
    "the declaration of accessibility": ("/accessibilite/{}", 200),
    "the legal notice": ("/mentions-legales/{}", 200),
    "the sheet, of which place": ("/q/petit/{}/imprimer", 200),
    "the sheet": ("/q/petit/{}/imprimer?site=immigration", 200),
    "an error of a known language": ("/q/rien/{}/confidentialite/plus", 404),
}


@pytest.fixture
def site(tmp_path: Path) -> PaperSite:
    made = PaperSite(tmp_path, trusted_hosts=("127.0.0.1",))
    made.publish(SMALL)
    return made


@pytest.fixture
def address(site: PaperSite, pages_closed_first: ExitStack) -> Iterator[str]:
    with served(site.app) as url, pages_closed_first:
        yield url


def faults(page: Page) -> list[str]:
    """What axe finds, and whether the page is wider than the phone."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [*violations(page), *([f"{wide} pixels wide"] if wide > PHONE["width"] else [])]


def press(page: Page, name: str) -> None:
    """Press a button and wait for the page that comes."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_public_pages_around_the_form_are_accessible_and_fit(
    browser: Browser, address: str, language: str
) -> None:
    page = browser.new_context(viewport=PHONE, bypass_csp=True, locale=language).new_page()
    for name, (path, status) in PUBLIC.items():
        answer = page.goto(f"{address}{path.format(language)}")
        assert answer is not None
        assert (answer.status, faults(page)) == (status, []), name
        assert page.evaluate("document.documentElement.lang") == language, name


def test_signing_in_and_the_entry_of_a_sheet_are_accessible_and_fit(
    browser: Browser, site: PaperSite, address: str
) -> None:
    email = site.add("assistant")
    page = browser.new_context(viewport=PHONE, bypass_csp=True).new_page()
    page.goto(f"{address}/gestion/saisie/petit/fr?site=immigration")
    assert faults(page) == []
    page.get_by_label("Adresse électronique").fill(email)
    page.get_by_label("Phrase secrète").fill("pas la bonne phrase du tout")
    press(page, "Se connecter")
    assert faults(page) == []
    page.get_by_label("Phrase secrète").fill(site.passphrases[email])
    press(page, "Se connecter")
    page.wait_for_url("**/gestion/saisie/**")
    assert faults(page) == []
    press(page, "Enregistrer et saisir le suivant")
    page.locator("#summary").wait_for()
    assert faults(page) == []
