"""A tablet in a real browser whose disk is an image of its own: used fast, killed, cut off from its power.

What its page shows as saved goes to the ledger through the wire of the debugger, which no fault touches.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page, Playwright
from playwright.sync_api import TimeoutError as StillHidden

from tests.browser.tablet_browser import TRY_NOW, enrol, open_profile, stored
from tests.browser.test_power_cut import cut_power, new_image, processes_of, run, send, unmount
from tests.faults.ledger import Ledger
from tests.survey_app.tablet_site import TabletSite

CARD = "a.language-card[data-language=fr]"
LONGEST_LAST_MOMENT = 1_200
DRAIN_SECONDS = 180

TELL = """(() => {
  const newest = () => new Promise((resolve) => {
    const opening = indexedDB.open('tablet');
    opening.onsuccess = () => {
      const all = opening.result.transaction('records').objectStore('records').getAll();
      all.onsuccess = () => {
        opening.result.close();
        resolve(all.result.sort((one, other) => other.seq - one.seq)[0]);
      };
    };
  });
  const until = async (fits) => {
    let found;
    while (!(found = await fits())) await new Promise((done) => setTimeout(done, 5));
    return found;
  };
  const type = (name, text) => {
    const field = document.querySelector(`[name=${name}]`);
    field.value = text;
    for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, { bubbles: true }));
  };
  const tap = (selector) =>
    [...document.querySelectorAll(selector)].find((found) => found.offsetParent !== null).click();
  const isAt = (screen) => document.body.dataset.screen === screen;

  window.answer = async ({ comment, choice, onlyBegun }) => {
    const makeId = crypto.randomUUID.bind(crypto);
    let mine = '';
    crypto.randomUUID = () => {
      mine = makeId();
      window.ledger('begun', mine, '');
      return mine;
    };
    document.getElementById('begin').click();
    crypto.randomUUID = makeId;
    await until(() => isAt('questions'));
    const options = [...document.querySelectorAll('label.option')].filter((one) => one.offsetParent !== null);
    options[choice % 2].click();
    if (onlyBegun) {
      const draft = await until(async () => {
        const record = await newest();
        return record && record.id === mine && record;
      });
      return window.ledger('kept', draft.id, draft.hash);
    }
    tap('#next');
    type('minutes', '12');
    tap('#next');
    type('comment', comment);
    tap('#next');
    await until(() => isAt('thanks'));
    const record = await newest();
    await window.ledger('thanked', record.id, record.hash);
  };
})()"""


@dataclass
class BrowserTablet:
    """One tablet through all its lives."""

    playwright: Playwright
    folder: Path
    address: str
    ledger: Ledger
    chance: random.Random
    kept: set[str] = field(default_factory=set)
    """Interviews that were begun and whose draft was on the disk."""
    people: int = 0
    _disks: int = 0
    _page: Page | None = None
    _context: BrowserContext | None = None

    @property
    def image(self) -> Path:
        """The disk as it is now."""
        return self.folder / f"disk-{self._disks}.img"

    @property
    def mount(self) -> Path:
        """Where it is mounted."""
        return self.folder / f"disk-{self._disks}"

    @property
    def page(self) -> Page:
        """What the visitor sees."""
        assert self._page is not None
        return self._page

    def install(self, site: TabletSite) -> None:
        """A new tablet, enrolled some time ago."""
        self.folder.mkdir(parents=True)
        new_image(self.image)
        self._mount()
        self._open()
        enrol(self.page, self.address, site)
        os.sync()

    def switch_on(self) -> None:
        """Open the start page, whatever the network does meanwhile."""
        self._open()
        self.go_to_start()

    def go_to_start(self) -> None:
        """From anywhere; somebody beside the tablet has it send now."""
        self.page.goto(self.address)
        try:
            self.page.locator(CARD).wait_for()
        except StillHidden:
            said = self.page.locator("main").inner_text()
            raise AssertionError(f"the tablet asks nobody, and says: {said}") from None
        self.page.evaluate(TRY_NOW)

    def serve(self, people: int) -> None:
        """So many people up to « Merci »."""
        for _person in range(people):
            self._welcome()
            self.page.evaluate("(person) => window.answer(person)", self._person())
            self.go_to_start()

    def end_of_life(self) -> None:
        """The next person is in the middle, or nobody is there, when browser or power go."""
        self.note_what_is_set_aside()
        moment = self.chance.choice(("at rest", "draft", "anywhere"))
        if moment != "at rest":
            self._welcome()
            person = {**self._person(), "onlyBegun": moment == "draft"}
            waits = "" if moment == "draft" else "void "
            self.page.evaluate(f"(person) => {waits}window.answer(person)", person)
        if moment == "anywhere":
            self.page.wait_for_timeout(self.chance.uniform(0, LONGEST_LAST_MOMENT))
        self.chance.choice((self.kill_browser, self.lose_power))()

    def note_what_is_set_aside(self) -> list[dict[str, Any]]:
        """What the tablet no longer sends by itself goes to the ledger; all its records."""
        records = stored(self.page)
        for record in records:
            if record["state"] == "quarantined":
                self.ledger.set_apart(record["id"])
        return records

    def kill_browser(self) -> None:
        """All its processes at once."""
        self.ledger.strike("browser_killed", self._promised())
        send(signal.SIGKILL, processes_of(self.mount))
        self._close()

    def lose_power(self) -> None:
        """Only what the disk holds is there afterwards."""
        self.ledger.strike("power_cut_under_the_tablet", self._promised())
        assert self._context is not None
        before, where = self.image, self.mount
        self._disks += 1
        cut_power(self._context, where, before, self.image)
        self._close()
        unmount(where)
        before.unlink()
        self._mount()

    def deliver_everything(self) -> None:
        """In the calm: an agent opens the tablet, has sent again what was refused as well, and waits."""
        until = time.monotonic() + DRAIN_SECONDS
        while any(record["state"] != "receipted" for record in self.note_what_is_set_aside()):
            assert time.monotonic() < until, "the tablet does not deliver everything"
            self.page.evaluate("document.getElementById('agent-retry').click()")
            self.page.wait_for_timeout(300)

    def switch_off(self) -> None:
        """At the end."""
        if self._context is not None:
            with contextlib.suppress(Error):
                self._context.close()
        unmount(self.mount)

    def _promised(self) -> set[str]:
        return {record for record, _ in self.ledger.acknowledged} | self.kept

    def _welcome(self) -> None:
        self.page.evaluate(f"document.querySelector('{CARD}').click()")
        self.page.locator("#begin").wait_for()

    def _person(self) -> dict[str, Any]:
        self.people += 1
        return {"comment": f"personne {self.people}", "choice": self.chance.randint(0, 1), "onlyBegun": False}

    def _mount(self) -> None:
        self.mount.mkdir()
        run("mount", "-o", "loop", self.image, self.mount)

    def _open(self) -> None:
        self._context = open_profile(self.playwright, self.mount / "profile")
        self._context.expose_function("ledger", self._hear)
        self._context.add_init_script(TELL)
        self._page = self._context.pages[0]

    def _close(self) -> None:
        with contextlib.suppress(Error):
            assert self._context is not None
            self._context.close()
        self._context = None

    def _hear(self, what: str, record: str, content_hash: str) -> None:
        self.ledger.attempt(record)
        if what == "thanked":
            self.ledger.acknowledge(record, content_hash)
        elif what == "kept":
            self.kept.add(record)
