"""B. Concurrency: two tabs, two senders, a sender that stands still, taps that come too often."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.tablet_browser import (
    PATIENCE,
    TRY_NOW,
    begin,
    next_person,
    stored,
    to_last_screen,
    wait_for_draft,
)
from tests.faults.frozen_tab import frozen
from tests.faults.one_tablet import BUSY, OneTablet, Reply, chain_faults, forks_seen

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@dataclass
class Sends:
    """Every record that a tablet sends; the server may refuse it, answer late, or never."""

    paths: list[str] = field(default_factory=list)
    busy: bool = True
    delay: float = 0
    hold_next: bool = False
    under_way: int = 0
    most: int = 0
    """How many were on their way at once."""
    let_go: threading.Event = field(default_factory=threading.Event)

    def __call__(self, method: str, path: str) -> Reply | None:
        """Stand before the application."""
        if method != "PUT":
            return None
        if self.busy:
            return BUSY
        self.paths.append(path)
        held, self.hold_next = self.hold_next, False
        if held:
            self.let_go.wait(PATIENCE / 1_000)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        time.sleep(self.delay)
        self.under_way -= 1
        return None


@pytest.fixture
def sends(tablet: OneTablet) -> Iterator[Sends]:
    """Until a test says so, the server takes nothing."""
    made = Sends()
    tablet.network.instead = made
    yield made
    made.let_go.set()


def second_tab(tablet: OneTablet) -> Page:
    page = tablet.page.context.new_page()
    page.goto(tablet.address)
    page.locator("a.language-card[data-language=fr]").wait_for()
    return page


def wait_until_sent(page: Page, sends: Sends, number: int) -> None:
    until = time.monotonic() + PATIENCE / 1_000
    while len(sends.paths) < number:
        assert time.monotonic() < until, sends.paths
        page.wait_for_timeout(50)


# 15: two tabs


@pytest.mark.fault(15)
def test_two_people_in_two_tabs_keep_their_answers_apart(tablet: OneTablet) -> None:
    tabs = {"premier": tablet.page, "second": second_tab(tablet)}
    for tab in tabs.values():
        begin(tab)
    for place, tab in enumerate(tabs.values()):
        tab.locator("label.option:visible").nth(place).click()
    wait_for_draft(tablet.page)
    for number, tab in enumerate(tabs.values(), start=1):
        tab.locator("#next").click()
        tab.locator("[name=minutes]").fill(str(number))
        tab.locator("#next").click()
    for name, tab in tabs.items():
        tab.locator("[name=comment]").fill(name)
    wait_for_draft(tablet.page, 2)
    assert {record["state"] for record in stored(tablet.page)} == {"draft"}
    assert tablet.site.records() == [], "the drafts of living pages are sent"
    for tab in reversed(tabs.values()):
        tab.locator("#next").click()
        expect(tab.locator("#thanks-title")).to_be_visible(timeout=PATIENCE)
    assert chain_faults(tablet.page) == []
    tablet.saved = tablet.on_disk()
    assert tablet.saved.total() == len(tabs)
    tablet.deliver()
    tablet.assert_all_arrived()
    assert forks_seen(tablet.site) == [], "the staff would be told to revoke a healthy tablet"
    told = {str(answers["comment"]): answers for answers in tablet.site.answers()}
    assert told == {
        "premier": {"courtesy": ["very_satisfied"], "minutes": 1, "comment": "premier"},
        "second": {"courtesy": ["satisfied"], "minutes": 2, "comment": "second"},
    }


SAME_NUMBER = "crypto.randomUUID = () => '00000000-0000-4000-8000-000000000000';"


def test_two_people_whose_interviews_have_one_number_are_both_thanked_for_one_answer(
    tablet: OneTablet, sends: Sends
) -> None:
    """The control."""
    tablet.page.context.add_init_script(SAME_NUMBER)
    tablet.page.reload()
    tabs = {"premier": tablet.page, "second": second_tab(tablet)}
    for name, tab in tabs.items():
        begin(tab)
        to_last_screen(tab, name)
    for tab in tabs.values():
        tab.locator("#next").click()
        expect(tab.locator("#thanks-title")).to_be_visible(timeout=PATIENCE)
    (record,) = stored(tablet.page)
    assert record["kind"] == "finished"


# 16: two senders

NO_LOCK = """
const request = navigator.locks.request.bind(navigator.locks);
LockManager.prototype.request = (name, ...given) =>
  name === 'outbox sender' ? Promise.resolve().then(() => given.at(-1)({ name })) : request(name, ...given);
const mine = `lease ${Math.random()}`;
const get = IDBObjectStore.prototype.get;
IDBObjectStore.prototype.get = function (key) { return get.call(this, key === 'lease' ? mine : key); };
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (...given) {
  if (given[1] === 'lease') given[1] = mine;
  return put.apply(this, given);
};"""
"""The control: neither the lock nor the lease holds two tabs apart."""


def sent_at_once(tablet: OneTablet, sends: Sends, *scripts: str) -> int:
    """Two records wait, two tabs are told at once that the network is back, and it is slow."""
    for script in scripts:
        tablet.page.context.add_init_script(script)
    for comment in ("un", "deux"):
        tablet.one_person(comment)
    other = second_tab(tablet)
    sends.delay, sends.busy = 0.6, False
    for page in (tablet.page, other):
        page.evaluate(TRY_NOW)
    wait_until_sent(other, sends, 2)
    tablet.deliver()
    tablet.assert_all_arrived()
    return sends.most


@pytest.mark.fault(16)
def test_of_two_tabs_that_may_send_one_sends(tablet: OneTablet, sends: Sends) -> None:
    assert sent_at_once(tablet, sends) == 1


def test_without_lock_and_lease_two_tabs_send_the_same_records_and_the_server_keeps_one_of_each(
    tablet: OneTablet, sends: Sends
) -> None:
    assert sent_at_once(tablet, sends, NO_LOCK) > 1


# 17: the tab that sends stands still

LATER = "() => { const now = Date.now; Date.now = () => now.call(Date) + 61_000; }"


def stuck_sender(tablet: OneTablet, sends: Sends) -> Page:
    """The first tab waits for an answer that does not come; gives the second one, which has to wait."""
    tablet.one_person("en route")
    sends.busy, sends.hold_next = False, True
    tablet.page.evaluate(TRY_NOW)
    wait_until_sent(tablet.page, sends, 1)
    other = second_tab(tablet)  # not before: it would try as well, and might be the one that sends
    other.evaluate(TRY_NOW)
    other.wait_for_timeout(700)
    assert len(sends.paths) == 1, "two tabs send at once"
    return other


def receipted(page: Page) -> None:
    page.evaluate(TRY_NOW)
    expect(page.locator("#agent-waiting")).to_have_text("0 en attente", timeout=PATIENCE)


@pytest.mark.fault(17)
def test_a_frozen_sender_is_passed_when_its_lease_is_over_and_sends_nothing_when_it_wakes(
    tablet: OneTablet, sends: Sends
) -> None:
    other = stuck_sender(tablet, sends)
    with frozen(tablet.page, other):
        other.evaluate(TRY_NOW)
        other.wait_for_timeout(700)
        assert len(sends.paths) == 1, "the lease of a frozen tab is not respected"
        other.evaluate(LATER)
        receipted(other)
        assert len(sends.paths) == 2
        sends.let_go.set()
    receipted(tablet.page)
    assert len(sends.paths) == 2
    tablet.assert_all_arrived()


@pytest.mark.fault(17)
def test_a_crashed_sender_is_passed_at_once(tablet: OneTablet, sends: Sends) -> None:
    other = stuck_sender(tablet, sends)
    with tablet.page.expect_event("crash", timeout=PATIENCE), suppress(Error):
        tablet.page.goto("chrome://crash")
    other.evaluate(TRY_NOW)
    receipted(other)
    assert len(sends.paths) == 2
    tablet.assert_all_arrived()


# 19: taps that come too often

TAP_WILDLY = """() => new Promise((resolve) => {
  const box = document.getElementById('next').getBoundingClientRect();
  const places = [[box.x + box.width / 2, box.y + box.height / 2], [innerWidth / 2, innerHeight / 2]];
  let taps = 0;
  const tap = () => {
    const [x, y] = places[taps > 12 ? taps % 2 : 0];
    document.elementFromPoint(x, y)?.click();
    taps += 1;
    if (taps === 20) resolve(taps);
    else if (taps % 2) tap();
    else setTimeout(tap, 4);
  };
  tap();
})"""
"""Twenty taps in fifty milliseconds, on the button, on what takes its place, and beside it."""


@pytest.mark.fault(19)
def test_twenty_taps_on_finish_and_around_it_save_one_answer(tablet: OneTablet, sends: Sends) -> None:
    tablet.begin("une seule fois")
    assert tablet.page.evaluate(TAP_WILDLY) == 20
    tablet.merci()
    next_person(tablet.page)
    expect(tablet.page.locator("#agent-today")).to_have_text("1 avis aujourd’hui")
    assert chain_faults(tablet.page) == []
    sends.busy = False
    tablet.deliver()
    tablet.assert_all_arrived()
    assert len(sends.paths) == 1
