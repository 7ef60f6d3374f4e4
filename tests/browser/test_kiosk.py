"""The tablet as a kiosk: idle, asleep, refused, locked by a PIN, read aloud, and whether it is ready."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tablet_browser import (
    Network,
    begin,
    fact,
    finish,
    next_person,
    stop_the_clock,
    to_last_screen,
    wait_for_empty_outbox,
)
from tests.survey_app.tablet_site import TabletSite

pytestmark = pytest.mark.browser

PIN = "4826"
IDLE_SECONDS = 90
WAKE_AN_HOUR_LATER = """() => {
  const now = Date.now;
  Date.now = () => now() + 3_600_000;
  document.dispatchEvent(new Event('visibilitychange'));
}"""
DAMAGE_THE_START_PAGE = """async () => {
  const [name] = await caches.keys();
  const cache = await caches.open(name);
  const page = await (await cache.match('/tablette/')).text();
  const headers = { 'Content-Type': 'text/html; charset=utf-8' };
  await cache.put('/tablette/', new Response(page.replace('</body>', ' </body>'), { headers }));
  await new Promise((done) => {
    const opening = indexedDB.open('tablet');
    opening.onsuccess = () => {
      const writing = opening.result.transaction('facts', 'readwrite');
      writing.objectStore('facts').delete('assets');
      writing.oncomplete = () => { opening.result.close(); done(); };
    };
  });
}"""
NUMBERS = """() => [...document.querySelectorAll('.option-label')].filter((label) => label.checkVisibility())
  .map((label) => getComputedStyle(label, '::before').content)"""


@pytest.fixture
def server_settings() -> dict[str, int]:
    return {"tablet_idle_seconds": IDLE_SECONDS}


@pytest.fixture
def agents_pin() -> str:
    return PIN


def test_an_idle_tablet_says_so_waits_for_whoever_needs_time_and_then_starts_afresh(tablet: Page) -> None:
    stop_the_clock(tablet)
    begin(tablet, "ar")
    tablet.clock.run_for((IDLE_SECONDS - 1) * 1_000)
    expect(tablet.locator("#idle-title")).to_be_hidden()
    tablet.clock.run_for(2_000)
    expect(tablet.locator("#idle-title")).to_be_focused()
    expect(tablet.get_by_role("alert").filter(has_text="30")).to_have_count(1)
    tablet.locator("#stay").click()
    expect(tablet.locator("#question-courtesy legend")).to_be_focused()
    expect(tablet.locator("#idle-said")).to_be_empty()
    tablet.clock.run_for((IDLE_SECONDS + 1) * 1_000)
    tablet.clock.run_for(31_000)
    tablet.locator("a.language-card[data-language=fr]").wait_for()
    assert tablet.evaluate("[document.documentElement.lang, scrollY, document.activeElement.tagName]") == [
        "fr",
        0,
        "BODY",
    ]


def test_whoever_wakes_a_sleeping_tablet_sees_nothing_of_the_person_before(tablet: Page) -> None:
    begin(tablet)
    tablet.locator("label.option:visible").first.click()
    tablet.evaluate(WAKE_AN_HOUR_LATER)
    tablet.locator("a.language-card[data-language=fr]").wait_for()


def test_one_tap_counts_a_refusal_once_and_it_can_be_taken_back(tablet: Page) -> None:
    tablet.locator("#refusal").dblclick()
    expect(tablet.locator("#refusal-noted")).to_have_text("Refus noté\u00a0: 1 aujourd’hui.")
    assert list(fact(tablet, "refusals").values()) == [1]
    tablet.locator("#refusal-undo").click()
    expect(tablet.locator("#refusal-undone")).to_have_text("Refus annulé\u00a0: 0 aujourd’hui.")
    assert list(fact(tablet, "refusals").values()) == [0]


@pytest.mark.fault(55)
def test_the_agents_acts_ask_for_the_pin_and_the_state_does_not(tablet: Page) -> None:
    tablet.locator("#agent-open").click()
    expect(tablet.locator("#agent-readiness")).to_be_visible()
    expect(tablet.locator("#pin-form")).to_be_visible()
    expect(tablet.locator("#agent-acts")).to_be_hidden()
    for _try in range(3):
        expect(tablet.locator("#pin")).to_be_enabled()
        tablet.fill("#pin", "0000")
        tablet.locator("#pin").press("Enter")
        expect(tablet.locator("#pin")).to_have_value("")
        expect(tablet.locator("[data-pin]:visible")).to_have_count(1)
    expect(tablet.locator("#pin-wait")).to_be_visible()
    tablet.reload()
    tablet.locator("#agent-open").click()
    expect(tablet.locator("#pin")).to_be_disabled()
    tablet.evaluate("() => { const now = Date.now; Date.now = () => now() + 31_000; }")
    expect(tablet.locator("#pin")).to_be_enabled()
    tablet.fill("#pin", PIN)
    tablet.locator("#pin").press("Enter")
    expect(tablet.locator("#agent-acts")).to_be_visible()
    assert fact(tablet, "pin_failures") == 3
    tablet.locator("#agent-leave").click()
    expect(tablet.locator("#paused-title")).to_be_visible()
    tablet.locator("#agent-open").click()
    expect(tablet.locator("#pin-form")).to_be_visible()
    expect(tablet.locator("#agent-acts")).to_be_hidden()


def test_the_record_tells_whether_somebody_helped_and_who_cannot_read_is_read_to(
    tablet: Page, server: TabletSite
) -> None:
    for handed_over in ("reading", "alone", None):
        if handed_over:
            tablet.locator(f"[data-handover={handed_over}]").click()
        begin(tablet)
        numbers = tablet.evaluate(NUMBERS)
        assert all(("counter" in number) == (handed_over == "reading") for number in numbers), numbers
        to_last_screen(tablet)
        finish(tablet)
        next_person(tablet)
    wait_for_empty_outbox(tablet)
    assert [body.assisted for body in server.bodies()] == [True, False, None]


def test_how_one_person_answers_is_forgotten_when_nobody_is_there(tablet: Page) -> None:
    stop_the_clock(tablet)
    reading = tablet.locator("[data-handover=reading]")
    reading.click()
    tablet.clock.run_for(119_000)
    expect(reading).to_have_attribute("aria-pressed", "true")
    tablet.clock.run_for(2_000)
    expect(reading).to_have_attribute("aria-pressed", "false")
    reading.click()
    tablet.evaluate("() => { const now = Date.now; Date.now = () => now() + 3_600_000; }")  # it slept
    begin(tablet)
    assert not tablet.evaluate("document.body.hasAttribute('data-reading')")


def test_a_damaged_file_stops_the_tablet_until_it_has_been_fetched_again(
    tablet: Page, network: Network
) -> None:
    corner = tablet.locator("#agent-corner")
    expect(corner).to_have_attribute("data-readiness", re.compile("."))  # the files were looked at before
    network.instead = lambda _method, _path: ("503 Service Unavailable", "text/plain", b"")  # no repair yet
    tablet.evaluate(DAMAGE_THE_START_PAGE)
    tablet.reload()
    expect(tablet.locator("[data-reason=assets]")).to_be_visible()
    assert fact(tablet, "readiness") == {"colour": "red", "reason": "assets"}
    network.instead = lambda _method, _path: None
    languages = tablet.locator("a.language-card[data-language=fr]")
    for _attempt in range(20):  # the worker fetches it meanwhile
        tablet.wait_for_timeout(500)
        tablet.reload()
        tablet.locator("[data-reason=assets], a.language-card[data-language=fr]").locator(
            "visible=true"
        ).first.wait_for()
        if languages.is_visible():
            break
    tablet.locator("#agent-open").click()
    expect(tablet.locator("[data-remedy]:visible")).to_have_count(1)
