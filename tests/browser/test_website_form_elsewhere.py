"""The website form in the other browsers: Firefox as well as Chromium, and the engine of Safari."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PageError
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.test_website_form import a_page, fill_in, go_on
from tests.survey_app.website_site import WebsiteSite

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("webkit"),
    pytest.mark.timeout(180),
    # Selenium's own start of WebKitGTK still uses what its newest version calls deprecated.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]
SECRET = "Ce que la suivante ne doit pas lire"


def test_with_and_without_javascript_every_browser_gives_equal_rows(
    either_browser: Browser, site: WebsiteSite, address: str
) -> None:
    for enabled in (True, False):
        fill_in(a_page(either_browser, java_script_enabled=enabled), address)
    first, second = site.responses()
    assert first == second
    assert first["answers"]["reasons.other"] == "Un colis"
    assert first["flags"] == []


def begin(page: Page, address: str) -> None:
    """Two pages of answers; the last page is on the screen."""
    page.goto(f"{address}/q/petit/fr?site=immigration")
    page.get_by_label("Non").check()
    page.locator("#minutes").fill("3")
    go_on(page)
    page.locator("#nickname").fill(SECRET[:20])
    go_on(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_back_works_within_the_form_and_shows_nothing_of_it_after_the_thanks(
    either_browser: Browser, address: str, javascript: bool
) -> None:
    page = either_browser.new_context(java_script_enabled=javascript).new_page()
    begin(page, address)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("À distance")
    go_on(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Pour finir")
    page.locator("#comment").fill(SECRET)
    go_on(page)
    page.wait_for_url("**/merci*")
    for _ in range(3):
        go_back_if_possible(page)
        assert shown_fields(page) == []


def test_after_the_thanks_back_opens_an_empty_form_and_never_asks_to_send_again(
    either_browser: Browser, site: WebsiteSite, address: str
) -> None:
    page = a_page(either_browser)
    page.goto(f"{address}/")
    begin(page, address)
    page.locator("#comment").fill(SECRET)
    go_on(page)
    page.wait_for_url("**/merci*")
    for _ in range(3):
        page.go_back()
        assert page.url == f"{address}/q/petit/fr?site=immigration"
        expect(page.get_by_role("button", name="Continuer")).to_be_visible()
        assert shown_fields(page) == []
        page.reload()
        expect(page.get_by_role("heading", level=2)).to_have_text("La première page")
        assert shown_fields(page) == []
    page.evaluate("history.back()")
    wait_for_path(page, "/")
    assert (site.records, site.conflicts) == (1, 0)


def test_back_forward_and_reload_find_the_answers_of_who_is_answering(
    either_browser: Browser, site: WebsiteSite, address: str
) -> None:
    page = a_page(either_browser)
    begin(page, address)
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", level=1)).to_have_text("To finish")
    page.go_back()
    expect(page.locator("#nickname")).to_have_value(SECRET[:20])
    page.go_back()
    expect(page.locator("#minutes")).to_have_value("3")
    page.locator("#minutes").fill("4")
    page.go_forward()
    expect(page.locator("#nickname")).to_have_value(SECRET[:20])
    page.reload()
    expect(page.locator("#nickname")).to_have_value(SECRET[:20])
    go_on(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("To finish")
    go_on(page)
    page.wait_for_url("**/merci*")
    (row,) = site.responses()
    assert (row["answers"]["minutes"], row["answers"]["nickname"]) == (4, SECRET[:20])


def wait_for_path(page: Page, path: str) -> None:
    """Until the browser is there; Firefox may bring the page from its memory, and tell nobody."""
    for _ in range(50):
        with suppress(PageError):  # asked while the page goes
            if page.evaluate("location.pathname") == path:
                return
        page.wait_for_timeout(100)
    pytest.fail(f"still at {page.evaluate('location.href')}")


def test_the_link_of_an_error_leads_to_its_question_and_leaves_no_step_in_the_history(
    either_browser: Browser, address: str
) -> None:
    page = a_page(either_browser)
    page.goto(f"{address}/")
    page.goto(f"{address}/q/petit/fr?site=immigration")
    go_on(page)
    expect(page.locator("#summary")).to_be_focused()
    page.locator("#summary a").first.click()
    expect(page.locator("#question-came")).to_be_in_viewport()
    assert page.url.endswith("#question-came")
    page.evaluate("history.back()")
    wait_for_path(page, "/")


def test_when_the_network_goes_the_browser_says_so_and_the_answers_are_still_in_the_page(
    browser: Browser, site: WebsiteSite, address: str
) -> None:
    page = browser.new_context().new_page()
    begin(page, address)
    page.locator("#comment").fill("Toujours là")
    page.route("**/q/**", lambda route: route.abort("internetdisconnected"))
    with page.expect_event("requestfailed", lambda request: request.is_navigation_request()):
        page.locator(".actions .button").click()
    page.unroute("**/q/**")
    page.reload()
    page.wait_for_url("**/merci*")
    assert [row["answers"]["comment"] for row in site.responses()] == ["Toujours là"]


def go_back_if_possible(page: Page) -> None:
    """Back; a browser that kept nothing shows an error page of its own."""
    try:
        page.go_back(timeout=4000)
    except PageError:
        page.wait_for_timeout(300)


def shown_fields(page: Page) -> list[str]:
    """Everything filled in on the page now on the screen; an error page of the browser has nothing."""
    try:
        found: list[str] = page.evaluate(
            """() => [...document.querySelectorAll('textarea, input:not([type=hidden])')]
              .filter(e => e.checked || (e.value && !['radio', 'checkbox'].includes(e.type)))
              .map(e => e.name)"""
        )
    except PageError:
        return []
    return found


def test_more_contrast_draws_stronger_edges(browser: Browser, address: str) -> None:
    edges = {}
    for contrast in ("no-preference", "more"):
        page = a_page(browser, contrast=contrast)
        page.goto(f"{address}/q/petit/fr?site=immigration")
        colour = "e => getComputedStyle(e.closest('.option')).borderTopColor"
        edges[contrast] = page.locator("#came-came_in").evaluate(colour)
        assert page.evaluate("matchMedia('(prefers-contrast: more)').matches") is (contrast == "more")
    assert luminance(edges["more"]) < luminance(edges["no-preference"])


def luminance(colour: str) -> float:
    """Roughly how light an `rgb(…)` is, enough to compare two greys."""
    parts = [float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    return sum(parts) / 3


def test_the_form_can_be_answered_in_webkit(driver: Any, site: WebsiteSite, address: str) -> None:
    driver.get(f"{address}/q/petit/fr?site=immigration")
    press(driver, "label.option", 0)
    assert visible(driver, "[data-item=reasons]"), "the script shows the question that has become relevant"
    press(driver, "[data-item=reasons] label.option", 0)
    driver.find_element(By.ID, "minutes").send_keys("12")
    press(driver, ".actions .button", 0)
    wait(driver, "h1", "Pour finir")
    driver.find_element(By.ID, "comment").send_keys("Très bien.")
    press(driver, ".actions .button", 0)
    wait(driver, "h1", "Merci, votre avis est enregistré")
    (row,) = site.responses()
    assert row["answers"] == {
        "came": ["came_in"],
        "reasons": ["paper"],
        "minutes": 12,
        "comment": "Très bien.",
    }


def press(driver: Any, selector: str, position: int) -> None:
    """Click on one of the elements."""
    driver.find_elements(By.CSS_SELECTOR, selector)[position].click()


def visible(driver: Any, selector: str) -> bool:
    """Whether the element can be seen."""
    return bool(driver.find_element(By.CSS_SELECTOR, selector).is_displayed())


def wait(driver: Any, selector: str, text: str) -> None:
    """Until the page that comes has this text."""
    going = (StaleElementReferenceException,)  # of the page before, found just when the next one came
    WebDriverWait(driver, 20, ignored_exceptions=going).until(
        lambda _driver: [e.text for e in driver.find_elements(By.CSS_SELECTOR, selector)] == [text]
    )
