"""A personal link in a real browser: opened it changes nothing; answered with script and without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from survey_app.invitation_models import SealedAnswer
from tests.browser.test_website_form import a_page, axe_findings, go_on
from tests.browsers import served
from tests.survey_app.invitations.link_site import LinkSite
from tests.survey_app.test_safe_methods import content_hash

pytestmark = pytest.mark.browser
SENTINEL = "Phrase que nul ne doit relire"


@pytest.fixture
def link_site(tmp_path: Path) -> LinkSite:
    return LinkSite(tmp_path)


@pytest.fixture
def link_address(link_site: LinkSite, pages_closed_first: ExitStack) -> Iterator[str]:
    with served(link_site.app) as address, pages_closed_first:
        yield address


def begin(page: Page, address: str, site: LinkSite, place: int = 0) -> None:
    page.goto(f"{address}/r/{site.token(place)}?lang=fr")
    page.get_by_role("button", name="Commencer").click()
    page.wait_for_load_state()


def to_the_end(page: Page) -> None:
    """Every page as it comes; the one required answer, and a text."""
    for _page in range(15):
        if page.get_by_role("button", name="Envoyer mes réponses").count():
            break
        if page.locator("[data-item=overall_opinion]").count():
            page.locator("[data-item=overall_opinion] input").first.check()
            page.locator("#comment").fill(SENTINEL)
        go_on(page)
    go_on(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Merci, vos réponses sont enregistrées")


@pytest.mark.abuse("AC-12")
def test_a_browser_that_loads_the_link_and_waits_changes_nothing(
    browser: Browser, link_site: LinkSite, link_address: str
) -> None:
    with link_site.app.app_context():
        before = content_hash()
    page = a_page(browser)
    page.goto(f"{link_address}/r/{link_site.token(0)}")
    page.wait_for_timeout(10_000)
    with link_site.app.app_context():
        assert content_hash() == before


@pytest.mark.parametrize("scripted", [True, False])
def test_an_official_answers_and_nothing_of_it_comes_back(
    browser: Browser, link_site: LinkSite, link_address: str, scripted: bool
) -> None:
    page = a_page(browser, java_script_enabled=scripted)
    begin(page, link_address, link_site)
    assert link_site.token(0) not in page.url
    if scripted:
        to_the_end(page)
        page.go_back()
        page.wait_for_load_state()
        assert SENTINEL not in page.content()
    else:
        walk_without_script(page)
    assert (link_site.state(0), link_site.count(SealedAnswer)) == ("answered", 1)


def walk_without_script(page: Page) -> None:
    for _page in range(15):
        if "/r/merci/" in page.url:
            return
        if page.locator("[data-item=overall_opinion]").count():
            page.locator("[data-item=overall_opinion] input").first.check()
        page.locator(".actions .button").click()
        page.wait_for_load_state()
    raise AssertionError(page.content())


def test_the_scripted_form_saves_and_goes_on_elsewhere(
    browser: Browser, link_site: LinkSite, link_address: str
) -> None:
    page = a_page(browser)
    begin(page, link_address, link_site)
    page.get_by_label("Chaque semaine ou presque").check()
    page.get_by_role("button", name="Enregistrer et finir plus tard").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C’est enregistré")
    other = a_page(browser)
    begin(other, link_address, link_site)
    expect(other.get_by_label("Chaque semaine ou presque")).to_be_checked()


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_passes_axe_and_fits(
    browser: Browser, link_site: LinkSite, link_address: str, language: str, width: int
) -> None:
    page = a_page(browser, viewport={"width": width, "height": 800})
    addresses = [f"/r/?lang={language}", f"/r/{link_site.token(0)}?lang={language}", f"/r/merci/{language}"]
    for address in addresses:
        page.goto(link_address + address)
        assert axe_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    for act in ("transmettre", "refuser", "erreur"):
        page.goto(link_address + addresses[1])
        page.locator(f"button[formaction*='/{act}/']").click()
        page.wait_for_load_state()
        assert axe_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_telephone_no_column_of_the_printable_questions_is_cut_off(
    browser: Browser, link_address: str
) -> None:
    page = a_page(browser, viewport={"width": 360, "height": 800})
    page.goto(f"{link_address}/r/questions/elus/fr")
    grids = page.locator(".scroll").evaluate_all("all => all.map(one => one.scrollWidth - one.clientWidth)")
    assert grids
    assert max(grids) <= 0


def test_the_new_link_is_copied_by_its_button(
    browser: Browser, link_site: LinkSite, link_address: str
) -> None:
    page = a_page(browser)
    page.add_init_script("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.goto(f"{link_address}/r/{link_site.token(0)}?lang=fr")
    page.locator("button[formaction*='/transmettre/']").click()
    page.locator(".actions .button").click()
    page.get_by_role("button", name="Copier le lien").click()
    expect(page.locator("#copy-link")).to_have_text("Lien copié")
    assert page.evaluate("window.copied") == page.locator("#new-link").input_value()
