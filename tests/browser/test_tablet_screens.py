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
        page.get_by_role("button", name="Enrôler").click()
        page.locator(f"a[data-language={language}]").wait_for()
        check(page)
        page.locator(f"a[data-language={language}]").click()
        page.locator("#begin").wait_for()
        check(page)
        page.locator("#begin").click()
        assert walk_to_thanks(page) >= 8
        check(page)
    context.close()


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
        page.get_by_role("button", name="Enrôler").click()
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
