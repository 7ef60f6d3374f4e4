"""A. The tablet's storage: full, closed, emptied, absent."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import CDPSession, Playwright, expect

from survey_app import assets
from tests.browser.tablet_browser import PATIENCE, begin, finish, next_person, to_last_screen
from tests.browser.test_power_cut import root, run, unmount
from tests.browsers import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.faults.one_tablet import (
    OneTablet,
    expect_refusal,
    lines_told,
    one_tablet,
    refuse_records,
    take_records,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
__all__ = ["root"]

CLIENT: Final = Path(assets.__file__).parent / "client"


# 6: the quota is exceeded


def starve(tablet: OneTablet) -> CDPSession:
    """Start the browser with less room than it uses. (Once it runs, it counts on the room it found.)"""
    tablet.switch_off()
    tablet.open()
    controls = tablet.cdp()
    give_room(tablet, controls, 1_000)
    return controls


def give_room(tablet: OneTablet, controls: CDPSession, size: int | None = None) -> None:
    quota = {} if size is None else {"quotaSize": size}
    controls.send("Storage.overrideQuotaForOrigin", {"origin": tablet.origin, **quota})


@pytest.mark.fault(6)
def test_without_quota_copies_go_first_then_nobody_begins_and_the_answers_of_now_wait_in_the_page(
    tablet: OneTablet,
) -> None:
    tablet.one_person("reçu")
    tablet.deliver()
    refuse_records(tablet)
    tablet.one_person("en attente")
    waiting = tablet.waiting()
    controls = starve(tablet)
    tablet.page.goto(tablet.address)
    expect_refusal(tablet.page, "full", "La mémoire de la tablette est pleine.")
    expect(tablet.page.locator("[data-notice=full]")).to_have_text("mémoire pleine, prévenez le référent")
    assert tablet.on_disk() == waiting, "the copy with its receipt goes, nothing else"
    tablet.page.goto(f"{tablet.address}q/usagers/fr")
    tablet.page.locator("#begin").click()
    to_last_screen(tablet.page, "pendant la disette")
    tablet.page.locator("#next").click()
    expect(tablet.page.locator("#failed-title")).to_be_visible(timeout=PATIENCE)
    give_room(tablet, controls)
    tablet.page.locator("#retry").click()
    tablet.merci()
    next_person(tablet.page)
    take_records(tablet)
    tablet.deliver()
    tablet.assert_all_arrived()


HASTY = """
const told = new WeakMap();
const { set } = Object.getOwnPropertyDescriptor(IDBTransaction.prototype, 'oncomplete');
Object.defineProperty(IDBTransaction.prototype, 'oncomplete', {
  set(tell) { told.set(this, tell); set.call(this, tell); },
});
const add = IDBObjectStore.prototype.add;
IDBObjectStore.prototype.add = function (...given) {
  const request = add.apply(this, given);
  request.addEventListener('success', () => told.get(this.transaction)());
  return request;
};"""


def test_a_page_that_thanks_before_the_transaction_is_complete_loses_an_answer(tablet: OneTablet) -> None:
    """The control: what a page does that believes in its requests."""
    starve(tablet)
    tablet.page.context.add_init_script(HASTY)
    tablet.page.goto(f"{tablet.address}q/usagers/fr")
    tablet.page.locator("#begin").click()
    to_last_screen(tablet.page, "remerciée pour rien")
    finish(tablet.page)
    assert tablet.on_disk() == Counter()


# 7: the disk itself is full


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=256M", "tmpfs", folder)
    try:
        yield folder
    finally:
        unmount(folder)


def fill_up(disk: Path) -> Path:
    """Not a byte is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return ballast


@pytest.mark.fault(7)
def test_a_full_disk_thanks_nobody_and_the_same_page_goes_on_when_there_is_room(
    root: None, playwright: Playwright, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk, one_tablet(playwright, tmp_path, disk / "profile") as tablet:
        refuse_records(tablet)
        tablet.one_person("avant")
        begin(tablet.page)
        ballast = fill_up(disk)
        to_last_screen(tablet.page, "pendant")
        tablet.page.locator("#next").click()
        expect(tablet.page.locator("#failed-title")).to_be_visible(timeout=PATIENCE)
        ballast.unlink()
        tablet.page.locator("#retry").click()
        tablet.merci()
        tablet.kill()  # what the full disk left half written has harmed nothing that came behind it
        tablet.switch_on()
        assert tablet.on_disk() == tablet.saved
        take_records(tablet)
        tablet.deliver()
        tablet.assert_all_arrived()
        tablet.switch_off()


# 8: the connection is closed by the system

CLOSABLE = """
const connections = [];
const open = IDBFactory.prototype.open;
IDBFactory.prototype.open = function (...given) {
  const request = open.apply(this, given);
  request.addEventListener('success', () => connections.push(request.result));
  return request;
};
window.closeAll = () => connections.splice(0).map((one) => one.close()).length;
const start = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (...given) {
  if (window.noTransactions) throw new DOMException('it happens', 'InvalidStateError');
  return start.apply(this, given);
};"""


@pytest.mark.fault(8)
def test_a_connection_that_was_closed_is_opened_anew_and_the_second_failure_gives_the_alarm(
    tablet: OneTablet,
) -> None:
    refuse_records(tablet)
    tablet.page.context.add_init_script(CLOSABLE)
    tablet.page.reload()
    tablet.begin("fermée une fois")
    assert tablet.page.evaluate("window.closeAll()") > 0
    tablet.thanked()
    next_person(tablet.page)
    tablet.begin("fermée pour de bon")
    tablet.page.evaluate("() => { window.noTransactions = true; }")
    tablet.page.locator("#next").click()
    expect(tablet.page.locator("#failed-title")).to_be_visible(timeout=PATIENCE)
    tablet.page.evaluate("() => { window.noTransactions = false; }")
    tablet.page.locator("#retry").click()
    tablet.merci()
    next_person(tablet.page)
    tablet.page.evaluate("() => { window.noTransactions = true; window.dispatchEvent(new Event('online')); }")
    expect_refusal(tablet.page, "closed", "La tablette ne laisse plus enregistrer.")
    tablet.page.evaluate(
        "() => { window.noTransactions = false; window.dispatchEvent(new Event('online')); }"
    )
    tablet.ready()
    take_records(tablet)
    tablet.deliver()
    tablet.assert_all_arrived()


OPENS_ONCE = """
const openFirst = IDBFactory.prototype.open;
let opened = false;
IDBFactory.prototype.open = function (...given) {
  if (opened) throw new DOMException('it happens', 'InvalidStateError');
  opened = true;
  return openFirst.apply(this, given);
};"""


def test_a_page_that_does_not_open_the_database_anew_thanks_nobody_any_more(tablet: OneTablet) -> None:
    """The control: one closed connection is the end of it."""
    refuse_records(tablet)
    for script in (OPENS_ONCE, CLOSABLE):
        tablet.page.context.add_init_script(script)
    tablet.page.reload()
    tablet.begin("fermée une fois")
    assert tablet.page.evaluate("window.closeAll()") > 0
    tablet.page.locator("#next").click()
    expect(tablet.page.locator("#failed-title")).to_be_visible(timeout=PATIENCE)


# 9: the storage is cleared


@pytest.mark.fault(9)
def test_a_tablet_that_was_emptied_thanks_nobody_and_the_server_says_how_many_are_missing(
    tablet: OneTablet,
) -> None:
    tablet.one_person("reçu")
    tablet.deliver()
    refuse_records(tablet)
    lost = tablet.saved.copy()
    tablet.begin("perdu")
    tablet.thanked()
    lost = tablet.saved - lost
    with tablet.page.expect_response("**/heartbeat"):
        next_person(tablet.page)
    tablet.begin("en cours")
    tablet.cdp().send("Storage.clearDataForOrigin", {"origin": tablet.origin, "storageTypes": "all"})
    tablet.page.locator("#next").click()
    expect(tablet.page.locator("#failed-title")).to_be_visible(timeout=PATIENCE)
    take_records(tablet)
    tablet.enrol_here()
    tablet.one_person("sous la nouvelle inscription")
    tablet.deliver()
    tablet.saved -= lost
    tablet.assert_all_arrived()
    now, before = lines_told(tablet.site)
    assert now == "1 passé, 1 reçu, 0 manquant"
    # The interview under way has its number as well; a heartbeat may or may not have told of it.
    assert before in ("2 passés, 1 reçu, 1 manquant", "3 passés, 1 reçu, 2 manquants")


# 10: no IndexedDB, or one that does not work

ABSENT: Final = {
    "absent": (
        "delete Window.prototype.indexedDB; delete window.indexedDB;",
        "unsupported",
        "navigation privée",
    ),
    "forbidden": (
        "IDBFactory.prototype.open = () => { throw new DOMException('', 'SecurityError'); };",
        "unsupported",
        "navigation privée",
    ),
    "broken": (
        "IDBFactory.prototype.open = () => { throw new DOMException('', 'UnknownError'); };",
        "damaged",
        "La mémoire de cette page est abîmée.",
    ),
}


@pytest.mark.fault(10)
def test_a_browser_without_a_working_database_asks_nobody(playwright: Playwright, tmp_path: Path) -> None:
    with one_tablet(playwright, tmp_path) as tablet:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        for script, reason, words in ABSENT.values():
            page = browser.new_page()
            page.add_init_script(script)
            for address in (tablet.address, f"{tablet.address}q/usagers/fr"):
                page.goto(address)
                expect_refusal(page, reason, words)
                expect(page.locator("#enrolment-code")).to_be_hidden()
        browser.close()
