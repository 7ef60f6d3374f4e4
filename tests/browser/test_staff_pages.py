"""The staff pages in real browsers: sign-in on plain loopback http, accessibility, phone, print, themes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from survey_app import questionnaires, waves
from survey_app.database import db
from survey_app.invitation_models import WaveFrame
from survey_app.mailing import planning
from tests.browsers import launch_arguments, served
from tests.survey_app.officials_site import WAVE as OFFICIALS
from tests.survey_app.officials_site import seed_officials
from tests.survey_app.staff_site import WAVE, StaffSite, a_source, seed_wave, some_commitment
from tests.survey_app.test_staff_markup import addresses

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "survey_app/client/node_modules/axe-core/axe.min.js"
RULES = "['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']"


@pytest.fixture
def site(tmp_path: Path) -> StaffSite:
    made = StaffSite(tmp_path)
    made.add("referent")
    with made.database():
        seed_wave(24, 6, comment="Un mot")
        questionnaires.save_draft(a_source(Votre="Notre"), {}, actor="test")
        questionnaires.save_draft("questionnaire: autre\ntitle: [", {}, actor="test")
        planning.create_mailing(WAVE, "invitation", actor="test")
    return made


@pytest.fixture
def address(site: StaffSite, pages_closed_first: ExitStack) -> Iterator[str]:
    with served(site.app) as url, pages_closed_first:
        yield url


def signed_in(browser: Browser, site: StaffSite, address: str, **options: Any) -> Page:
    """A page of the referent, who signed in by the form; fails on any refused resource or script error."""
    page = browser.new_context(**options).new_page()
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.goto(f"{address}/gestion/")
    page.get_by_label("Adresse électronique").fill("referent@prefecture.test.fr")
    page.get_by_label("Phrase secrète").fill(site.passphrases["referent@prefecture.test.fr"])
    page.get_by_role("button", name="Se connecter").click()
    expect(page).to_have_url(f"{address}/gestion/")
    return page


def violations(page: Page) -> list[str]:
    """What axe finds, as `rule: target`."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")["violations"]
    return [f"{v['id']}: {node['target']}" for v in found for node in v["nodes"]]


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_signing_in_and_out_works_on_plain_loopback_http(
    playwright: Playwright, site: StaffSite, address: str, name: str
) -> None:
    browser = getattr(playwright, name).launch(**launch_arguments(name))
    page = signed_in(browser, site, address)
    expect(page.get_by_role("heading", name="À faire")).to_be_visible()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("heading", name="Gestion des enquêtes")).to_be_visible()
    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", name="Gestion des enquêtes")).to_be_visible()
    browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_overflows_on_a_phone(
    browser: Browser, site: StaffSite, address: str, scheme: str
) -> None:
    options = {"viewport": {"width": 320, "height": 640}, "color_scheme": scheme, "bypass_csp": True}
    page = signed_in(browser, site, address, **options)
    with site.database():
        digest = questionnaires.versions()[0].digest
    for name, path in addresses(digest).items():
        page.goto(address + path)
        assert violations(page) == [], f"{name} in the {scheme} theme"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name


def test_on_a_phone_the_menu_is_one_row_that_opens_and_closes(
    browser: Browser, site: StaffSite, address: str
) -> None:
    page = signed_in(
        browser, site, address, viewport={"width": 360, "height": 640}, java_script_enabled=False
    )
    menu, results = page.get_by_role("button", name="Menu"), page.get_by_role("link", name="Résultats")
    heading = page.get_by_role("heading", name="À faire").bounding_box()
    assert heading is not None
    assert heading["y"] < 160
    expect(results).to_be_hidden()
    menu.click()
    expect(results).to_be_visible()
    expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()
    page.keyboard.press("Escape")
    expect(results).to_be_hidden()
    menu.click()
    results.click()
    expect(page).to_have_url(f"{address}/gestion/resultats/{WAVE}")


@pytest.mark.parametrize("width", [720, 800, 1280])
def test_on_a_wider_screen_the_menu_is_simply_there(
    browser: Browser, site: StaffSite, address: str, width: int
) -> None:
    page = signed_in(browser, site, address, viewport={"width": width, "height": 800})
    expect(page.get_by_role("button", name="Menu")).to_be_hidden()
    expect(page.get_by_role("link", name="Journal")).to_be_visible()


def test_the_faults_of_a_wave_take_the_focus_and_lead_to_their_fields(
    browser: Browser, site: StaffSite, address: str
) -> None:
    page = signed_in(browser, site, address, viewport={"width": 320, "height": 640}, bypass_csp=True)
    with site.database():
        digest = questionnaires.versions()[0].digest
    page.goto(f"{address}/gestion/editions/nouvelle/{digest}")
    page.get_by_label("Titre").fill("")
    page.get_by_label("Seuil").fill("beaucoup")
    for box in page.get_by_role("group", name="Langues").get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("group", name="3 points sont à corriger")).to_be_focused()
    expect(page.get_by_label("Seuil")).to_have_value("beaucoup")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("link", name="Le français fait partie des langues.").click()
    expect(page.get_by_label("Français")).to_be_focused()


def test_the_line_at_the_threshold_runs_through_all_rows(
    browser: Browser, site: StaffSite, address: str
) -> None:
    page = signed_in(browser, site, address, viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/gestion/resultats/{WAVE}/engagement/{some_commitment()}")
    drawings = page.locator("td.chart svg[role=img]")
    assert drawings.count() >= 2
    boxes = page.evaluate(
        """[...document.querySelectorAll('td.chart')].map(cell => {
            const line = cell.querySelector('.threshold').getBoundingClientRect();
            const box = cell.getBoundingClientRect();
            return [Math.abs(line.height - box.height) <= 2, box.width > 100];
        })"""
    )
    assert all(tall and wide for tall, wide in boxes)


@pytest.mark.parametrize("width, rows_of_their_own", [(360, True), (800, True), (1280, False)])
def test_a_drawing_stands_beside_its_scale_whatever_the_width(
    browser: Browser, site: StaffSite, address: str, width: int, rows_of_their_own: bool
) -> None:
    page = signed_in(browser, site, address, viewport={"width": width, "height": 900})
    page.goto(f"{address}/gestion/resultats/{WAVE}")
    cell = page.locator("tbody td.chart").first
    head = page.locator("thead .chart .at-threshold").first
    mark = cell.locator(".at-threshold") if rows_of_their_own else head
    expect(mark).to_be_visible()
    expect(cell.locator(".scale")).to_be_visible(visible=rows_of_their_own)
    line, label = (one.bounding_box() for one in (cell.locator("line.threshold"), mark))
    assert line is not None
    assert label is not None
    assert abs(line["x"] - label["x"] - label["width"] / 2) < 2, "the number stands under its line"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_results_print_on_a4_without_the_rail(browser: Browser, site: StaffSite, address: str) -> None:
    page = signed_in(browser, site, address)
    page.goto(f"{address}/gestion/resultats/{WAVE}")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})
    expect(page.locator(".rail")).to_be_hidden()
    expect(page.locator(".results")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 680


def test_the_keyboard_reaches_the_content_first(browser: Browser, site: StaffSite, address: str) -> None:
    page = signed_in(browser, site, address)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_referent_prepares_and_opens_a_wave_with_the_mouse_alone(
    browser: Browser, site: StaffSite, address: str
) -> None:
    page = signed_in(browser, site, address)
    page.get_by_role("link", name="Questionnaires").click()
    page.get_by_role("link", name="essai").first.click()
    page.get_by_role("link", name="Publier cette version").click()
    page.get_by_role("button", name="Publier cette version").click()
    page.get_by_role("link", name="Préparer une édition").click()
    page.get_by_label("Code").fill("essai-2027")
    page.get_by_label("Titre").fill("Essai 2027")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status").first).to_contain_text("L’édition est enregistrée")
    page.get_by_role("link", name="Ouvrir l’édition").click()
    expect(page.get_by_role("alert")).to_contain_text("est encore ouverte")


def test_the_follow_up_of_officials_fits_a_desk_and_its_long_names_stay_short_in_height(
    browser: Browser, site: StaffSite, address: str
) -> None:
    """Strata that were joined have names of a dozen words; the last columns must be seen all the same."""
    with site.database():
        waves.close_wave(WAVE, actor="test")
        seed_officials()
        frame = db.session.get_one(WaveFrame, OFFICIALS)
        long = (
            "Niort, maires, moins de 500 habitants (avec\u00a0: Niort, maires, 2\u202f000 habitants ou plus)"
        )
        frame.strata = [{**one, "title": long} for one in frame.strata]
        db.session.commit()
    page = signed_in(browser, site, address, viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/gestion/editions/{OFFICIALS}/suivi")
    fits = "[...document.querySelectorAll('.scroll')].map(one => one.scrollWidth <= one.clientWidth)"
    assert page.evaluate(fits) == [True, True]
    lines = "one => one.offsetHeight / parseFloat(getComputedStyle(one).lineHeight)"
    assert page.locator(".counts tbody th").first.evaluate(lines) < 6
