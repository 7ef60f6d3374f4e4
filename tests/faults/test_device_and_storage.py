"""A. The device and its storage: killed, without power, full, emptied, damaged, out of date."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Playwright

from tests.browser.tablet_browser import begin, fact, stored, wait_for_draft
from tests.browser.test_stolen_profile import files_that_hold
from tests.faults.one_tablet import (
    OneTablet,
    Reply,
    chain_faults,
    one_tablet,
    refuse_records,
    take_records,
)
from tests.survey_app.tablet_site import QUESTIONNAIRE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SEED: Final = 20261125


# 1: killed in the middle of a question


def killed_after(tablet: OneTablet, taps: int, *, kept: bool = True) -> Counter[str]:
    """Somebody gives so many answers, then the browser is killed and started again; what was on its disk."""
    page, arrived_before = tablet.page, len(tablet.site.records())
    begin(page)
    page.locator("label.option:visible").first.click()
    if taps > 1:
        page.locator("#next").click()
        page.locator("[name=minutes]").fill("12")
        page.locator("#next").click()
        page.locator("[name=comment]").fill("arrêté ici")
    if kept:
        wait_for_draft(page, taps)
    else:
        page.wait_for_timeout(1_500)
    found = tablet.on_disk()
    assert len(tablet.site.records()) == arrived_before, "something is sent while somebody answers"
    tablet.kill()
    tablet.switch_on()
    tablet.ready()
    return found


@pytest.mark.fault(1)
def test_a_browser_killed_between_two_taps_delivers_the_answers_given_before(tablet: OneTablet) -> None:
    drafts: Counter[str] = Counter()
    for taps in (1, 3):
        drafts += killed_after(tablet, taps) - drafts
        tablet.deliver()
    tablet.one_person("la personne suivante")
    tablet.deliver()
    tablet.assert_all_arrived(beside=drafts)
    first = {"courtesy": ["very_satisfied"]}
    assert tablet.site.answers() == [
        first,
        {**first, "minutes": 12, "comment": "arrêté ici"},
        {**first, "minutes": 12, "comment": "la personne suivante"},
    ]
    assert [body.complete for body in tablet.site.bodies()] == [False, False, True]


def test_the_same_kill_loses_what_is_written_only_at_the_end(playwright: Playwright, tmp_path: Path) -> None:
    """The control: a questionnaire that discards what was begun, as its author asked."""
    discarding = QUESTIONNAIRE.replace("partial_policy: keep", "partial_policy: discard")
    with one_tablet(playwright, tmp_path, source=discarding) as tablet:
        assert killed_after(tablet, 3, kept=False) == Counter()
        tablet.deliver()
        tablet.assert_all_arrived()


# 2: killed inside a write

HURRY = """
if (location.pathname.startsWith('/tablette/')) setInterval(() => {
  const shown = (one) => one.offsetParent !== null;
  const seen = (selector) => [...document.querySelectorAll(selector)].filter(shown);
  const tap = (one) => one?.click();
  const { screen } = document.body.dataset;
  if (screen === 'languages') tap(seen('a.language-card[data-language=fr]')[0]);
  if (screen === 'welcome') tap(document.getElementById('begin'));
  if (screen === 'questions') {
    const options = seen('label.option');
    for (const option of options) setTimeout(() => tap(option), 40 * Math.random());
    window.rounds = (window.rounds ?? 0) + 1;
    if (window.rounds % 8 === 0) tap(document.getElementById('next'));
  }
  if (screen === 'thanks' && !window.told) {
    window.told = true;
    const opening = indexedDB.open('tablet');
    opening.onsuccess = () => {
      const all = opening.result.transaction('records').objectStore('records').getAll();
      all.onsuccess = () => {
        const last = all.result.sort((one, other) => other.seq - one.seq)[0];
        console.log(`thanked ${last.id} ${last.hash}`);
        opening.result.close();
        tap(document.querySelector('[data-screen-name=thanks] [data-action=restart]'));
      };
    };
  }
}, 15);
"""
"""People who answer as fast as the page can write, and change their minds."""

APART = """
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (value, key) {
  if (key !== 'head' || window.apart) return put.call(this, value, key);
  const { db } = this.transaction;
  setTimeout(() => {
    window.apart = true;
    db.transaction('facts', 'readwrite').objectStore('facts').put(value, key);
    window.apart = false;
  }, 30);
};"""
"""The control: record and chain in two transactions."""


ENOUGH: Final = 3
"""People who were thanked while the browser was killed again and again."""


def killed_while_writing(tablet: OneTablet, rounds: int, *scripts: str) -> list[str]:
    """Kill the browser again and again while it writes; what contradicts itself on its disk afterwards."""
    chance = random.Random(SEED)
    refuse_records(tablet)
    for number in range(3 * rounds):  # a slow machine thanks fewer people before each kill
        if number >= rounds and tablet.saved.total() >= ENOUGH:
            break
        tablet.kill()
        tablet.switch_on()
        tablet.ready()
        faults = chain_faults(tablet.page)
        if faults or tablet.saved - tablet.on_disk():
            return [*faults, *(tablet.saved - tablet.on_disk())]
        tablet.page.on("console", lambda told: note(tablet, told.text))
        for script in (*scripts, HURRY):
            tablet.page.context.add_init_script(script)
        tablet.page.reload()
        tablet.page.wait_for_timeout(chance.uniform(700, 1_700))
    tablet.kill()
    tablet.switch_on()
    tablet.ready()
    return [*chain_faults(tablet.page), *(tablet.saved - tablet.on_disk())]


def note(tablet: OneTablet, told: str) -> None:
    if told.startswith("thanked "):
        tablet.saved[told.removeprefix("thanked ")] += 1


@pytest.mark.fault(2)
def test_a_browser_killed_inside_its_writes_keeps_record_chain_and_count_together(tablet: OneTablet) -> None:
    assert killed_while_writing(tablet, 4) == []
    assert tablet.saved.total() >= ENOUGH
    take_records(tablet)
    there = tablet.on_disk()
    tablet.deliver()
    tablet.assert_all_arrived(beside=there - tablet.saved)


def test_the_same_kills_tear_record_and_chain_apart_that_are_written_one_after_the_other(
    tablet: OneTablet,
) -> None:
    assert killed_while_writing(tablet, 4, APART) != []


# 4: killed while finishing

STEPS: Final = ("sealing", "sealed", "draft taken away", "record put", "chain moved", "on disk")


@pytest.mark.fault(4)
def test_a_browser_killed_at_any_step_of_finishing_has_the_draft_or_the_record_and_nothing_in_clear(
    tablet: OneTablet,
) -> None:
    refuse_records(tablet)
    for number, step in enumerate(STEPS, start=1):
        tablet.begin("Madame Martin : au guichet trois")
        wait_for_draft(tablet.page, 3)
        tablet.stop_at(step)
        tablet.kill()
        tablet.switch_on()
        tablet.ready()
        kinds = [record["kind"] for record in stored(tablet.page) if record["seq"] == number]
        assert kinds == (["finished"] if step == "on disk" else ["partial"]), step
        assert chain_faults(tablet.page) == []
    take_records(tablet)
    there = tablet.on_disk()
    tablet.deliver()
    tablet.assert_all_arrived(beside=there)
    assert [body.complete for body in tablet.site.bodies()] == [step == "on disk" for step in STEPS]
    tablet.switch_off()
    assert files_that_hold(tablet.profile, "Madame Martin : au guichet trois") == []


RECORD_LATER = """
IDBObjectStore.prototype.add = function (value) {
  const { db } = this.transaction;
  const keep = () => db.transaction('records', 'readwrite').objectStore('records').put(value);
  this.transaction.addEventListener('complete', keep);
};"""
"""The control: the record follows its number in a transaction of its own."""


def test_the_same_kill_leaves_a_number_without_its_answers_that_are_written_a_moment_later(
    tablet: OneTablet,
) -> None:
    refuse_records(tablet)
    tablet.page.context.add_init_script(RECORD_LATER)
    tablet.page.reload()
    tablet.begin("écrite trop tard")
    wait_for_draft(tablet.page, 3)
    tablet.stop_at("on disk")
    tablet.kill()
    tablet.switch_on()
    tablet.ready()
    assert stored(tablet.page) == []
    end = fact(tablet.page, "head")
    assert end["seq"] == 1
    assert chain_faults(tablet.page) != []


# 5: killed after the receipt, before it is noted


@pytest.mark.fault(5)
def test_a_browser_killed_with_the_receipt_in_its_hands_sends_again_and_gets_the_same_one(
    tablet: OneTablet,
) -> None:
    sent: list[str] = []

    def counted(method: str, path: str) -> Reply | None:
        if method == "PUT":
            sent.append(path)
        return tablet.answer(method, path)

    tablet.network.instead = counted
    tablet.begin("deux fois le même accusé")
    tablet.stop_at("receipt noted")
    (stored_before,) = [(row.id, row.content_hash, row.received_at) for row in tablet.site.records()]
    tablet.kill()
    tablet.switch_on()
    tablet.deliver()
    (record,) = stored(tablet.page)
    assert record["attempts"] == 2, "the first request was not noted before it was made"
    assert sent == [f"/api/v1/records/{record['id']}"] * 2
    assert [(row.id, row.content_hash, row.received_at) for row in tablet.site.records()] == [stored_before]
    assert record["storedAt"] == stored_before[2].isoformat()
    tablet.assert_all_arrived(beside=tablet.on_disk())
