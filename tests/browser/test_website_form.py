"""The website form in a real browser: with and without JavaScript, by keyboard, small, right to left."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.survey_app.website_site import WebsiteSite

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "survey_app/client/node_modules/axe-core/axe.min.js"
RULES = "['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']"
TEXT_SPACING = """
* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-block-end: 2em !important; }"""


def a_page(browser: Browser, **options: Any) -> Page:
    """A page that fails the test on any script error or refused resource."""
    page = browser.new_context(**options).new_page()
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.on("console", lambda m: pytest.fail(m.text) if m.type == "error" and "422" not in m.text else None)
    return page


def go_on(page: Page) -> None:
    """Press the button and wait for what comes: another page, or another step in the place of this one."""
    page.evaluate("document.body.dataset.before = ''")
    page.locator(".actions .button").click()
    page.locator("body:not([data-before])").wait_for(state="attached")
    page.wait_for_load_state()


def axe_findings(page: Page) -> list[str]:
    """What axe finds on the page as it is now."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(f"axe.run({{runOnly: {RULES}}}).then(r => r.violations)")
    return [f"{v['id']}: {node['html']}" for v in found for node in v["nodes"]]


def fill_in(page: Page, address: str) -> None:
    """The same answers whether or not there is JavaScript: what to do is read from the page."""
    page.goto(f"{address}/q/petit/fr?site=immigration")
    page.get_by_label("Oui").check()
    page.locator("#minutes").fill("12")
    if not page.locator("[data-item=reasons]").is_visible():
        go_on(page)
        expect(page.locator("#added")).to_be_focused()
    page.get_by_label("Un papier").check()
    page.get_by_label("Autre chose").check()
    page.get_by_label("Précisez").fill("Un colis")
    go_on(page)
    page.locator("[data-item=opinion]").get_by_label("Plutôt bonne").check()
    page.locator("[data-item=detail_place]").get_by_label("Très mal").check()
    page.locator("[data-item=recommend]").get_by_label("9", exact=True).check()
    page.locator("#comment").fill("L’accueil\nétait bien.")
    go_on(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Merci, votre avis est enregistré")


def test_with_and_without_javascript_the_same_answers_give_equal_rows(
    browser: Browser, site: WebsiteSite, address: str
) -> None:
    for enabled in (True, False):
        fill_in(a_page(browser, java_script_enabled=enabled), address)
    first, second = site.responses()
    assert first == second
    assert first["answers"]["reasons.other"] == "Un colis"
    assert first["answers"]["detail_place"] == ["very_dissatisfied"]
    assert first["flags"] == []


def test_with_javascript_a_question_appears_at_once_and_its_answer_goes_with_it(
    browser: Browser, address: str
) -> None:
    page = a_page(browser)
    page.goto(f"{address}/q/petit/fr?site=immigration")
    question = page.locator("[data-item=reasons]")
    expect(question).to_be_hidden()
    page.get_by_label("Oui").check()
    expect(question).to_be_visible()
    page.get_by_label("Un papier").check()
    page.get_by_label("Rien").check()
    expect(page.get_by_label("Un papier")).not_to_be_checked()
    page.get_by_label("Non").check()
    expect(question).to_be_hidden()


def test_with_javascript_the_counter_of_a_long_text_counts_what_is_written(
    browser: Browser, address: str
) -> None:
    page = a_page(browser)
    page.goto(f"{address}/q/petit/fr?site=immigration")
    page.get_by_label("Non").check()
    page.locator("#minutes").fill("1")
    go_on(page)
    go_on(page)
    counter = page.locator("#counter-comment")
    page.locator("#comment").fill("é" * 48 + "\n")
    expect(counter).to_contain_text("49")
    expect(counter).not_to_have_class(re.compile("over"))
    page.locator("#comment").fill("é" * 51)
    expect(counter).to_have_class(re.compile("over"))


def test_a_double_click_and_a_reload_never_count_twice(
    browser: Browser, site: WebsiteSite, address: str
) -> None:
    page = a_page(browser, java_script_enabled=False)
    page.goto(f"{address}/q/petit/fr?site=immigration")
    page.get_by_label("Non").check()
    page.locator("#minutes").fill("1")
    go_on(page)
    go_on(page)
    page.locator(".actions .button").dblclick()
    page.wait_for_url("**/merci*")
    reference = page.locator(".reference strong").inner_text()
    page.reload()
    assert page.locator(".reference strong").inner_text() == reference
    assert (site.records, site.conflicts) == (1, 0)


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
@pytest.mark.parametrize("where", ["immigration", "a_distance"])
def test_axe_finds_nothing_on_any_page_nor_in_any_error(
    browser: Browser, address: str, language: str, where: str
) -> None:
    page = a_page(browser, bypass_csp=True)
    page.goto(f"{address}/q/usagers/{language}?site={where}")
    seen = 0
    for _ in range(20):
        if "/merci" in page.url:
            break
        assert axe_findings(page) == [], page.url
        seen += 1
        broken = page.locator("#waiting_minutes:visible")
        if broken.count() and not broken.input_value():
            broken.fill("beaucoup")
        elif broken.count():
            broken.fill("12")
        else:
            for group in page.locator(".in-error").all():
                group.locator("input").first.check()
        go_on(page)
    assert "/merci" in page.url
    assert axe_findings(page) == []
    assert seen > 6


@pytest.mark.parametrize("path", ["/", "/accessibilite/fr", "/confidentialite/ar", "/mentions-legales/en"])
def test_axe_finds_nothing_on_the_pages_around_the_form(browser: Browser, address: str, path: str) -> None:
    page = a_page(browser, bypass_csp=True)
    page.goto(f"{address}{path}")
    assert axe_findings(page) == []


def test_the_whole_form_can_be_filled_in_with_the_keyboard_alone(
    browser: Browser, site: WebsiteSite, address: str
) -> None:
    page = a_page(browser)
    page.goto(f"{address}/q/petit/fr?site=immigration")
    tab_to(page, "#came-came_in")
    page.keyboard.press("ArrowDown")
    tab_to(page, "#minutes")
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("À distance")
    tab_to(page, "#nickname")
    page.keyboard.type("Bonjour")
    tab_to(page, ".actions .button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pour finir")
    tab_to(page, "#opinion-very_satisfied")
    page.keyboard.press("Space")
    tab_to(page, ".actions .button")
    page.keyboard.press("Space")
    page.wait_for_url("**/merci*")
    assert [row["answers"] for row in site.responses()] == [
        {"came": ["stayed_away"], "minutes": 8, "nickname": "Bonjour", "opinion": ["very_satisfied"]}
    ]


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until this element has the focus; each stop on the way shows where it is."""
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate(
            """() => { const at = document.activeElement, card = at.closest('.option') ?? at;
            return at === document.body || getComputedStyle(card).outlineStyle !== 'none'; }"""
        ), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    pytest.fail(f"{selector} cannot be reached with Tab")


def test_after_an_error_the_focus_is_on_the_summary_and_its_link_leads_to_the_question(
    browser: Browser, address: str
) -> None:
    page = a_page(browser, java_script_enabled=False)
    page.goto(f"{address}/q/petit/fr?site=immigration")
    go_on(page)
    expect(page.locator("#summary")).to_be_focused()
    expect(page).to_have_title(re.compile("^Erreur\u00a0: "))
    page.locator("#summary a").first.click()
    expect(page.locator("#question-came")).to_be_in_viewport()


SIZES = {"phone": (320, 640), "four hundred per cent": (320, 256), "tablet": (800, 1280)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["fr", "ar"])
@pytest.mark.parametrize("spaced", [False, True])
def test_nothing_is_cut_or_scrolls_sideways(
    browser: Browser, address: str, size: str, language: str, spaced: bool
) -> None:
    width, height = SIZES[size]
    page = a_page(browser, viewport={"width": width, "height": height}, bypass_csp=True)
    page.goto(f"{address}/q/usagers/{language}?site=immigration")
    for _ in range(20):
        if spaced:
            page.add_style_tag(content=TEXT_SPACING)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
        assert cut_texts(page) == []
        if "/merci" in page.url:
            break
        for group in page.locator(".in-error").all():
            group.locator("input").first.check()
        go_on(page)
    assert "/merci" in page.url


def cut_texts(page: Page) -> list[str]:
    """Visible elements whose text is wider than they are."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *')]
          .filter(e => e.offsetParent && e.children.length === 0 && e.textContent.trim()
            && !e.matches('textarea') && e.scrollWidth > e.clientWidth + 1
          && getComputedStyle(e).display !== 'inline').map(e => e.outerHTML)"""
    )
    return found


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_everything_to_tap_is_large_enough(browser: Browser, address: str, language: str) -> None:
    page = a_page(browser, viewport={"width": 390, "height": 800}, has_touch=True)
    for path in (f"/q/usagers/{language}", f"/q/elus/{language}", "/"):
        page.goto(f"{address}{path}")
        small = page.evaluate(
            """() => [...document.querySelectorAll(
              '.option, .button, .quiet, .choice, .languages button, .page-footer a, textarea')]
              .filter(e => e.offsetParent).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
              .filter(([, box]) => box.height < 44 || box.width < 44).map(([html]) => html)"""
        )
        assert small == []


def test_the_chosen_option_can_be_seen_in_forced_colours(browser: Browser, address: str) -> None:
    page = a_page(browser, forced_colors="active")
    page.goto(f"{address}/q/petit/fr?site=immigration")
    page.get_by_label("Oui").check()
    style = "e => getComputedStyle(e.closest('.option')).outlineStyle"
    assert page.locator("#came-came_in").evaluate(style) == "solid"


def test_the_first_visit_is_light(browser: Browser, address: str) -> None:
    page = a_page(browser)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{address}/q/usagers/fr?site=immigration", wait_until="networkidle")
    own = [url for url in requests if not url.startswith("data:")]
    assert len(own) <= 4  # page, style, script, icon
    assert all(url.startswith(address) for url in own)
    assert page.evaluate("document.cookie") == ""
