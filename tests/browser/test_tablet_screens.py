"""Every screen of the tablet: accessible, large enough to touch, still; both directions, both positions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.tablet_browser import LANDSCAPE, PORTRAIT, Network, begin, until
from tests.browsers import free_port
from tests.survey_app.tablet_site import tablet_site

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
AXE = (ROOT / "survey_app/client/node_modules/axe-core/axe.min.js").read_text("utf-8")
RUN_AXE = """async () => (await axe.run(document)).violations
  .map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 120))])"""
SMALL_TARGETS = """() => [...document.querySelectorAll('main button, main a, main .option')]
  .filter((target) => target.checkVisibility())
  .filter((target) => target.getBoundingClientRect().height < 64 || target.getBoundingClientRect().width < 64)
  .map((target) => target.outerHTML.slice(0, 120))"""
WATCH_SHIFTS = """window.shifted = [];
new PerformanceObserver((list) => {
  // « Précisez » opens under the option just tapped: what lies below makes room, and may.
  const beside = [...document.querySelectorAll('.specify')].some((part) => part.checkVisibility());
  for (const entry of list.getEntries()) {
    const moved = entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 80));
    if (!(entry.hadRecentInput && beside)) window.shifted.push([entry.value, entry.hadRecentInput, moved]);
  }
}).observe({ type: 'layout-shift', buffered: true });"""
QUESTIONNAIRE = (ROOT / "form_definitions/questionnaires/users.yaml").read_text("utf-8")


@pytest.fixture(scope="module")
def served_tablet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with tablet_site(tmp_path_factory.mktemp("server"), QUESTIONNAIRE) as site:
        yield Network(site)


@pytest.mark.parametrize("viewport", [PORTRAIT, LANDSCAPE], ids=["portrait", "landscape"])
@pytest.mark.parametrize("language", ["fr", "ar"])
def test_every_screen_is_accessible_touchable_and_still(
    served_tablet: Network, browser: Browser, viewport: Any, language: str
) -> None:
    context = browser.new_context(viewport=viewport, has_touch=True)
    page = context.new_page()
    page.add_init_script(WATCH_SHIFTS)
    with served_tablet.up(free_port()) as address:
        page.goto(address)
        check(page)
        page.fill("#enrolment-code", served_tablet.site.code())
        page.get_by_role("button", name="Inscrire").click()
        page.locator(f"a[data-language={language}]").wait_for()
        check(page)
        page.locator(f"a[data-language={language}]").click()
        page.locator("#begin").wait_for()
        check(page)
        page.locator("#begin").click()
        assert walk_to_thanks(page) >= 8
        check(page)
    context.close()


PHONE: Any = {"width": 360, "height": 740}
ACROSS = """() => [
  'main', '.progress', '.steps', '#next', '.agent-corner', '[data-item]:not([data-off-screen])',
].map((part) => {
  const { left, width } = document.querySelector(part).getBoundingClientRect();
  return [part, left, width];
})"""
BANNER = """() => {
  const { left, top, width } = document.querySelector('.practice').getBoundingClientRect();
  return [left, top, width];
}"""
END_OF_THE_LINE = "() => document.getElementById('agent-corner').getBoundingClientRect().bottom - innerHeight"


@pytest.mark.parametrize(
    ("viewport", "language"),
    [(PORTRAIT, "fr"), (LANDSCAPE, "ar"), (PHONE, "ar")],
    ids=["portrait", "landscape", "phone"],
)
def test_a_practice_screen_is_that_of_an_interview_below_a_banner(
    served_tablet: Network, browser: Browser, viewport: Any, language: str
) -> None:
    context = browser.new_context(viewport=viewport, has_touch=True)
    page = context.new_page()

    def screens(mark: str) -> list[Any]:
        page.goto(f"{address}q/usagers/{language}{mark}")
        page.locator("#begin").click()
        found = []
        for _screen in range(3):
            found.append(page.evaluate(ACROSS))
            assert page.evaluate(END_OF_THE_LINE) == 0
            if mark:
                assert page.evaluate(BANNER) == [0, 0, viewport["width"]]
            page.locator("label.option:visible").last.click()
            page.evaluate("scrollTo(0, 0)")
            page.locator("#skip").click()
        return found

    with served_tablet.up(free_port()) as address:
        enrolled(page, address, served_tablet)
        assert screens("#practice") == screens("")
    context.close()


BESIDE_ITS_BOX = """() => [...document.querySelectorAll('.option')].filter((box) => box.checkVisibility())
  .filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.textContent.trim())"""


def test_on_a_phone_a_refusal_is_one_tap_and_words_stay_in_their_boxes(
    served_tablet: Network, browser: Browser
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True)
    page = context.new_page()
    with served_tablet.up(free_port()) as address:
        enrolled(page, address, served_tablet)
        expect(page.locator("#refusal")).to_be_in_viewport(ratio=1)
        for _refusal in range(2):
            page.locator("#refusal").click()
            expect(page.locator("#refusal-noted")).to_have_text("Refus noté\u00a0: 1 aujourd’hui.")
            for part in ("#refusal", "#refusal-undo", "#refusal-noted"):
                expect(page.locator(part)).to_be_in_viewport(ratio=1)
            page.locator("#refusal-undo").click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        begin(page, "en")
        grids = 0
        while page.locator("body").get_attribute("data-screen") == "questions":
            grids += page.locator("[data-grid]:visible").count()
            assert page.evaluate(BESIDE_ITS_BOX) == []
            for question in page.locator("[data-item]:visible").all():
                if question.locator("label.option").count():
                    question.locator("label.option").first.click()
            page.locator("#next").click()
        assert grids
    context.close()


TOPS = (
    "() => [...document.querySelectorAll('.steps button')].map((one) => one.getBoundingClientRect().bottom)"
)
BENEATH_A_ROW_TITLE = """() => [...document.querySelectorAll('.grid > .question')]
  .filter((row) => row.checkVisibility())
  .map((row) => row.querySelector('.option').getBoundingClientRect().top
    - row.querySelector('legend').getBoundingClientRect().bottom)"""


@pytest.mark.parametrize("viewport", [PORTRAIT, LANDSCAPE], ids=["portrait", "landscape"])
def test_what_is_read_aloud_has_its_buttons_on_one_line_and_its_titles_apart(
    served_tablet: Network, browser: Browser, viewport: Any
) -> None:
    context = browser.new_context(viewport=viewport, has_touch=True)
    page = context.new_page()
    with served_tablet.up(free_port()) as address:
        enrolled(page, address, served_tablet)
        page.locator("[data-handover=reading]").click()
        begin(page)
        while page.locator("[data-grid]:visible").count() == 0:
            assert len(set(page.evaluate(TOPS))) == 1
            page.locator("#skip").click()
        assert min(page.evaluate(BENEATH_A_ROW_TITLE)) >= 8
    context.close()


def enrolled(page: Page, address: str, network: Network) -> None:
    page.goto(address)
    page.fill("#enrolment-code", network.site.code())
    page.get_by_role("button", name="Inscrire").click()
    page.locator("a[data-language=fr]").wait_for()


SHOW_NOTICE = """(name) => {
  for (const one of document.querySelectorAll('[data-notice]')) one.hidden = one.dataset.notice !== name;
  document.getElementById('agent-site').textContent = 'Bureau de l’immigration et de l’intégration';
  document.getElementById('agent-contact').textContent = 'dernier contact 28 nov. 17:21';
}"""
BETWEEN = """() => document.getElementById('agent-corner').getBoundingClientRect().top
  - document.querySelector('.steps').getBoundingClientRect().bottom"""


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_the_agents_line_covers_no_button_however_much_it_says(
    served_tablet: Network, browser: Browser, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 740}, has_touch=True)
    page = context.new_page()
    with served_tablet.up(free_port()) as address:
        page.goto(address)
        page.fill("#enrolment-code", served_tablet.site.code())
        page.get_by_role("button", name="Inscrire").click()
        begin(page)
        names = page.eval_on_selector_all("[data-notice]", "found => found.map((one) => one.dataset.notice)")
        for name in (*names, ""):
            page.evaluate(SHOW_NOTICE, name)
            until(page, f"({BETWEEN})() >= 0")
    context.close()


def walk_to_thanks(page: Page) -> int:
    """Answer each question with its last option; gives the number of screens."""
    screens = 0
    while page.locator("body").get_attribute("data-screen") == "questions":
        check(page)
        for question in page.locator("[data-item]:visible").all():
            if question.locator("label.option").count():
                question.locator("label.option").last.click()
        check(page)
        page.locator("#next").click()
        screens += 1
        if page.locator("body").get_attribute("data-screen") == "saving":
            expect(page.locator("#thanks-title")).to_be_visible()
    return screens


def check(page: Page) -> None:
    page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    assert page.evaluate(RUN_AXE) == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("window.shifted") == []
