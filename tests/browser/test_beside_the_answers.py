"""What helps where a browser has it, and nothing depends on: wake lock, full screen, Background Sync."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.sync_api import Page

from tests.browser.tablet_browser import (
    Network,
    interview,
    next_person,
    outbox,
    until,
)

pytestmark = pytest.mark.browser

LOCKS: Final = """
window.locks = [];
const request = WakeLock.prototype.request;
WakeLock.prototype.request = async function (...given) {
  const lock = await request.apply(this, given);
  window.locks.push(lock);
  return lock;
};"""
"""Every wake lock that the browser gave."""
HELD: Final = "() => window.locks.filter((lock) => !lock.released).length"
FILLS: Final = "document.fullscreenElement === document.documentElement"
LEAVE: Final = "document.getElementById('agent-leave').click()"
GO_AND_COME_BACK: Final = """async () => {
  await window.locks.at(-1).release(); // as the browser does when the page is hidden
  document.dispatchEvent(new Event('visibilitychange'));
}"""
BUSY: Final = ("503 Service Unavailable", "application/json", b"{}")
COUNT_THE_CALLS: Final = """() => {
  window.calls = 0;
  navigator.serviceWorker.addEventListener('message', ({ data }) => {
    if (data === 'send') window.calls += 1;
  });
}"""
SYNC_TAGS: Final = "navigator.serviceWorker.ready.then((found) => found.sync.getTags())"


@pytest.fixture
def page_scripts() -> tuple[str, ...]:
    return (LOCKS,)


def test_the_screen_stays_lit_from_the_first_touch_until_the_agent_takes_the_tablet_out(tablet: Page) -> None:
    tablet.reload()
    tablet.locator("a.language-card").first.wait_for()
    assert tablet.evaluate(HELD) == 0
    tablet.locator("h1:visible").first.click()
    until(tablet, f"({HELD})() === 1")
    tablet.evaluate(GO_AND_COME_BACK)
    until(tablet, f"({HELD})() === 1")
    tablet.locator("h1:visible").first.click()
    assert len(tablet.evaluate("window.locks.map((lock) => lock.type)")) == 2, "one at a time"
    tablet.evaluate(LEAVE)
    until(tablet, f"({HELD})() === 0")
    tablet.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    tablet.wait_for_timeout(300)
    assert tablet.evaluate(HELD) == 0


def test_whoever_begins_fills_the_screen_and_an_agent_who_leaves_gives_the_bars_back(tablet: Page) -> None:
    tablet.locator("#agent-open").click()  # without a touch no page may fill the screen
    tablet.evaluate("document.documentElement.requestFullscreen()")
    until(tablet, FILLS)
    tablet.evaluate(LEAVE)
    until(tablet, "document.fullscreenElement === null")
    tablet.locator("#paused-resume").click()
    tablet.locator("a.language-card[data-language=fr]").click()
    tablet.locator("#begin").wait_for()
    assert not tablet.evaluate(FILLS)
    tablet.locator("#begin").click()
    until(tablet, FILLS)


def test_a_browser_without_a_network_is_asked_to_wake_the_sender_when_it_is_back(tablet: Page) -> None:
    tablet.context.set_offline(True)
    interview(tablet, "en attente")
    next_person(tablet)
    assert len(outbox(tablet)) == 1
    until(tablet, f"{SYNC_TAGS}.then((tags) => tags.includes('outbox'))")


def test_a_browser_that_is_online_is_not_asked_for_it_would_wake_the_sender_without_end(
    tablet: Page, network: Network
) -> None:
    network.instead = lambda method, _path: BUSY if method == "PUT" else None
    interview(tablet, "en attente")
    next_person(tablet)
    tablet.evaluate(COUNT_THE_CALLS)
    tablet.wait_for_timeout(3_000)
    assert tablet.evaluate("window.calls") == 0
    the_network_is_back(tablet)
    until(tablet, "window.calls > 0")
    assert len(outbox(tablet)) == 1


def the_network_is_back(tablet: Page) -> None:
    """The browser wakes the worker, as it does when its network is back."""
    workers = tablet.context.new_cdp_session(tablet)
    found: list[str] = []

    def note(told: dict[str, Any]) -> None:
        found.extend(one["registrationId"] for one in told["registrations"])

    workers.on("ServiceWorker.workerRegistrationUpdated", note)
    workers.send("ServiceWorker.enable")
    event = {
        "origin": tablet.evaluate("location.origin"),
        "registrationId": found[0],
        "tag": "outbox",
        "lastChance": False,
    }
    workers.send("ServiceWorker.dispatchSyncEvent", event)
