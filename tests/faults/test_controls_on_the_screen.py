"""Controls of faults 45, 47, 52, 53 and 54: the same tablet that keeps too little, or too much."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, Playwright, expect

from survey_app import assets
from survey_app.collection_modes import tablet_bundle
from tests.browser.tablet_browser import begin, enrol, stop_the_clock, to_last_screen
from tests.browser.test_tablet import assert_nothing_left
from tests.browsers import free_port
from tests.faults.field import Field, in_the_field
from tests.faults.ledger import look_into
from tests.faults.test_life_cycle import another_build, without_a_newer_worker
from tests.faults.test_people_and_privacy import LONGEST_PATIENCE_S, readable

pytestmark = [pytest.mark.browser]

FORGET_THE_FILES: Final = """async () => {
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const kept of await cache.keys()) if (kept.url.includes('/static/build/')) await cache.delete(kept);
  }
}"""
"""What a worker does that keeps pages, and fetches the rest when it is needed."""


def can_begin(page: Page) -> bool:
    """Whether the page has come to life within a second."""
    page.wait_for_timeout(1_000)
    return page.locator("#begin").is_visible()


@pytest.mark.parametrize("keeps_the_files", [True, False])
def test_a_tablet_that_fetches_its_files_when_needed_asks_nobody_once_the_server_dropped_them(
    field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeps_the_files: bool
) -> None:
    """With its control."""
    page = field.page
    if not keeps_the_files:
        page.evaluate(FORGET_THE_FILES)
    monkeypatch.setattr(assets, "BUILD", another_build(tmp_path / "build"))
    field.network.instead = without_a_newer_worker
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.goto(f"{field.address}q/usagers/fr")
    assert can_begin(page) is keeps_the_files


def test_answers_under_an_old_address_that_nobody_copies_out_stay_there(field: Field) -> None:
    """The control: a new enrolment under the new address, and no file."""
    field.disconnect()
    field.one_person("sous l’ancienne adresse")
    with field.network.up(free_port()) as new_address:
        enrol(field.page, new_address, field.site)
        field.one_person("sous la nouvelle adresse")
        field.deliver()
        lost = look_into(field.database, [f"record {line}" for line in field.saved]).lost
    assert lost == {field.saved[0]}


TAKES_NOBODY_FOR_GONE: Final = """() => new Promise((done) => {
  const opening = indexedDB.open('tablet');
  opening.onsuccess = () => {
    const writing = opening.result.transaction('facts', 'readwrite');
    writing.objectStore('facts').put(86400, 'idle_seconds');
    writing.oncomplete = () => { opening.result.close(); done(); };
  };
})"""


def test_a_tablet_that_takes_nobody_for_gone_shows_the_next_person_what_was_being_answered(
    field: Field,
) -> None:
    """The control: nobody is warned, and the staff hear nothing of it."""
    page, mine = field.page, "Réponse en cours : le hérisson"
    stop_the_clock(page)
    field.disconnect()
    page.evaluate(TAKES_NOBODY_FOR_GONE)
    begin(page)
    to_last_screen(page, mine)
    page.clock.run_for(LONGEST_PATIENCE_S * 1_000)
    expect(page.locator("#idle-title")).to_be_hidden()
    assert readable(page, mine)
    with pytest.raises(AssertionError):
        assert_nothing_left(page)
    field.connect()
    page.clock.run_for(60_000)
    assert field.site.records() == []


ORDINARY_PAGE: Final = """
performance.getEntriesByType = () => [];
const listen = window.addEventListener;
window.addEventListener = function (type, ...rest) {
  if (type !== 'pagehide' && type !== 'pageshow') listen.call(this, type, ...rest);
};
Object.defineProperty(HTMLFormElement.prototype, 'autocomplete', { set() {} });
HTMLFormElement.prototype.reset = () => {};"""


def test_a_page_that_lets_the_browser_remember_shows_the_next_person_an_earlier_answer(
    playwright: Playwright, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the browser may keep what it likes, and the page does not ask how it was opened."""
    draw = tablet_bundle._interview_page
    ordinary = lambda *given: draw(*given).replace(b' autocomplete="off"', b"")  # noqa: E731
    monkeypatch.setattr(tablet_bundle, "_interview_page", ordinary)
    with in_the_field(playwright, tmp_path) as field:
        page = field.page
        page.context.add_init_script(ORDINARY_PAGE)
        begin(page)
        to_last_screen(page, "Madame Martin, guichet 3")
        page.goto(field.address)
        page.go_back()
        page.locator("#begin").wait_for()
        with pytest.raises(AssertionError):
            assert_nothing_left(page)
